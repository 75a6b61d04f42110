"""What a clock that leaps must not do (abuse case 52): bring back what is over, or make a used code good again."""

from __future__ import annotations

import pytest

from tests.integration.auth_service.conftest import PASSWORD, SERVICE_TOKEN, World, eventually
from tests.integration.auth_service.test_refreshing import first

HOUR_S = 3600.0
LEAPS = pytest.mark.parametrize("leaps", [[HOUR_S], [-HOUR_S], [HOUR_S, -HOUR_S]], ids=["on", "back", "on-and-back"])


async def is_active(world: World, token: str) -> bool:
    """What a gateway is told of a chat token."""
    answer = await world.inside("/internal/introspect", {"token": token}, SERVICE_TOKEN)
    assert answer.status == 200, answer
    return bool(answer.body["active"])


@LEAPS
async def test_abuse_52_a_leap_of_the_clock_brings_no_token_back(world: World, leaps: list[float]) -> None:
    """Neither a used refresh token, nor those of a session that has ended, nor a ticket that was used; and gateways are told of the end again."""
    person, other = await world.register(), await world.register()
    chat = await world.refresh(first(other), other.device, "chat")
    successor = (await world.refresh(first(person), person.device)).body["refresh_token"]
    world.clock.pass_s(61)
    assert await is_active(world, chat.body["access_token"])
    assert (await world.post("/logout", {"scope": "this"}, token=other.access)).status == 204
    assert not await is_active(world, chat.body["access_token"])
    for leap_s in leaps:
        world.clock.pass_s(leap_s)

        assert not await is_active(world, chat.body["access_token"])
        assert (await world.get("/me", token=other.access)).status == 401
        assert (await world.refresh(chat.body["refresh_token"], other.device)).code == "session_ended"
        assert (await world.refresh(first(person), person.device)).code == "session_ended"
        assert (await world.refresh(successor, person.device)).code == "session_ended"

    async def is_said() -> bool:
        return other.tokens["session_id"] in {row.sid for row in await world.revoked()}

    if sum(leaps) <= 0:
        await eventually(is_said)


@LEAPS
async def test_abuse_52_a_leap_of_the_clock_makes_no_code_good_again(world: World, leaps: list[float]) -> None:
    """What was used stays used, and what lies before it is used with it."""
    person = await world.register()
    await world.enrol(person)
    used = []
    for leap_s in [0.0, *leaps]:
        world.clock.pass_s(leap_s)
        used.append(world.totp(person))
        for code in used:
            ticket = (await world.post("/login", {"identifier": person.name, "password": PASSWORD})).body["mfa_ticket"]
            await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": code})

    for code in used:
        ticket = (await world.post("/login", {"identifier": person.name, "password": PASSWORD})).body["mfa_ticket"]
        again = await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": code})
        assert again.code == "invalid_code"
