"""auth_service.login_codes: the code of a shut name leaves behind the answer, and after a right password alone."""

from __future__ import annotations

from tests.integration.auth_service.conftest import PASSWORD, Worlds
from tests.integration.auth_service.test_strangers import CHEAP, guess, shut


async def test_a_code_follows_a_right_password_alone(worlds: Worlds) -> None:
    """It is for the ticket of that answer; a day's codes of one account end, and the answers go on alike."""
    async with worlds(**CHEAP, CODES_PER_ACCOUNT_PER_DAY="2") as world:
        ana = await world.register("ana")
        await shut(world, "ana")

        async def codes() -> int:
            return sum("code to log in" in message["text"] for message in await world.outbox())

        wrong = await guess(world, "ana")
        assert await codes() == 0
        found, right = [], wrong
        for _ in range(3):
            right = await guess(world, "ana", PASSWORD)
            assert sorted(right.body) == sorted(wrong.body)
            found.append(await codes())
            world.clock.pass_s(61)
        passed = await world.post(
            "/login/mfa",
            {"mfa_ticket": right.body["mfa_ticket"], "method": "code", "code": await world.code_for(ana.email)},
        )

    assert found == [1, 2, 2]
    assert passed.code == "invalid_code", "the code is of an earlier ticket"
