"""Abuse cases of contacts, warnings and undo links: what a thief does, and what is left to the owner."""

from __future__ import annotations

import pytest

from auth_service.core.recovery.facts import DAY_MS
from auth_service.core.recovery.horizon import horizon_ms
from auth_service.core.recovery.points import Evidence, assess
from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.owners import (
    DAY_S,
    add_email,
    add_phone,
    break_in,
    break_in_with_code,
    contact_of,
    eventually_told,
    facts,
    fresh,
    grow_old,
    links,
    log_in_again,
    rows,
    states,
    stored,
    told,
    undo,
)

P1, P2 = "+34600000001", "+34600000002"


async def points(world: World, user: str, *proved: str) -> int:
    """What these factors are worth now."""
    return assess(await facts(world, user), Evidence(frozenset(proved)), int(world.clock() * 1000)).points


async def test_abuse_26_opening_a_link_changes_nothing_and_no_log_holds_its_token(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    """Ten GETs by a mail scanner; then the owner's click still works."""
    person = await world.register()
    thief = await break_in(world, person)
    contact = await add_email(world, thief.access, "thief@example.org")
    token = links((await told(world, person.email))[-1])[0]
    for path in ("/undo", f"/undo?token={token}", f"/undo/{token}") * 10:
        assert (await world.get(path)).status in (404, 405)
    assert await rows(world, "SELECT 1 FROM undo_links WHERE used_ms IS NOT NULL") == []
    assert (await states(world, person.access))["thief@example.org"] == "probation"

    await undo(world, token)
    assert await rows(world, "SELECT 1 FROM contacts WHERE id = ? AND lost = 0", contact) == []
    output = capfd.readouterr()
    assert "undo_used" in output.out
    assert token not in output.out + output.err


@pytest.mark.parametrize("name", ["ana.m", "ANA-M", "Ana_M", "ana.rn\u200b", "\u0430na.m", "ana.m\u0301", "\uff41na.m"])
async def test_abuse_28_look_alikes_of_a_name_are_refused(world: World, name: str) -> None:
    """Case and ASCII look-alikes are taken, other alphabets and what cannot be seen are no names at all."""
    await world.register("Ana.M")
    started = await world.start(email="new@example.org")
    flow = started.body["flow_id"]
    body = {"flow_secret": started.body["flow_secret"], "code": await world.code_for("new@example.org")}
    ticket = (await world.post(f"/registrations/{flow}/verify", body)).body["registration_ticket"]

    answer = await world.post(f"/registrations/{flow}/complete", {"ticket": ticket, "username": name})
    assert answer.code == ("username_taken" if name.isascii() else "invalid_request")


async def test_abuse_28_look_alikes_of_an_address_are_the_same_or_none(world: World) -> None:
    """Another case is the same contact; another alphabet, and what cannot be seen, is no address."""
    person = await world.register()
    contact = await add_email(world, person.access, "ana@example.org")
    world.clock.pass_s(61)

    again = await world.post("/me/emails", {"email": "ANA@Example.ORG"}, token=person.access)
    assert again.body["id"] == contact
    for address in ("\u0430na@example.org", "an\u200ba@example.org", "ana\u202e@example.org"):
        assert (await world.post("/me/emails", {"email": address}, token=person.access)).code == "invalid_request"
    before = await world.outbox()
    started = await world.start(email="Ana@EXAMPLE.org")
    assert started.status == 202
    assert "already has an account" in (await world.newer(before))[0]["text"]


async def test_abuse_34_a_thief_who_replaces_contacts_gains_nothing_and_takes_nothing(world: World) -> None:
    """P1 and the old mail are told of each step and count until day 37; P2 counts for nothing for 30 days."""
    person = await world.register()
    phone = await add_phone(world, person.access, P1)
    token = await grow_old(world, person)
    mail = await contact_of(world, token, person.email)
    thief = await break_in(world, person)
    since_ms = int(world.clock() * 1000)
    phone2 = await add_phone(world, thief.access, P2)
    assert (await world.ask("DELETE", f"/me/phones/{phone}", token=thief.access)).status == 202
    mail2 = await add_email(world, thief.access, "thief@example.org")
    assert (await world.ask("DELETE", f"/me/emails/{mail}", token=thief.access)).status == 202

    mails = await told(world, person.email, since_ms)
    assert [any(said in text for text in mails) for said in
            ("new device", "number was added", "number is being removed", "address was added", "address is being removed")] == [True] * 5  # fmt: skip
    assert all(links(text) for text in mails)
    assert len(await told(world, P1, since_ms)) == 4
    assert await told(world, P2) == []
    assert await told(world, "thief@example.org") == []
    assert await points(world, person.id, phone, mail) == 100
    world.clock.pass_s(29 * DAY_S)
    assert await points(world, person.id, phone2, mail2) == 0
    assert await points(world, person.id, phone, mail) == 100
    world.clock.pass_s(8 * DAY_S - 1)
    assert await points(world, person.id, phone, mail) == 100
    world.clock.pass_s(1)
    assert await points(world, person.id, phone, mail) == 0


async def test_abuse_39_a_recycled_number_loses_its_power(world: World) -> None:
    """Unconfirmed for a year when somebody else proves it: worth nothing, and its owner is told."""
    ana, eva = await world.register(), await world.register()
    phone = await add_phone(world, ana.access, P1)
    await grow_old(world, ana, 366)
    assert await points(world, ana.id, phone) == 60

    await add_phone(world, await log_in_again(world, eva), P1)

    assert await points(world, ana.id, phone) == 0
    assert (await stored(world, ana.access, P1, "phones"))["suspect"] is True
    assert "does not count any more" in (await told(world, ana.email))[-1]


async def test_abuse_39_a_number_that_was_confirmed_lately_is_asked_for(world: World) -> None:
    """It counts on until its owner says "not mine"; whoever only knows the password cannot say it."""
    ana, eva = await world.register(), await world.register()
    phone = await add_phone(world, ana.access, P1)
    await grow_old(world, ana, 360)
    assert (await world.post(f"/me/phones/{phone}/not-mine", {}, token=ana.access)).code == "not_found"
    await add_phone(world, await log_in_again(world, eva), P1)
    assert (await stored(world, await log_in_again(world, ana), P1, "phones"))["asked"] is True
    assert "proved by another account" in (await told(world, ana.email))[-1]
    assert await points(world, ana.id, phone) == 60

    thief = await break_in(world, ana)
    assert (await world.post(f"/me/phones/{phone}/not-mine", {}, token=thief.access)).code == "step_up_required"
    assert await points(world, ana.id, phone) == 60
    assert (await world.post(f"/me/phones/{phone}/not-mine", {}, token=ana.access)).status == 204
    assert await points(world, ana.id, phone) == 0


async def test_abuse_39_one_number_recovers_two_accounts(world: World) -> None:
    """The third that proves it gets no recovery by it."""
    people = [await world.register() for _ in range(3)]
    for person in people:
        await add_phone(world, person.access, P1)
        world.clock.pass_s(61)
    world.clock.pass_s(31 * DAY_S)

    worth = [await points(world, person.id, await contact_of(world, await log_in_again(world, person), P1, "phones"))
             for person in people]  # fmt: skip
    assert worth == [60, 60, 0]


async def test_abuse_46_a_link_freezes_and_gives_nothing(world: World) -> None:
    """Sessions end but not on a mature device, nobody gets a new one, and after three days it is over."""
    person = await world.register()
    await grow_old(world, person)
    thief = await break_in(world, person)
    await add_email(world, thief.access, "thief@example.org")
    token = links((await told(world, person.email))[-1])[0]

    answer = await world.post("/undo", {"token": token, "action": "not_me"})
    assert (answer.body, answer.cookies) == ({"received": True}, {})
    assert (await world.get("/me", token=thief.access)).code == "token_invalid"
    assert (await world.refresh(thief.tokens["refresh_token"], thief.device)).code == "session_ended"
    assert (await world.get("/me", token=person.access)).status == 200
    assert (await world.log_in(person, device=False)).code == "invalid_credentials"
    assert (await world.log_in(thief)).code == "invalid_credentials"
    own = await log_in_again(world, person)
    held = await world.post("/me/emails", {"email": "b@example.org"}, token=own)
    assert (held.code, held.body["reason"]) == ("conflict", "frozen")

    for tried in (token, "a" * 64):
        await undo(world, tried, "not_me")
    assert len(await rows(world, "SELECT 1 FROM disputes")) == 1
    world.clock.pass_s(3 * DAY_S)
    assert (await world.log_in(person, device=False)).status == 200
    assert (await world.post("/me/emails", {"email": "b@example.org"}, token=await fresh(world, person))).status == 202


async def test_abuse_46_an_old_link_is_taken_and_does_nothing(world: World) -> None:
    """Ten days are its life."""
    person = await world.register()
    thief = await break_in(world, person)
    await add_email(world, thief.access, "thief@example.org")
    token = links((await told(world, person.email))[-1])[0]
    world.clock.pass_s(10 * DAY_S)

    await undo(world, token, "not_me")
    assert (await states(world, await log_in_again(world, person)))["thief@example.org"] == "probation"
    assert await rows(world, "SELECT 1 FROM freezes") == []


async def test_abuse_46_a_dispute_lapses(world: World) -> None:
    """The horizon goes back to the disputed event for thirty days, and no longer."""
    person = await world.register()
    token = await grow_old(world, person)
    await add_email(world, token, "b@example.org")
    event_ms = int(world.clock() * 1000)
    link = links((await told(world, person.email))[-1])[0]
    world.clock.pass_s(9 * DAY_S)
    await undo(world, link, "not_me")
    opened_ms = int(world.clock() * 1000)
    seen = await facts(world, person.id)

    assert horizon_ms(seen, opened_ms + 30 * DAY_MS - 1) == event_ms
    assert horizon_ms(seen, opened_ms + 30 * DAY_MS) == opened_ms + 30 * DAY_MS


async def test_abuse_58_what_a_thief_removes_on_day_0_still_counts_on_day_36(world: World) -> None:
    """Contacts, codes, the second factor and the device; nothing is "lost or stolen" by his word."""
    person = await world.register()
    phone = await add_phone(world, person.access, P1)
    await world.enrol(person)
    person.tokens |= (
        await world.post("/step-up", {"method": "totp", "code": world.totp(person)}, token=person.access)
    ).body
    assert (await world.post("/me/recovery-codes", {}, token=person.access)).status == 201
    world.clock.pass_s(40 * DAY_S)
    seen = await facts(world, person.id)
    own = {factor.id for factor in seen.factors}
    before = await points(world, person.id, *own)
    assert before == 60 + 40 + 60 + 70

    thief = await break_in_with_code(world, person)
    mail = await contact_of(world, thief.access, person.email)
    await add_email(world, thief.access, "thief@example.org")
    for path in (f"/me/phones/{phone}", f"/me/emails/{mail}"):
        lost = await world.post(f"{path}/lost", {}, token=thief.access)
        assert lost.code == "step_up_required"
    for path in (f"/me/phones/{phone}", f"/me/emails/{mail}", "/me/totp", f"/me/devices/{seen.devices[0].id}"):
        assert (await world.ask("DELETE", path, token=thief.access)).status == 202
    assert (await world.post("/me/recovery-codes", {}, token=thief.access)).status == 201

    world.clock.pass_s(36 * DAY_S)
    assert await points(world, person.id, *own) == before
    since_ms = int(world.clock() * 1000)
    await world.start(email=person.email)
    assert any("already has an account" in text for text in await told(world, person.email, since_ms))
    world.clock.pass_s(2 * DAY_S)
    assert await points(world, person.id, *own) == 0


async def test_abuse_59_two_hundred_changes_are_all_told_and_each_link_works(world: World) -> None:
    """Merged into a few mails; none is dropped."""
    person = await world.register()
    await add_email(world, person.access, "b@example.org")
    mail = await contact_of(world, person.access, person.email)
    before = len(await told(world, person.email))
    for _ in range(100):
        assert (await world.ask("DELETE", f"/me/emails/{mail}", token=person.access)).status == 202
        assert (await world.ask("DELETE", f"/me/pending-changes/{mail}", token=person.access)).status == 204
    assert (await world.ask("DELETE", f"/me/emails/{mail}", token=person.access)).status == 202
    assert len(await told(world, person.email)) - before == 2
    world.clock.pass_s(600)
    mails = await eventually_told(world, person.email, before + 4)

    tokens = [token for text in mails[before:] for token in links(text)]
    assert len(tokens) == len(set(tokens)) == 201
    assert len(await rows(world, "SELECT DISTINCT notice FROM undo_events e JOIN notices n ON n.id = e.notice"
                                 " WHERE n.kind IN ('email_removed', 'removal_cancelled')")) == 201  # fmt: skip
    for token in tokens:
        await undo(world, token)
    assert len(await rows(world, "SELECT 1 FROM undo_links WHERE used_ms IS NOT NULL")) == 201
    assert (await states(world, await log_in_again(world, person)))[person.email] == "mature"
