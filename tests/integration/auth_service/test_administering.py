"""auth_service.administering and admin_routes: what administrators may do, and who is one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.auth_service.conftest import Person, World, eventually
from tests.integration.auth_service.office import administrator, audited, console, console_token, events, prove
from tests.integration.auth_service.owners import told
from tests.integration.auth_service.rescue import grown


async def office(world: World, token: str, method: str, path: str, body: Any = None) -> Any:
    """A request to the listener of administrators."""
    return await world.ask(method, f"/admin{path}", body, token=token, office=True)


async def test_an_account_is_locked_and_unlocked(world: World) -> None:
    """Its sessions end, its tokens are over, a right password looks wrong; its owner is told; unlocked it is as before."""
    jefa, ana = await administrator(world), await world.register("ana")
    token = await console_token(world, jefa)
    assert (await office(world, token, "POST", "/users/ana/lock", {})).status == 204
    assert (await world.get("/me", token=ana.access)).code == "token_invalid"
    assert (await world.refresh(ana.tokens["refresh_token"], ana.device)).code == "session_ended"
    right, wrong = await world.log_in(ana), await world.log_in(ana, "another wrong one")
    assert (right.status, right.raw) == (401, wrong.raw)
    assert {row.sid for row in await world.revoked()} == {ana.tokens["session_id"]}
    shown = (await office(world, token, "GET", f"/users/{ana.id}")).body
    assert (shown["username"], shown["locked"], shown["sessions"]) == ("ana", True, 0)
    assert "email" not in shown
    assert any("locked" in text for text in await told(world, ana.email))
    assert (await office(world, token, "POST", "/users/ana/lock", {})).status == 409

    assert (await office(world, token, "POST", "/users/ana/unlock", {})).status == 204
    assert (await world.log_in(ana)).status == 200
    found = [(row["event"], row["actor"], row["subject"]) for row in audited(world) if "locked" in row["event"]]
    assert ("admin.locked", jefa.id, ana.id) in found and ("admin.unlocked", jefa.id, ana.id) in found


async def test_sessions_of_an_account_are_ended(world: World) -> None:
    """All of them; nobody by that name is not found; one's own account is not locked by oneself."""
    jefa, ana = await administrator(world), await world.register("ana")
    token = await console_token(world, jefa)
    assert (await office(world, token, "POST", f"/users/{ana.id}/end-sessions", {})).body == {"ended": 1}
    assert (await world.get("/me", token=ana.access)).status == 401
    assert (await office(world, token, "POST", "/users/nobody/lock", {})).status == 404
    assert (await office(world, token, "POST", "/users/jefa/lock", {})).body["reason"] == "own"


async def test_abuse_64_the_console_wants_a_code_of_the_last_five_minutes(world: World) -> None:
    """At the issue of its token and at each use; and the role, which is looked up each time."""
    jefa = await administrator(world)
    token = await console_token(world, jefa)
    world.clock.pass_s(290)
    assert (await office(world, token, "GET", "/users/jefa")).status == 200
    world.clock.pass_s(11)  # the token itself is good for half a minute more
    assert (await office(world, token, "GET", "/users/jefa")).code == "step_up_required"
    assert (await console(world, jefa)).code == "step_up_required"

    jefa.tokens |= (await world.refresh(jefa.tokens["refresh_token"], jefa.device)).body
    await prove(world, jefa)
    token = await console_token(world, jefa)
    assert (await office(world, token, "GET", "/users/jefa")).status == 200
    await world.inside("/operator/admins/withdraw", {"user": "jefa"})
    assert (await office(world, token, "GET", "/users/jefa")).code == "step_up_required"
    assert (await console(world, jefa)).code == "step_up_required"


@pytest.mark.parametrize("audience", ["auth", "chat"])
async def test_abuse_69_another_audience_opens_no_office(world: World, audience: str) -> None:
    """And a console token opens nothing else; what is on one listener is not on the other."""
    jefa = await administrator(world)
    token = await console_token(world, jefa)
    answer = await world.refresh(jefa.tokens["refresh_token"], jefa.device, audience)
    for method, path in (("GET", "/users/jefa"), ("POST", "/users/jefa/lock"), ("GET", "/appeals"), ("GET", "/audit")):
        body: Any = {} if method == "POST" else None
        refused = await office(world, answer.body["access_token"], method, path, body)
        assert (refused.status, refused.code) == (401, "token_invalid")
        assert (await world.ask(method, f"/admin{path}", body, token=token)).status == 404
    assert (await world.get("/me", token=token)).code == "token_invalid"
    assert (await world.ask("GET", "/me", token=answer.body["access_token"], office=True)).status == 404


async def test_abuse_64_a_recovery_by_an_administrator_has_no_more_points(world: World) -> None:
    """It begins where the owner's starts of the day are used up, and a mailbox alone waits 14 days, as for anybody who has not the owner's device; the owner is told."""
    ana = await grown(world)
    jefa = await administrator(world)
    token = await console_token(world, jefa)
    for _ in range(4):
        asked = {"identifier": ana.name, "captcha": await world.proof("recover")}
        assert (await world.post("/recoveries", asked)).status == 202
    assert (await office(world, token, "POST", "/users/nobody/recoveries", {})).status == 404
    begun = await office(world, token, "POST", f"/users/{ana.name}/recoveries", {})
    assert begun.status == 201
    secret, path = begun.body["flow_secret"], f"/recoveries/{begun.body['flow_id']}"
    done = {"flow_secret": secret, "kind": "done"}
    assert (await world.post(f"{path}/evidence", done)).status == 202
    assert (await world.get(path, headers={"X-Flow-Secret": secret})).body == {"state": "refused"}

    begun = await office(world, token, "POST", f"/users/{ana.name}/recoveries", {})
    secret, path = begun.body["flow_secret"], f"/recoveries/{begun.body['flow_id']}"
    await world.post(f"{path}/send", {"flow_secret": secret, "channel": "email"})
    code = await _code(world, ana)
    await world.post(f"{path}/evidence", {"flow_secret": secret, "kind": "code", "value": code})
    await world.post(f"{path}/evidence", done | {"flow_secret": secret})
    state = (await world.get(path, headers={"X-Flow-Secret": secret})).body
    assert (state["state"], state["not_before_ms"]) == ("holding", int(world.clock() * 1000) + 14 * 86_400_000)
    assert "admin.recovery_started" in events(world)

    async def is_told() -> bool:
        return any("without its password" in text for text in await told(world, ana.email))

    await eventually(is_told)


async def test_the_audit_log_is_searched(world: World) -> None:
    """By account and event, newest first, a page at a time; who looked is in it."""
    jefa, ana = await administrator(world), await world.register("ana")
    token = await console_token(world, jefa)
    await world.log_in(ana, "wrong wrong wrong")
    found = (await office(world, token, "GET", f"/audit?subject={ana.id}&event=register.completed")).body["rows"]
    assert [(row["event"], row["subject"]) for row in found] == [("register.completed", ana.id)]
    page = (await office(world, token, "GET", "/audit?limit=2")).body
    assert page["rows"][0]["event"] == "admin.audit_read" and len(page["rows"]) == 2
    older = (await office(world, token, "GET", f"/audit?limit=2&before={page['next']}")).body
    assert older["rows"][0]["seq"] == page["next"] - 1
    assert (await office(world, token, "GET", "/audit?limit=some")).code == "invalid_request"
    assert (await office(world, token, "GET", "/audit?subject=' OR 1=1 --")).body == {"rows": []}


async def _code(world: World, person: Person) -> str:
    async def has_come() -> bool:
        return any("get your account back" in one["text"] for one in await world.outbox() if one["to"] == person.email)

    await eventually(has_come)
    return await world.code_for(person.email)
