"""auth_service.freezing: what undo links do, and what they do not."""

from __future__ import annotations

import asyncio

from tests.integration.auth_service.conftest import World, Worlds, eventually
from tests.integration.auth_service.owners import (
    DAY_S,
    add_email,
    add_phone,
    break_in,
    contact_of,
    fresh,
    grow_old,
    grow_old_with_code,
    links,
    log_in_again,
    rows,
    states,
    told,
    undo,
)

PHONE = "+34600000001"


async def test_an_addition_is_taken_back(world: World) -> None:
    """It ends now, and its link cannot be used again."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    token = links((await told(world, person.email))[-1])[0]

    await undo(world, token)
    assert "b@example.org" not in await living(world, person.access)
    world.clock.pass_s(61)
    await add_email(world, person.access, "b@example.org")
    await undo(world, token)
    assert "b@example.org" in await living(world, person.access)


async def living(world: World, token: str) -> list[str]:
    """The addresses that have any rights."""
    return [value for value, state in (await states(world, token)).items() if state != "retired"]


async def test_a_removal_is_taken_back_within_its_week(world: World) -> None:
    """Not later: then adding it again is the way."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    contact = await contact_of(world, person.access, person.email)
    for wait_s, state in ((7 * DAY_S - 1, "mature"), (7 * DAY_S, "retiring")):
        token = await log_in_again(world, person)
        assert (await world.ask("DELETE", f"/me/emails/{contact}", token=token)).status == 202
        link = links((await told(world, person.email))[-1])[0]
        world.clock.pass_s(wait_s)
        await undo(world, link)
        assert (await states(world, await log_in_again(world, person)))[person.email] == state


async def test_a_new_device_is_sent_off(world: World) -> None:
    """Its session ends, and its secret is nobody's any more."""
    person = await world.register()
    thief = await break_in(world, person)
    await undo(world, links((await told(world, person.email))[-1])[0])

    assert (await world.get("/me", token=thief.access)).code == "token_invalid"
    assert (await world.get("/me", token=person.access)).status == 200
    again = await world.log_in(thief)
    assert again.body["tokens"]["device"] != thief.device


async def test_a_text_has_one_link_for_all_it_tells_of(world: World) -> None:
    """Two additions that were told together go together."""
    person = await world.register()
    await add_phone(world, person.access, PHONE)
    await grow_old(world, person)
    thief = await break_in(world, person)
    for number in range(3):
        await add_email(world, thief.access, f"thief{number}@example.org")
    world.clock.pass_s(600)
    await eventually_merged(world)
    assert "1 more such events" in (await told(world, PHONE))[-1]

    await undo(world, links((await told(world, PHONE))[-1])[0])
    token = await log_in_again(world, person)
    assert sorted(await living(world, token)) == sorted([person.email, "thief0@example.org"])


async def eventually_merged(world: World) -> None:
    """Waits until nothing gathers any more."""

    async def done() -> bool:
        return await rows(world, "SELECT 1 FROM paces WHERE gathered = 1") == []

    await eventually(done)


async def test_of_two_uses_at_once_one_counts(world: World) -> None:
    """One freeze, one dispute."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    token = links((await told(world, person.email))[-1])[0]
    async with asyncio.TaskGroup() as tasks:
        for _ in range(5):
            tasks.create_task(undo(world, token, "not_me"))

    assert len(await rows(world, "SELECT 1 FROM disputes")) == 1
    assert len(await rows(world, "SELECT 1 FROM freezes")) == 1


async def test_a_contact_freezes_once_in_thirty_days(world: World) -> None:
    """The second time only what the event made ends."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    await undo(world, links((await told(world, person.email))[-1])[0], "not_me")
    assert (await world.log_in(person)).code == "invalid_credentials"
    world.clock.pass_s(3 * DAY_S)

    token = await log_in_again(world, person)
    await add_email(world, token, "c@example.org")
    await undo(world, links((await told(world, person.email))[-1])[0], "not_me")
    assert "c@example.org" not in await living(world, token)
    assert len(await rows(world, "SELECT 1 FROM disputes")) == 2
    world.clock.pass_s(27 * DAY_S)
    token = await log_in_again(world, person)
    await add_email(world, token, "d@example.org")
    await undo(world, links((await told(world, person.email))[-1])[0], "not_me")
    assert (await world.get("/me", token=token)).code == "token_invalid"


async def test_a_session_that_proves_itself_ends_a_freeze(world: World) -> None:
    """With a mature second factor on a mature device; a password is not enough."""
    person = await world.register()
    await world.enrol(person)
    token = await grow_old_with_code(world, person)
    await add_email(world, token, "b@example.org")
    await undo(world, links((await told(world, person.email))[-1])[0], "not_me")
    token = await fresh(world, person)
    assert (await world.post("/me/emails", {"email": "c@example.org"}, token=token)).code in (
        "conflict",
        "step_up_required",
    )
    assert "frozen_until_ms" in (await world.get("/me/security-events", token=token)).body

    world.clock.pass_s(30)
    proof = {"method": "totp", "code": world.totp(person)}
    token = (await world.post("/step-up", proof, token=token)).body["access_token"]
    assert "frozen_until_ms" not in (await world.get("/me/security-events", token=token)).body
    assert (await world.post("/me/emails", {"email": "d@example.org"}, token=token)).status == 202


async def test_a_contact_without_rights_has_no_say(world: World) -> None:
    """The link went out before it was lost."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    await grow_old(world, person)
    await world.enrol(person)
    token = await grow_old_with_code(world, person)
    old = await contact_of(world, token, person.email)
    await add_email(world, token, "c@example.org")
    link = links((await told(world, person.email))[-1])[0]
    assert (await world.post(f"/me/emails/{old}/lost", {}, token=token)).status == 200

    await undo(world, link, "not_me")
    assert (await world.get("/me", token=token)).status == 200
    assert (await states(world, token))["c@example.org"] == "probation"


async def test_unknown_links_are_bounded_and_good_ones_are_not(worlds: Worlds) -> None:
    """A neighbour who tries ten does not use up the owner's click."""
    async with worlds(GARITA_LOOPBACK="public") as world:
        person = await world.register()
        await add_email(world, person.access, "b@example.org")
        good = links((await told(world, person.email))[-1])[0]
        for number in range(10):
            await undo(world, "a" * 63 + "bcdefghijk"[number])

        refused = await world.post("/undo", {"token": "b" * 64, "action": "cancel"})
        assert refused.code == "rate_limited"
        await undo(world, good)
        assert "b@example.org" not in await living(world, person.access)


async def test_what_is_no_token_is_refused(world: World) -> None:
    """By its form alone."""
    for token in ("", "a" * 63, "A" * 64, "a" * 65, "0" * 64):
        assert (await world.post("/undo", {"token": token, "action": "cancel"})).code == "invalid_request"
    assert (await world.post("/undo", {"token": "a" * 64, "action": "burn"})).code == "invalid_request"
