"""auth_service.own_devices, devices and contact_codes: how a device is confirmed, how far it has come, and how it goes."""

from __future__ import annotations

from typing import Any

from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.owners import (
    DAY_S,
    add_email,
    add_phone,
    break_in,
    break_in_with_code,
    fresh,
    grow_old,
    grow_old_with_code,
    log_in_again,
    told,
)

PHONE = "+34600000001"


async def devices(world: World, token: str) -> list[dict[str, Any]]:
    """The account's devices, newest first."""
    found: list[dict[str, Any]] = (await world.get("/me/devices", token=token)).body["devices"]
    return found


async def grade(world: World, token: str) -> str:
    """The grade of the device that asks."""
    return str(next(device["grade"] for device in await devices(world, token) if device["current"]))


async def test_the_registration_device_is_confirmed_and_matures(world: World) -> None:
    """After 14 days, used on three of them."""
    person = await world.register()
    assert await grade(world, person.access) == "confirmed"
    world.clock.pass_s(13 * DAY_S)
    assert await grade(world, await log_in_again(world, person)) == "confirmed"
    world.clock.pass_s(DAY_S)
    assert await grade(world, await log_in_again(world, person)) == "confirmed"
    world.clock.pass_s(DAY_S)
    assert await grade(world, await log_in_again(world, person)) == "mature"


async def test_a_password_confirms_nothing_however_often(world: World) -> None:
    """Sixty days of logins and step-ups."""
    person = await world.register()
    thief = await break_in(world, person)
    await grow_old(world, thief)

    assert await grade(world, await fresh(world, thief)) == "known"


async def test_a_code_to_a_contact_that_counts_confirms(world: World) -> None:
    """It is for the session that asked, and good once."""
    person = await world.register()
    other = await break_in(world, person)
    assert (await world.post("/step-up/send", {"channel": "email"}, token=other.access)).status == 202
    body = {"method": "code", "code": await world.code_for(person.email)}

    assert (await world.post("/step-up", body, token=person.access)).code == "invalid_code"
    stepped = await world.post("/step-up", body, token=other.access)
    assert stepped.status == 200
    assert await grade(world, stepped.body["access_token"]) == "confirmed"
    assert (await world.post("/step-up", body, token=other.access)).code == "invalid_code"
    assert "device was confirmed" in (await told(world, person.email))[-1]


async def test_a_contact_in_probation_gets_no_such_code(world: World) -> None:
    """The answer is the same; the thief's own address cannot confirm his device."""
    person = await world.register()
    thief = await break_in(world, person)
    await add_email(world, thief.access, "thief@example.org")
    before = await world.outbox()
    asked = await world.pay("/step-up/send", {"channel": "sms"}, "contact", token=thief.access)
    assert asked.body == {"expires_in": 600}
    assert await world.newer(before) == []
    world.clock.pass_s(61)
    assert (await world.post("/step-up/send", {"channel": "email"}, token=thief.access)).status == 202

    assert [message["to"] for message in await world.newer(before)] == [person.email]


async def test_only_the_oldest_phone_gets_the_code(world: World) -> None:
    """And each address its own."""
    person = await world.register()
    await add_phone(world, person.access, PHONE)
    world.clock.pass_s(61)
    await add_phone(world, person.access, "+34600000002")
    await add_email(world, person.access, "b@example.org")
    token = await grow_old(world, person)
    before = await world.outbox()
    await world.post("/step-up/send", {"channel": "sms"}, token=token)
    assert [message["to"] for message in await world.newer(before)] == [PHONE]
    world.clock.pass_s(61)
    await world.post("/step-up/send", {"channel": "email"}, token=token)

    assert await world.code_for(person.email) != await world.code_for("b@example.org")
    assert (await world.post("/step-up/send", {"channel": "email"}, token=token)).code == "rate_limited"


async def test_five_wrong_codes_end_it(world: World) -> None:
    """Then the right one is too late, and so is one after ten minutes."""
    person = await world.register()
    await world.post("/step-up/send", {"channel": "email"}, token=person.access)
    code = await world.code_for(person.email)
    wrong = {"method": "code", "code": "000000" if code != "000000" else "000001"}
    for _ in range(5):
        assert (await world.post("/step-up", wrong, token=person.access)).code == "invalid_code"
    right = {"method": "code", "code": code}
    assert (await world.post("/step-up", right, token=person.access)).code == "invalid_code"

    world.clock.pass_s(901)
    token = await log_in_again(world, person)
    await world.post("/step-up/send", {"channel": "email"}, token=token)
    right = {"method": "code", "code": await world.code_for(person.email)}
    world.clock.pass_s(600)
    token = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]
    assert (await world.post("/step-up", right, token=token)).code == "invalid_code"


async def test_a_mature_second_factor_confirms_the_device_that_gives_it(world: World) -> None:
    """One in probation does not."""
    person = await world.register()
    await world.enrol(person)
    early = await break_in_with_code(world, person)
    assert await grade(world, early.access) == "known"
    world.clock.pass_s(31 * DAY_S)

    late = await break_in_with_code(world, person)
    assert await grade(world, late.access) == "confirmed"


async def test_a_removed_device_loses_its_sessions_and_counts_on(world: World) -> None:
    """It can be taken back for a week; on day 37 it is forgotten."""
    person = await world.register()
    other = await break_in(world, person)
    target = (await devices(world, other.access))[0]["id"]
    removed = await world.ask("DELETE", f"/me/devices/{target}", token=person.access)
    assert removed.status == 202
    assert (await world.get("/me", token=other.access)).code == "token_invalid"
    assert (await world.ask("DELETE", f"/me/devices/{target}", token=person.access)).code == "conflict"

    assert (await world.ask("DELETE", f"/me/pending-changes/{target}", token=person.access)).status == 204
    assert (await world.log_in(other)).status == 200
    assert (await world.ask("DELETE", f"/me/devices/{target}", token=person.access)).status == 202
    assert (await world.ask("DELETE", "/me/devices/" + "0" * 32, token=person.access)).code == "not_found"
    world.clock.pass_s(37 * DAY_S)
    token = await log_in_again(world, person)
    assert [
        device["id"]
        for device in await devices(world, token)
        if device["current"] is False and "effective_ms" not in device
    ] == []


async def test_an_unconfirmed_device_ends_no_session_of_a_mature_one(world: World) -> None:
    """It may ask for the device's removal; the owner goes on."""
    person = await world.register()
    await grow_old(world, person)
    target = next(device["id"] for device in await devices(world, person.access) if device["current"])
    thief = await break_in(world, person)

    assert (await world.ask("DELETE", f"/me/devices/{target}", token=thief.access)).status == 202
    assert (await world.get("/me", token=person.access)).status == 200
    assert await grade(world, person.access) == "mature"


async def test_a_lost_device_is_nobodys(world: World) -> None:
    """Only a mature factor on a mature device may say so; its secret is unknown from then on."""
    person = await world.register()
    await world.enrol(person)
    token = await grow_old_with_code(world, person)
    other = await break_in_with_code(world, person)
    target = next(device["id"] for device in await devices(world, other.access) if device["current"])
    own = next(device["id"] for device in await devices(world, token) if device["current"])
    assert (await world.post(f"/me/devices/{own}/lost", {}, token=other.access)).code == "step_up_required"

    assert (await world.post(f"/me/devices/{target}/lost", {}, token=token)).status == 200
    assert (await world.get("/me", token=other.access)).code == "token_invalid"
    ticket = (await world.log_in(other)).body["mfa_ticket"]
    world.clock.pass_s(30)
    body = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)}
    assert (await world.post("/login/mfa", body)).body["tokens"]["device"] != other.device
