"""auth_service.changes: who is told of what, when, and that nothing is lost."""

from __future__ import annotations

import pytest

from tests.integration.auth_service.conftest import World, Worlds
from tests.integration.auth_service.owners import (
    add_email,
    add_phone,
    break_in,
    contact_of,
    eventually_told,
    grow_old,
    grow_old_with_code,
    links,
    log_in_again,
    rows,
    told,
)

PHONE = "+34600000001"


async def test_the_first_is_told_at_once_and_the_rest_together(world: World) -> None:
    """Three additions: one mail now, one after ten minutes, none after that."""
    person = await world.register()
    for number in range(3):
        await add_email(world, person.access, f"x{number}@example.org")
    assert len(await told(world, person.email)) == 1
    world.clock.pass_s(599)
    await log_in_again(world, person)
    assert len(await told(world, person.email)) == 1

    world.clock.pass_s(1)
    merged = (await eventually_told(world, person.email, 2))[1]
    assert merged.count("An e-mail address was added") == 2
    assert len(set(links(merged))) == 2
    assert await rows(world, "SELECT 1 FROM tellings") == []


async def test_kinds_do_not_wait_for_each_other(world: World) -> None:
    """A warning of another kind is told at once, whatever gathers."""
    person = await world.register()
    for number in range(2):
        await add_email(world, person.access, f"x{number}@example.org")
    await break_in(world, person)

    assert "new device" in (await told(world, person.email))[-1]


async def test_what_is_in_probation_is_told_nothing(world: World) -> None:
    """Neither its own addition nor what follows."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    await add_phone(world, person.access, PHONE)
    await break_in(world, person)

    assert await told(world, "b@example.org") == []
    assert await told(world, PHONE) == []


async def test_the_oldest_phone_hears_what_is_critical(world: World) -> None:
    """And the mail everything; a second phone nothing."""
    person = await world.register()
    await add_phone(world, person.access, PHONE)
    await grow_old(world, person)
    await add_phone(world, person.access, "+34600000002")
    await grow_old(world, person)
    thief = await break_in(world, person)
    since_ms = int(world.clock() * 1000)
    assert await told(world, PHONE, since_ms) == []
    await add_email(world, thief.access, "thief@example.org")
    said = (await told(world, PHONE, since_ms))[-1]
    assert "address was added" in said
    assert len(links(said)) == 1
    assert await told(world, "+34600000002") == []


async def test_an_account_with_only_a_phone_is_told_all_by_text(world: World) -> None:
    """A warning goes somewhere."""
    started = await world.start(phone=PHONE)
    flow = started.body["flow_id"]
    body = {"flow_secret": started.body["flow_secret"], "code": await world.code_for(PHONE)}
    ticket = (await world.post(f"/registrations/{flow}/verify", body)).body["registration_ticket"]
    await world.post(f"/registrations/{flow}/complete", {"ticket": ticket, "username": "ana"})
    body = {"identifier": "ana", "password": "cangrejo sin reloj"}
    assert (await world.post("/login", body)).status == 200

    assert "new device" in (await told(world, PHONE))[-1]


async def test_what_gathers_outlives_the_process(worlds: Worlds) -> None:
    """The service stops before the time has come, and another one tells it."""
    async with worlds() as world:
        person = await world.register()
        for number in range(3):
            await add_email(world, person.access, f"x{number}@example.org")
    async with worlds() as world:
        world.clock.pass_s(600)
        assert len(links((await eventually_told(world, person.email, 2))[1])) == 2


async def test_a_change_and_whether_its_device_was_confirmed_are_kept_for_the_horizon(world: World) -> None:
    """The owner's registration device is, a thief's is not; a login is no change."""
    person = await world.register()
    own = await add_email(world, person.access, "b@example.org")
    thief = await break_in(world, person)
    other = await add_email(world, thief.access, "thief@example.org")

    kept = await rows(world, "SELECT kind, subject, confirmed FROM changes ORDER BY confirmed DESC")
    assert [tuple(row.values()) for row in kept] == [("email_added", own, 1), ("email_added", other, 0)]


@pytest.mark.parametrize("origin", ["", "https://chat.example.org,https://other.example.org"])
async def test_links_are_of_the_configured_origin_alone(worlds: Worlds, origin: str) -> None:
    """Whatever the request's Host says; without one there are none."""
    async with worlds(PUBLIC_ORIGIN=origin) as world:
        person = await world.register()
        body = {"identifier": person.name, "password": "cangrejo sin reloj"}
        assert (await world.post("/login", body, headers={"Host": "evil.example"})).status == 200

        said = (await told(world, person.email))[-1]
        assert "evil" not in said
        assert ("https://chat.example.org/undo.html#" in said) == bool(origin)
        assert ("http" in said) == bool(origin)


async def test_nobody_can_write_into_a_warning(world: World) -> None:
    """A device's name comes from whoever holds the device."""
    person = await world.register()
    answer = await world.log_in(person, device=False, headers={"User-Agent": "call +1 900 555 now http://evil.example"})
    assert answer.status == 200

    assert "evil" not in (await told(world, person.email))[-1]


async def test_a_lost_contact_is_told_nothing_more(world: World) -> None:
    """Neither what had gathered for it."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    await grow_old(world, person)
    await world.enrol(person)
    token = await grow_old_with_code(world, person)
    contact = await contact_of(world, token, "b@example.org")
    before = await told(world, "b@example.org")
    lost = await world.post(f"/me/emails/{contact}/lost", {}, token=token)

    assert (lost.status, lost.body["effective_ms"]) == (200, int(world.clock() * 1000))
    assert await told(world, "b@example.org") == before
    assert "being removed" in (await told(world, person.email))[-1]
