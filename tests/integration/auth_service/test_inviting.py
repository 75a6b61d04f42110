"""auth_service.inviting and auth_service.granting: an invite instead of a contact, and who becomes an administrator."""

from __future__ import annotations

import sqlite3
from typing import Any

import aiohttp

from tests.integration.auth_service.conftest import OPERATOR_TOKEN, PASSWORD, Answer, Person, World, Worlds
from tests.integration.auth_service.owners import DAY_S


async def invite(world: World) -> str:
    """As `garita admin invite` asks for one."""
    made = await world.inside("/operator/invites", {})
    assert made.status == 200, made
    ticket: str = made.body["invite"]
    return ticket


async def begin(world: World, ticket: str) -> Answer:
    """POST /registrations with an invite."""
    body = {"password": PASSWORD, "captcha": await world.proof("register"), "invite": ticket}
    return await world.post("/registrations", body)


async def complete(world: World, begun: Answer, name: str) -> Answer:
    """POST …/complete"""
    body = {"ticket": begun.body["registration_ticket"], "username": name}
    return await world.post(f"/registrations/{begun.body['flow_id']}/complete", body)


async def join(world: World, name: str) -> Person:
    """An account by a new invite."""
    done = await complete(world, await begin(world, await invite(world)), name)
    assert done.status == 201, done
    return Person(name, "", done.body["user"]["id"], done.body["tokens"])


def audited(world: World) -> list[tuple[str, str]]:
    """Event and subject of every row of the audit log, oldest first."""
    with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
        return db.execute("SELECT event, subject FROM audit ORDER BY seq").fetchall()


async def grant(world: World, named: str) -> Answer:
    """As `garita admin grant` asks."""
    return await world.inside("/operator/admins/grant", {"user": named})


async def test_an_invite_makes_an_account_with_codes_and_no_contact(worlds: Worlds) -> None:
    """Also where nothing is sent and registration is closed. The codes count at once: one of them begins a recovery that waits a day, as 70 points do."""
    async with worlds(GARITA_MODE="production") as world:
        begun = await begin(world, await invite(world))
        assert begun.status == 200
        done = await complete(world, begun, "ana")

        assert done.status == 201
        assert len(done.body["recovery_codes"]) == 10
        assert "email" not in done.body["user"] and done.body["user"]["recovery_codes"] == 10
        world.clock.pass_s(1)  # what was made in the same millisecond would not be older than the login of a new device
        assert (await world.post("/login", {"identifier": "ana", "password": PASSWORD})).status == 200
        asked = {"identifier": "ana", "captcha": await world.proof("recover")}
        flow = (await world.post("/recoveries", asked)).body
        shown = {"flow_secret": flow["flow_secret"], "kind": "recovery_code", "value": done.body["recovery_codes"][0]}
        path = f"/recoveries/{flow['flow_id']}"
        assert (await world.post(f"{path}/evidence", shown)).status == 202
        assert (
            await world.post(f"{path}/evidence", {"flow_secret": flow["flow_secret"], "kind": "done"})
        ).status == 202
        state = await world.get(path, headers={"X-Flow-Secret": flow["flow_secret"]})
        assert state.body["not_before_ms"] == int(world.clock() * 1000) + DAY_S * 1000
        events = [event for event, _ in audited(world)]
        assert [name for name in events if name.split(".")[0] in {"invite", "register"}] == [
            "invite.made",
            "register.started",
            "invite.used",
            "register.completed",
        ]


async def test_a_registration_that_is_given_up_costs_no_invite(world: World) -> None:
    """It is used up by the account; a taken name is asked again; with a contact it is not taken."""
    ticket = await invite(world)
    await begin(world, ticket)
    person = await world.register("bea")
    begun = await begin(world, ticket)
    assert (await complete(world, begun, person.name)).code == "username_taken"
    assert (await complete(world, begun, "carla")).status == 201
    body = {"password": PASSWORD, "captcha": await world.proof("register"), "invite": ticket, "email": "x@example.org"}
    assert (await world.post("/registrations", body)).code == "invalid_request"


async def test_an_invite_lapses(world: World) -> None:
    """After a week, also for a registration that has begun with it."""
    ticket = await invite(world)
    world.clock.pass_s(7 * DAY_S - 60)
    begun = await begin(world, ticket)
    world.clock.pass_s(61)
    assert (await complete(world, begun, "ana")).code == "flow_gone"
    assert (await begin(world, ticket)).code == "code_invalid"


async def test_abuse_64_nobody_becomes_an_administrator_by_a_network(worlds: Worlds) -> None:
    """Roles and invites are for this host alone: not on the public listener, not for a user's token, not for another address that has the operator's token;
    what a stranger sends is no role; and an invite works once.
    """
    async with worlds() as world:
        ticket = await invite(world)
        first, second = await begin(world, ticket), await begin(world, ticket)
        done = await complete(world, first, "ana")
        assert (done.status, done.body["user"]["roles"]) == (201, [])
        assert (await complete(world, second, "bea")).code == "flow_gone"
        assert (await begin(world, ticket)).code == "code_invalid"

        access = done.body["tokens"]["access_token"]
        for path in ("/operator/admins/grant", "/operator/admins/withdraw", "/operator/invites"):
            body: dict[str, Any] = {} if path.endswith("invites") else {"user": "ana"}
            assert (await world.post(path, body, token=access, absolute=True)).status == 404
            assert (await world.post(path, body, token=OPERATOR_TOKEN, absolute=True)).status == 404
            assert (await world.inside(path, body, access)).status == 401
            assert await from_elsewhere(world, path, body) == 404
        with_role = {"password": PASSWORD, "captcha": await world.proof("register"), "email": "c@example.org"}
        assert (await world.post("/registrations", with_role | {"roles": ["admin"]})).code == "invalid_request"
        assert (await world.get("/me", token=access)).body["roles"] == []


async def from_elsewhere(world: World, path: str, body: Any) -> int:
    """The status that somebody at another address gets, who has the operator's token."""
    connector = aiohttp.TCPConnector(local_addr=("127.0.0.2", 0))
    headers = {"Authorization": f"Bearer {OPERATOR_TOKEN}"}
    async with aiohttp.ClientSession(connector=connector) as http:
        async with http.post(world.inner + path, json=body, headers=headers) as answer:
            return answer.status


async def test_abuse_64_a_second_grant_asks_for_a_mature_factor(world: World) -> None:
    """The first is to whoever the operator names; the next one to an account whose TOTP counts, which a fresh one does not."""
    ana, bea = await join(world, "ana"), await world.register("bea")
    assert (await grant(world, "nobody")).status == 404
    assert (await grant(world, "ana")).body == {"user": ana.id, "username": "ana"}
    assert (await world.get("/me", token=ana.access)).body["roles"] == ["admin"]
    assert (await grant(world, ana.id)).status == 200
    events = (await world.get("/me/security-events", token=ana.access)).body["events"]
    assert "role_changed" in [event["kind"] for event in events]

    assert (await grant(world, "bea")).status == 409
    await world.enrol(bea)
    assert (await grant(world, "bea")).status == 409
    world.clock.pass_s(31 * DAY_S)
    assert (await grant(world, "Bea")).status == 200
    assert (await world.inside("/operator/admins/withdraw", {"user": "bea"})).status == 200
    assert (await world.inside("/operator/admins/withdraw", {"user": "bea"})).status == 404
    assert [row for row in audited(world) if row[0].startswith("admin.")] == [
        ("admin.granted", ana.id),
        ("admin.granted", bea.id),
        ("admin.revoked", bea.id),
    ]
