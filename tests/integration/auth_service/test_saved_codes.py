"""auth_service.saved_codes and its use at login and step-up: ten on paper, each good once."""

from __future__ import annotations

import asyncio
import json
from base64 import urlsafe_b64decode

from tests.integration.auth_service.conftest import Answer, Person, World

DAY_S = 86_400


async def ten(world: World, person: Person) -> list[str]:
    """POST /me/recovery-codes."""
    answer = await world.post("/me/recovery-codes", {}, token=person.access)
    assert answer.status == 201, answer
    codes: list[str] = answer.body["codes"]
    return codes


async def log_in_by_code(world: World, person: Person, code: str) -> Answer:
    """Both steps of a login, on the person's own device."""
    ticket = (await world.log_in(person)).body["mfa_ticket"]
    return await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "recovery_code", "code": code})


def claims(token: str) -> dict[str, object]:
    """What an access token says."""
    part = token.split(".")[1]
    found: dict[str, object] = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return found


async def test_a_code_is_the_second_factor_once_and_is_replaced(world: World) -> None:
    """The answer has the one that takes its place, which works; the used one never does again."""
    person = await world.register()
    codes = await ten(world, person)
    assert len(set(codes)) == 10
    await world.enrol(person)
    methods = (await world.log_in(person)).body["methods"]

    entered = await log_in_by_code(world, person, codes[0].lower())
    again = await log_in_by_code(world, person, codes[0])
    other = await log_in_by_code(world, person, entered.body["recovery_code"])

    assert methods == ["totp", "recovery_code"]
    assert entered.status == 200
    assert claims(entered.body["tokens"]["access_token"])["amr"] == ["pwd", "code"]
    assert claims(entered.body["tokens"]["access_token"])["acr"] == "mfa"
    assert entered.body["user"]["recovery_codes"] == 10
    assert (again.status, again.code) == (401, "invalid_code")
    assert other.status == 200


async def test_of_one_code_at_the_same_time_one_use_succeeds(world: World) -> None:
    """Three tickets, one code."""
    person = await world.register()
    codes = await ten(world, person)
    await world.enrol(person)
    tickets = [(await world.log_in(person)).body["mfa_ticket"] for _ in range(3)]

    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(
                world.post("/login/mfa", {"mfa_ticket": ticket, "method": "recovery_code", "code": codes[3]})
            )
            for ticket in tickets
        ]

    assert sorted(task.result().status for task in asked) == [200, 401, 401]


async def test_codes_alone_turn_nothing_on(world: World) -> None:
    """Whoever has no TOTP or passkey is asked for none."""
    person = await world.register()
    await ten(world, person)

    assert "tokens" in (await world.log_in(person)).body


async def test_a_new_set_retires_the_old_one_which_counts_to_its_end(world: World) -> None:
    """Day 36 yes, day 37 no; people are told, and no code is in any message."""
    person = await world.register()
    old = await ten(world, person)
    new = await ten(world, person)
    await world.enrol(person)

    world.clock.pass_s(36 * DAY_S)
    assert (await log_in_by_code(world, person, old[1])).status == 200
    world.clock.pass_s(DAY_S)
    assert (await log_in_by_code(world, person, old[2])).status == 401
    assert (await log_in_by_code(world, person, new[0])).status == 200
    told = " ".join(message["text"] for message in await world.outbox())
    assert not any(code in told for code in old + new)


async def test_ten_codes_are_told_and_need_a_fresh_proof(world: World) -> None:
    """A second factor, where there is one; a password is not enough then."""
    person = await world.register()
    await world.enrol(person)
    ticket = (await world.log_in(person)).body["mfa_ticket"]
    body = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)}
    access = (await world.post("/login/mfa", body)).body["tokens"]["access_token"]
    world.clock.pass_s(290)
    stepped = await world.post("/step-up", {"method": "password", "password": "cangrejo sin reloj"}, token=access)
    world.clock.pass_s(11)

    weak = await world.post("/me/recovery-codes", {}, token=stepped.body["access_token"])
    assert (weak.status, weak.code, weak.body["methods"]) == (403, "step_up_required", ["totp"])
    strong = await world.post("/step-up", {"method": "totp", "code": world.totp(person)}, token=access)
    assert (await world.post("/me/recovery-codes", {}, token=strong.body["access_token"])).status == 201
    assert any("recovery codes" in message["text"] for message in await world.outbox())


async def test_a_code_steps_up_and_a_wrong_one_does_not(world: World) -> None:
    """Also one that only looks like a code; nobody else's works."""
    person, other = await world.register(), await world.register()
    mine, theirs = await ten(world, person), await ten(world, other)

    for wrong in (theirs[0], "AAAA-AAAA-AAAA-AAAA-AAAA", "x"):
        answer = await world.post("/step-up", {"method": "recovery_code", "code": wrong}, token=person.access)
        assert answer.code == "invalid_code"
    stepped = await world.post("/step-up", {"method": "recovery_code", "code": mine[0]}, token=person.access)
    assert stepped.status == 200
    assert len(stepped.body["recovery_code"]) == 24
