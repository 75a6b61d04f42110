"""auth_service.account: the second factor's enrolment and the step-up."""

from __future__ import annotations

import asyncio
import base64

from auth_service.core import totp
from tests.integration.auth_service.conftest import PASSWORD, World


async def test_a_seed_changes_nothing_before_its_first_code(world: World) -> None:
    """A login in between asks for none; a second offer replaces the first."""
    person = await world.register()
    first = await world.post("/me/totp", {}, token=person.access)
    assert (await world.log_in(person)).body["user"]["totp"] is False
    second = await world.post("/me/totp", {}, token=person.access)

    old = totp.code_at(base64.b32decode(first.body["secret"]), int(world.clock()) // 30)
    assert (await world.post("/me/totp/confirm", {"code": old}, token=person.access)).code == "code_invalid"
    new = totp.code_at(base64.b32decode(second.body["secret"]), int(world.clock()) // 30)
    assert (await world.post("/me/totp/confirm", {"code": new}, token=person.access)).status == 204
    assert (await world.get("/me", token=person.access)).body["totp"] is True
    assert any("second factor was added" in message["text"] for message in await world.outbox())


async def test_the_offer_is_what_an_authenticator_takes(world: World) -> None:
    """160 bits, 6 digits, 30 s, with the user's name."""
    person = await world.register("Ana")
    offer = (await world.post("/me/totp", {}, token=person.access)).body

    assert len(base64.b32decode(offer["secret"])) == 20
    assert (offer["digits"], offer["period"]) == (6, 30)
    assert offer["otpauth_uri"].startswith("otpauth://totp/Garita:Ana?secret=" + offer["secret"])


async def test_a_second_factor_that_is_on_is_not_replaced(world: World) -> None:
    """Neither by a new offer nor by a second confirmation."""
    person = await world.register()
    await world.enrol(person)

    assert (await world.post("/me/totp", {}, token=person.access)).code == "conflict"
    body = {"code": world.totp(person, 1)}
    assert (await world.post("/me/totp/confirm", body, token=person.access)).code == "conflict"


async def test_enrolling_needs_a_fresh_proof(world: World) -> None:
    """A thief of a running session does not get to add a factor of its own."""
    person = await world.register()
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]

    assert (await world.post("/me/totp", {}, token=access)).code == "step_up_required"
    assert (await world.post("/me/totp/confirm", {"code": "123456"}, token=access)).code == "step_up_required"
    proof = {"method": "password", "password": PASSWORD}
    stepped = (await world.post("/step-up", proof, token=access)).body["access_token"]
    assert (await world.post("/me/totp", {}, token=stepped)).status == 200


async def test_ten_codes_cannot_be_guessed_while_enrolling(world: World) -> None:
    """The eleventh waits, even if it were right."""
    person = await world.register()
    offer = (await world.post("/me/totp", {}, token=person.access)).body
    right = totp.code_at(base64.b32decode(offer["secret"]), int(world.clock()) // 30)
    wrong = "000000" if right != "000000" else "000001"
    codes = [(await world.post("/me/totp/confirm", {"code": wrong}, token=person.access)).code for _ in range(10)]

    assert set(codes) == {"code_invalid"}
    assert (await world.post("/me/totp/confirm", {"code": right}, token=person.access)).code == "rate_limited"


async def test_a_step_up_with_the_password_or_a_code(world: World) -> None:
    """Both are fresh proofs of the same session; wrong ones are counted; a code counts once."""
    person = await world.register()
    await world.enrol(person)
    wrong = await world.post("/step-up", {"method": "password", "password": "x" * 20}, token=person.access)
    assert (wrong.status, wrong.code) == (401, "invalid_credentials")
    code = {"method": "totp", "code": world.totp(person)}

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.post("/step-up", code, token=person.access)) for _ in range(5)]

    answers = [task.result() for task in asked]
    assert sorted(answer.status for answer in answers) == [200] + [401] * 4
    token = next(answer.body["access_token"] for answer in answers if answer.status == 200)
    assert (await world.get("/sessions", token=token)).body["sessions"][0]["id"] == person.tokens["session_id"]
    none = await world.register()
    assert (await world.post("/step-up", code, token=none.access)).code == "invalid_code"


async def test_ten_wrong_proofs_make_a_session_wait(world: World) -> None:
    """A thief of a session does not guess the password with it."""
    person = await world.register()
    body = {"method": "password", "password": "x" * 20}
    statuses = [(await world.post("/step-up", body, token=person.access)).status for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]
    assert (await world.post("/step-up", {"method": "password", "password": PASSWORD}, token=access)).status == 200
