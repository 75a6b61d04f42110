"""auth_service.tending: reminders, and the end of what was removed."""

from __future__ import annotations

from tests.integration.auth_service.conftest import World, Worlds, eventually
from tests.integration.auth_service.owners import (
    DAY_S,
    add_email,
    break_in,
    contact_of,
    grow_old,
    grow_old_with_code,
    links,
    log_in_again,
    rows,
    states,
    told,
    undo,
)


async def test_a_new_factor_is_reminded_of_on_days_7_and_25(worlds: Worlds) -> None:
    """Day 0 is the notice of its addition; each has a link that takes the addition back. Nobody is running at the time."""
    async with worlds() as world:
        person = await world.register()
        await add_email(world, person.access, "b@example.org")
        first = await told(world, person.email)
        assert len(first) == 1
        world.clock.pass_s(7 * DAY_S - 1)
        await log_in_again(world, person)
        assert await told(world, person.email) == first
        world.clock.pass_s(1)
    async with worlds() as world:
        await eventually_left(world, 1)
        assert "soon count" in (await told(world, person.email))[-1]
        world.clock.pass_s(18 * DAY_S)
        await eventually_left(world, 0)
        last = (await told(world, person.email))[-1]
        assert "soon count" in last
        await undo(world, links(last)[0])
        listed = await states(world, await log_in_again(world, person))
        assert listed.get("b@example.org", "retired") == "retired"


async def eventually_left(world: World, count: int) -> None:
    """Waits until no more than so many reminders are to be given."""

    async def left() -> bool:
        return len(await rows(world, "SELECT 1 FROM reminders")) == count

    await eventually(left)


async def test_what_was_taken_back_is_not_reminded_of(world: World) -> None:
    """The reminder is dropped."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    await undo(world, links((await told(world, person.email))[-1])[0])
    before = await told(world, person.email)
    world.clock.pass_s(25 * DAY_S)
    await eventually_left(world, 0)

    assert [text for text in await told(world, person.email) if text not in before] == []


async def test_what_is_added_strongly_has_seven_days_and_no_reminder(world: World) -> None:
    """After a mature second factor on a mature device."""
    person = await world.register()
    await world.enrol(person)
    await grow_old_with_code(world, person)
    contact = await add_email(world, person.access, "b@example.org")

    kept = await rows(world, "SELECT matures_ms - proved_ms AS wait_ms FROM contacts WHERE id = ?", contact)
    assert kept == [{"wait_ms": 7 * DAY_S * 1000}]
    assert await rows(world, "SELECT 1 FROM reminders WHERE subject = ?", contact) == []


async def test_a_mature_device_without_the_factor_has_thirty_days(world: World) -> None:
    """And so has the factor without the device."""
    person = await world.register()
    token = await grow_old(world, person)
    contact = await add_email(world, token, "b@example.org")

    kept = await rows(world, "SELECT matures_ms - proved_ms AS wait_ms FROM contacts WHERE id = ?", contact)
    assert kept == [{"wait_ms": 30 * DAY_S * 1000}]


async def test_what_has_no_rights_any_more_is_deleted(world: World) -> None:
    """On day 37 and not before, contact and device; the device's sessions end with it."""
    person = await world.register()
    await grow_old(world, person)
    await add_email(world, person.access, "b@example.org")
    contact = await contact_of(world, person.access, person.email)
    thief = await break_in(world, person)
    own = (await world.get("/me/devices", token=person.access)).body["devices"]
    device = next(row["id"] for row in own if row["current"])
    assert (await world.ask("DELETE", f"/me/emails/{contact}", token=thief.access)).status == 202
    assert (await world.ask("DELETE", f"/me/devices/{device}", token=thief.access)).status == 202
    asked = (await world.get("/me/pending-changes", token=person.access)).body["changes"]
    session = next(change["id"] for change in asked if change["kind"] == "session")
    world.clock.pass_s(600)
    token = (await world.refresh(person.tokens["refresh_token"], person.device)).body["access_token"]
    assert (await world.ask("DELETE", f"/me/pending-changes/{session}", token=token)).status == 204

    world.clock.pass_s(37 * DAY_S - 601)
    token = await log_in_again(world, person)
    assert (await world.get("/me", token=token)).status == 200
    assert (await states(world, token))[person.email] == "retiring"
    world.clock.pass_s(1)
    await eventually_ended(world, token)

    async def deleted() -> bool:
        found = await rows(
            world, "SELECT 1 FROM contacts WHERE id = ? UNION SELECT 1 FROM devices WHERE id = ?", contact, device
        )
        return found == []

    await eventually(deleted)


async def eventually_ended(world: World, token: str) -> None:
    """Waits until a session has ended."""

    async def ended() -> bool:
        return (await world.get("/me", token=token)).code == "token_invalid"

    await eventually(ended)


async def test_a_contact_that_nobody_proved_is_forgotten_after_a_day(world: World) -> None:
    """It was only typed."""
    person = await world.register()
    await world.post("/me/emails", {"email": "b@example.org"}, token=person.access)
    world.clock.pass_s(DAY_S)

    async def forgotten() -> bool:
        return await rows(world, "SELECT 1 FROM contacts WHERE proved_ms IS NULL") == []

    await eventually(forgotten)
