"""auth_service.own_events: what an owner sees of what happened and of what is pending."""

from __future__ import annotations

from tests.fakes.authenticator import Authenticator
from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.owners import DAY_S, add_email, add_phone, break_in, break_in_with_code, contact_of
from tests.integration.auth_service.test_passkeys import add


async def test_events_are_listed_newest_first_with_their_device(world: World) -> None:
    """And only to their owner."""
    person, other = await world.register(), await world.register()
    own = await add_email(world, person.access, "b@example.org")
    thief = await break_in(world, person)
    added = await add_email(world, thief.access, "thief@example.org")

    listed = (await world.get("/me/security-events", token=person.access)).body["events"]
    seen = {(event["kind"], event["subject"]): event["confirmed"] for event in listed}
    assert seen["email_added", own] is True
    assert seen["email_added", added] is False
    assert [event["at_ms"] for event in listed] == sorted((event["at_ms"] for event in listed), reverse=True)
    assert {event["kind"] for event in listed} == {"email_added", "device_new"}
    assert all("device_label" in event for event in listed)
    assert (await world.get("/me/security-events", token=other.access)).body["events"] == []


async def test_what_is_pending_is_listed_soonest_first(world: World) -> None:
    """A probation and a removal, each with its day; nobody else sees or cancels them."""
    person, other = await world.register(), await world.register()
    new = await add_email(world, person.access, "b@example.org")
    old = await contact_of(world, person.access, person.email)
    assert (await world.ask("DELETE", f"/me/emails/{old}", token=person.access)).status == 202
    now_ms = int(world.clock() * 1000)

    assert (await world.get("/me/pending-changes", token=person.access)).body["changes"] == [
        {"id": new, "kind": "probation", "factor": "email", "effective_ms": now_ms + 30 * DAY_S * 1000},
        {
            "id": old,
            "kind": "removal",
            "factor": "email",
            "effective_ms": now_ms + 37 * DAY_S * 1000,
            "cancel_until_ms": now_ms + 7 * DAY_S * 1000,
        },
    ]
    assert (await world.get("/me/pending-changes", token=other.access)).body["changes"] == []
    assert (await world.ask("DELETE", f"/me/pending-changes/{old}", token=other.access)).code == "not_found"
    assert (await world.ask("DELETE", f"/me/pending-changes/{new}", token=person.access)).code == "conflict"


async def test_every_removal_names_the_same_two_days(world: World) -> None:
    """Whatever is removed can be taken back for 7 days and has its rights for 37: in the answer, in its own list and among what is pending."""
    person = await world.register()
    mail = await add_email(world, person.access, "b@example.org")
    phone = await add_phone(world, person.access, "+34600000001")
    passkey = (await add(world, person, Authenticator())).body["id"]
    device = (await world.get("/me/devices", token=person.access)).body["devices"][0]["id"]
    await world.enrol(person)
    proof = {"method": "totp", "code": world.totp(person)}
    token = (await world.post("/step-up", proof, token=person.access)).body["access_token"]
    told = {}
    for path in (f"emails/{mail}", f"phones/{phone}", f"passkeys/{passkey}", "totp", f"devices/{device}"):
        answer = await world.ask("DELETE", f"/me/{path}", token=token)
        assert answer.status == 202, (path, answer)
        told[answer.body["id"]] = answer.body["effective_ms"], answer.body["cancel_until_ms"]

    now_ms = int(world.clock() * 1000)
    assert set(told.values()) == {(now_ms + 37 * DAY_S * 1000, now_ms + 7 * DAY_S * 1000)}
    token = (await break_in_with_code(world, person)).access  # the device's own sessions have ended
    pending = (await world.get("/me/pending-changes", token=token)).body["changes"]
    removals = {row["id"]: (row["effective_ms"], row["cancel_until_ms"]) for row in pending if row["kind"] == "removal"}
    assert removals == told
    for path, kind in (("emails", "contacts"), ("phones", "contacts"), ("devices", "devices")):
        rows = (await world.get(f"/me/{path}", token=token)).body[kind]
        assert {row["effective_ms"] for row in rows if row["id"] in told} == {now_ms + 37 * DAY_S * 1000}, path
