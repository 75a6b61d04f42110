"""auth_service.leaving, exporting and banned_contacts: taking one's data along, going, and what stays."""

from __future__ import annotations

import sqlite3

from garita_common.core import bans
from tests.integration.auth_service.conftest import PASSWORD, World, Worlds, eventually
from tests.integration.auth_service.office import ban, events, lift
from tests.integration.auth_service.owners import (
    DAY_S,
    add_email,
    break_in,
    eventually_told,
    fresh,
    links,
    log_in_again,
    told,
    undo,
)
from tests.integration.auth_service.rescue import begin


async def is_gone(world: World, user: str) -> bool:
    """Whether nothing of an account is left."""
    with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
        return db.execute("SELECT count(*) FROM users WHERE id = ?", (user,)).fetchone() == (0,)


async def test_abuse_50_a_thief_deletes_the_account_and_an_old_contact_takes_it_back(world: World) -> None:
    """For 14 days nothing is gone; everybody is told at once and again after a week; the link works, and so does the one of the second week."""
    owner = await world.register("ana")
    second = "second@example.org"
    await add_email(world, owner.access, second)
    world.clock.pass_s(31 * DAY_S)
    thief = await break_in(world, owner)
    asked = await world.ask("DELETE", "/me", token=thief.access)
    assert (asked.status, asked.body["deletes_ms"]) == (202, int(world.clock() * 1000) + 14 * DAY_S * 1000)
    again = await world.ask("DELETE", "/me", token=thief.access)
    assert (again.status, again.body["reason"]) == (409, "deleting")
    pending = (await world.get("/me/pending-changes", token=thief.access)).body["changes"]
    assert ("deletion", asked.body["deletes_ms"]) in [(one["kind"], one["effective_ms"]) for one in pending]
    for contact in (owner.email, second):
        assert any("going to be deleted" in text for text in await told(world, contact))

    world.clock.pass_s(8 * DAY_S)
    since_ms = int(world.clock() * 1000)

    async def is_told_again() -> bool:
        return any("going to be deleted" in text for text in await told(world, second, since_ms - 1000))

    await eventually(is_told_again)
    text = next(text for text in reversed(await told(world, second)) if "going to be deleted" in text)
    world.clock.pass_s(5 * DAY_S)
    await undo(world, links(text)[-1])
    world.clock.pass_s(2 * DAY_S)
    back = await log_in_again(world, owner)
    changes = (await world.get("/me/pending-changes", token=back)).body["changes"]
    assert "deletion" not in [change["kind"] for change in changes]
    assert not await is_gone(world, owner.id)
    assert "account_kept" in [
        one["kind"] for one in (await world.get("/me/security-events", token=back)).body["events"]
    ]


async def test_an_account_is_deleted_after_its_grace(worlds: Worlds) -> None:
    """Sessions end, nobody logs in, the address is free, the name is not for 30 days; the audit log stays."""
    async with worlds() as world:
        ana = await world.register("ana")
        asked = await world.ask("DELETE", "/me", token=ana.access)
        assert asked.status == 202
        world.clock.pass_s(14 * DAY_S - 60)
        token = await log_in_again(world, ana)
        assert (await world.get("/me", token=token)).status == 200
        world.clock.pass_s(61)

        async def gone() -> bool:
            return await is_gone(world, ana.id)

        await eventually(gone)
        assert (await world.get("/me", token=token)).code == "token_invalid"
        assert (await world.refresh(ana.tokens["refresh_token"], ana.device)).code == "session_ended"
        assert (await world.log_in(ana)).code == "invalid_credentials"
        assert ana.tokens["session_id"] in {row.sid for row in await world.revoked()}
        assert "account.deleted" in events(world)
        assert (await world.inside("/operator/audit/verify", {})).body["intact"]

        started = await world.start(email=ana.email)
        flow = started.body["flow_id"]
        shown = {"flow_secret": started.body["flow_secret"], "code": await world.code_for(ana.email)}
        ticket = (await world.post(f"/registrations/{flow}/verify", shown)).body["registration_ticket"]
        body = {"ticket": ticket, "username": "Ana"}
        assert (await world.post(f"/registrations/{flow}/complete", body)).code == "username_taken"
        assert (await world.post(f"/registrations/{flow}/complete", body | {"username": "bea"})).status == 201


async def test_a_session_and_a_recovery_take_a_deletion_back(world: World) -> None:
    """The first with a fresh proof; after the second nothing is deleted or exported for three days."""
    ana = await world.register("ana")
    await world.ask("DELETE", "/me", token=ana.access)
    world.clock.pass_s(301)
    token = (await world.refresh(ana.tokens["refresh_token"], ana.device)).body
    ana.tokens |= token
    assert (await world.ask("DELETE", f"/me/pending-changes/{ana.id}", token=ana.access)).code == "step_up_required"
    token = await fresh(world, ana)
    assert (await world.ask("DELETE", f"/me/pending-changes/{ana.id}", token=token)).status == 204
    assert (await world.ask("DELETE", f"/me/pending-changes/{ana.id}", token=token)).code == "conflict"

    assert (await world.ask("DELETE", "/me", token=token)).status == 202
    rescue = await begin(world, "ana", device=ana.device)
    await rescue.prove("email", ana.email)
    await rescue.done()
    world.clock.pass_s(DAY_S + 1)
    await rescue.prove("email", ana.email)
    assert (await rescue.complete("otro cangrejo sin reloj")).status == 204
    back = (await world.log_in(ana, "otro cangrejo sin reloj", device=False)).body["tokens"]["access_token"]
    assert (await world.get("/me/pending-changes", token=back)).body == {"changes": []}
    for method, path, body in (("DELETE", "/me", None), ("POST", "/me/export", {}), ("GET", "/me/export", None)):
        assert (await world.ask(method, path, body, token=back)).body["reason"] == "guarded"


async def test_the_export_has_all_but_what_proves_the_account(world: World) -> None:
    """Once a day, told to everybody, with a fresh proof, and no secret, hash or seed in it."""
    ana = await world.register("ana")
    await world.enrol(ana)
    world.clock.pass_s(271)  # the token is still good, the proof of the registration is not
    assert (await world.post("/me/export", {}, token=ana.access)).code == "step_up_required"
    proof = {"method": "totp", "code": world.totp(ana)}
    token = (await world.post("/step-up", proof, token=ana.access)).body["access_token"]
    assert (await world.get("/me/export", token=token)).status == 404
    assert (await world.post("/me/export", {}, token=token)).status == 202
    assert (await world.post("/me/export", {}, token=token)).status == 429

    async def is_there() -> bool:
        return (await world.get("/me/export", token=token)).status == 200

    await eventually(is_there)
    got = await world.get("/me/export", token=token)
    assert got.body["account"]["username"] == "ana"
    assert [contact["value"] for contact in got.body["contacts"]] == [ana.email]
    assert {row["event"] for row in got.body["log"]} >= {"register.completed"}
    for part in ("devices", "sessions", "totp", "events"):
        assert got.body[part], part
    schema = (await world.get("/openapi.json")).body["components"]["schemas"]["Exported"]
    assert set(got.body) == set(schema["required"])
    for secret in (b"hash", b"seed", b"secret_mark", b"$argon2", ana.device.encode()):
        assert secret not in got.raw
    assert any("exported" in text for text in await eventually_told(world, ana.email, 1))
    world.clock.pass_s(DAY_S)
    again = (await world.post("/login", {"identifier": "ana", "password": PASSWORD})).body["mfa_ticket"]
    done = await world.post("/login/mfa", {"mfa_ticket": again, "method": "totp", "code": world.totp(ana)})
    assert (await world.get("/me/export", token=done.body["tokens"]["access_token"])).status == 404


async def test_abuse_63_who_is_banned_does_not_register_anew(world: World) -> None:
    """Not with a proved contact of the account, nor after deleting it, until the ban ends."""
    ana = await world.register("ana")
    await world.ask("DELETE", "/me", token=ana.access)
    subject = bans.user_subject(ana.id)
    await ban(world, subject, minutes=20 * 24 * 60)

    def marked() -> bool:
        with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM banned_contacts").fetchone() == (1,)

    await eventually(marked)
    world.clock.pass_s(14 * DAY_S + 1)

    async def gone() -> bool:
        return await is_gone(world, ana.id)

    await eventually(gone)
    before = int(world.clock() * 1000)
    started = await world.start(email=ana.email)
    assert started.status == 202
    said = [one["text"] for one in await world.outbox() if one["to"] == ana.email and one["at"] >= before]
    assert sum("banned until" in text for text in said) == 1
    assert not any("code to register" in text for text in said)

    world.clock.pass_s(6 * DAY_S)
    await eventually(lambda: not marked())
    started = await world.start(email=ana.email)
    shown = {"flow_secret": started.body["flow_secret"], "code": await world.code_for(ana.email)}
    path = f"/registrations/{started.body['flow_id']}"
    ticket = (await world.post(f"{path}/verify", shown)).body["registration_ticket"]
    assert (await world.post(f"{path}/complete", {"ticket": ticket, "username": "ana-2"})).status == 201


async def test_a_lifted_ban_frees_its_contacts(world: World) -> None:
    """And a registration that was under way when its contact's owner was banned is refused at its end."""
    started = await world.start(email="ana@example.org")
    path = f"/registrations/{started.body['flow_id']}"
    shown = {"flow_secret": started.body["flow_secret"], "code": await world.code_for("ana@example.org")}
    ticket = (await world.post(f"{path}/verify", shown)).body["registration_ticket"]
    ana = await world.register("ana")
    await add_email(world, ana.access, "ana@example.org")
    subject = bans.user_subject(ana.id)
    await ban(world, subject)

    def marked() -> bool:
        with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM banned_contacts").fetchone() == (2,)

    await eventually(marked)
    body = {"ticket": ticket, "username": "ana-2"}
    refused = await world.post(f"{path}/complete", body)
    assert (refused.code, refused.body["reason"]) == ("banned", "Too much.")
    await lift(world, subject)

    def freed() -> bool:
        with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM banned_contacts").fetchone() == (0,)

    await eventually(freed)
