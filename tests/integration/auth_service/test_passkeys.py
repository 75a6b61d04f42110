"""auth_service.passkeys, .ceremonies and .store_passkeys through the API, with an authenticator in software."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from tests.fakes.authenticator import Authenticator
from tests.integration.auth_service.conftest import Answer, Person, World, Worlds

DAY_S = 86_400


async def add(world: World, person: Person, authenticator: Authenticator, label: str = "phone") -> Answer:
    """Both steps of adding a passkey."""
    options = await world.post("/me/passkeys/options", {}, token=person.access)
    assert options.status == 200, options
    body = {"label": label, "credential": authenticator.make(options.body["options"])}
    return await world.post("/me/passkeys", body, token=person.access)


async def begin(world: World, **body: str) -> dict[str, Any]:
    """The options of a login."""
    answer = await world.post("/passkeys/login/options", body)
    assert answer.status == 200, answer
    found: dict[str, Any] = answer.body
    return found


async def log_in(world: World, authenticator: Authenticator) -> Answer:
    """A whole login by passkey."""
    options = await begin(world)
    body = {"flow_id": options["flow_id"], "credential": authenticator.use(options["options"])}
    return await world.post("/passkeys/login/verify", body)


async def test_a_passkey_is_made_listed_used_renamed_and_removed(world: World) -> None:
    """The options ask for a discoverable one with verification; the owner is told of each change."""
    person, authenticator = await world.register("ana"), Authenticator()
    options = (await world.post("/me/passkeys/options", {}, token=person.access)).body["options"]
    assert options["rp"] == {"name": "Garita", "id": "localhost"}
    assert options["user"]["name"] == "ana"
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["attestation"] == "none"

    added = await add(world, person, authenticator)
    entered = await log_in(world, authenticator)
    access = entered.body["tokens"]["access_token"]
    listed = (await world.get("/me/passkeys", token=access)).body
    renamed = await world.ask("PATCH", f"/me/passkeys/{added.body['id']}", {"label": "key ring"}, token=access)
    removed = await world.ask("DELETE", f"/me/passkeys/{added.body['id']}", token=access)

    assert (added.status, added.body["label"]) == (201, "phone")
    assert entered.status == 200
    assert entered.body["user"]["username"] == "ana"
    assert [one["id"] for one in listed["passkeys"]] == [added.body["id"]]
    assert listed["possible"] is True
    assert listed["passkeys"][0]["used_ms"] == int(world.clock() * 1000)
    assert renamed.status == 204
    assert (removed.status, removed.body["cancel_until_ms"]) == (202, int((world.clock() + 7 * DAY_S) * 1000))
    assert (await world.get("/me/passkeys", token=access)).body["passkeys"] == []
    texts = " ".join(message["text"] for message in await world.outbox())
    assert "A passkey was added" in texts
    assert "A passkey is being removed" in texts


async def test_what_is_being_removed_still_opens_for_a_week(world: World) -> None:
    """And is asked for beside the password so long."""
    person, authenticator = await world.register(), Authenticator()
    added = await add(world, person, authenticator)
    await world.ask("DELETE", f"/me/passkeys/{added.body['id']}", token=person.access)

    world.clock.pass_s(7 * DAY_S - 1)
    assert (await world.log_in(person)).body["methods"] == ["passkey"]
    assert (await log_in(world, authenticator)).status == 200
    world.clock.pass_s(2)
    assert (await log_in(world, authenticator)).status == 401
    assert "tokens" in (await world.log_in(person)).body


async def test_a_passkey_is_the_second_factor_of_a_ticket(world: World) -> None:
    """Its challenge is the ticket's: neither another ticket's nor a login's is taken; a wrong answer uses the challenge up."""
    person, authenticator = await world.register(), Authenticator()
    await add(world, person, authenticator)
    wanted = (await world.log_in(person)).body
    other = (await world.log_in(person)).body["mfa_ticket"]
    ticket = wanted["mfa_ticket"]

    foreign = await begin(world, mfa_ticket=other)
    body = {"mfa_ticket": ticket, "method": "passkey", "credential": authenticator.use(foreign["options"])}
    assert (await world.post("/login/mfa", body)).code == "invalid_code"
    options = await begin(world, mfa_ticket=ticket)
    assert len(options["options"]["allowCredentials"]) == 1
    right = authenticator.use(options["options"])
    assert (await world.post("/login/mfa", body | {"credential": right})).status == 200
    assert (await world.post("/login/mfa", body | {"mfa_ticket": other, "credential": right})).code == "invalid_code"
    assert (await world.post("/passkeys/login/options", {"mfa_ticket": ticket})).code == "invalid_code"


async def test_a_passkey_steps_up(world: World) -> None:
    """In its own session alone; another's passkey does not."""
    person, authenticator = await world.register(), Authenticator()
    thief, own = await world.register(), Authenticator()
    await add(world, person, authenticator)
    await add(world, thief, own)
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]

    options = (await world.post("/step-up/options", {}, token=access)).body["options"]
    strange = {"method": "passkey", "credential": own.use(options)}
    assert (await world.post("/step-up", strange, token=access)).code == "invalid_code"
    options = (await world.post("/step-up/options", {}, token=access)).body["options"]
    body = {"method": "passkey", "credential": authenticator.use(options)}
    stepped = await world.post("/step-up", body, token=access)

    assert stepped.status == 200
    assert (await world.post("/me/totp", {}, token=stepped.body["access_token"])).status == 200
    assert (await world.post("/step-up", body, token=access)).code == "invalid_code", "a challenge is good once"


@pytest.mark.parametrize(
    "flaw",
    [
        {"origin": "http://localhost:8080.evil.example"}, {"origin": "http://evil.example"}, {"origin": "https://localhost:8080"},
        {"rp_id": "evil.example"}, {"verifies": False}, {"framed": True},
    ],
)  # fmt: skip
async def test_what_another_page_or_nobody_confirmed_is_refused(world: World, flaw: dict[str, Any]) -> None:
    """At making one and at using one."""
    person, right = await world.register(), Authenticator()
    assert (await add(world, person, replace(right, **flaw))).code == "code_invalid"
    assert (await add(world, person, right)).status == 201

    assert (await log_in(world, replace(right, **flaw, count=5))).code == "invalid_credentials"
    assert (await log_in(world, replace(right, count=6))).status == 200


async def test_a_challenge_is_of_its_session_once_and_for_five_minutes(world: World) -> None:
    """Another user cannot answer it, nor the same one twice or late."""
    person, other = await world.register(), await world.register()
    options = (await world.post("/me/passkeys/options", {}, token=person.access)).body["options"]
    made = {"credential": Authenticator().make(options)}

    assert (await world.post("/me/passkeys", made, token=other.access)).code == "code_invalid"
    assert (await world.post("/me/passkeys", made, token=person.access)).status == 201
    assert (await world.post("/me/passkeys", made, token=person.access)).code == "code_invalid"
    login = await begin(world)
    assert 290 <= await world.redis.ttl(f"auth:tmp:passkey:login:{login['flow_id']}") <= 300


async def test_a_copied_passkey_is_refused_and_told(world: World) -> None:
    """Its count goes back: one of two holders is not the owner. One that never counts is taken."""
    person, authenticator = await world.register(), Authenticator(count=7)
    await add(world, person, authenticator)
    copy = replace(authenticator)
    assert (await log_in(world, authenticator)).status == 200

    assert (await log_in(world, copy)).code == "invalid_credentials"
    assert any("seems to be a copy" in message["text"] for message in await world.outbox())
    assert await world.metric("auth_passkeys_copied_total") == 1
    quiet = Authenticator(counts=False)
    await add(world, person, quiet)
    assert [(await log_in(world, quiet)).status for _ in range(2)] == [200, 200]


async def test_of_one_assertion_at_the_same_time_one_use_succeeds(world: World) -> None:
    """The challenge is taken away by the first."""
    person, authenticator = await world.register(), Authenticator()
    await add(world, person, authenticator)
    options = await begin(world)
    body = {"flow_id": options["flow_id"], "credential": authenticator.use(options["options"])}

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.post("/passkeys/login/verify", body)) for _ in range(5)]

    assert sorted(task.result().status for task in asked) == [200, 401, 401, 401, 401]


async def test_a_foreign_user_handle_is_refused(world: World) -> None:
    """The authenticator says for whom the passkey is."""
    person, authenticator = await world.register(), Authenticator()
    await add(world, person, authenticator)
    authenticator.user_handle = "AAAAAAAAAAAAAAAAAAAAAA"

    assert (await log_in(world, authenticator)).code == "invalid_credentials"


async def test_no_attestation_is_read(world: World) -> None:
    """Whatever statement comes is not looked at, also one that no library knows."""
    person = await world.register()

    assert (await add(world, person, Authenticator(statement="tpm"))).status == 201
    assert (await add(world, person, Authenticator(statement="none-such"))).status == 201


@pytest.mark.parametrize("part", ["clientDataJSON", "attestationObject"])
@pytest.mark.parametrize("value", ["A", "AAAA", "oA", "eyJ9", "n" * 11_000])
async def test_rubbish_is_no_passkey(world: World, part: str, value: str) -> None:
    """And no fault of ours."""
    person = await world.register()
    options = (await world.post("/me/passkeys/options", {}, token=person.access)).body["options"]
    credential = Authenticator().make(options)
    credential["response"][part] = value

    assert (await world.post("/me/passkeys", {"credential": credential}, token=person.access)).code == "code_invalid"


async def test_only_a_fresh_strong_proof_adds_or_removes(world: World) -> None:
    """With a passkey on, the password alone adds no second one."""
    person, authenticator = await world.register(), Authenticator()
    added = await add(world, person, authenticator)
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]
    proof = {"method": "password", "password": "cangrejo sin reloj"}
    weak = (await world.post("/step-up", proof, token=access)).body["access_token"]

    for method, path in (("POST", "/me/passkeys/options"), ("DELETE", f"/me/passkeys/{added.body['id']}")):
        answer = await world.ask(method, path, {} if method == "POST" else None, token=weak)
        assert (answer.code, answer.body["methods"]) == ("step_up_required", ["passkey"])


async def test_a_passkey_of_another_is_not_there(world: World) -> None:
    """Neither to rename nor to remove."""
    person, other = await world.register(), await world.register()
    added = (await add(world, person, Authenticator())).body["id"]

    assert (await world.ask("PATCH", f"/me/passkeys/{added}", {"label": "x"}, token=other.access)).status == 404
    assert (await world.ask("DELETE", f"/me/passkeys/{added}", token=other.access)).status == 404


async def test_the_same_passkey_is_not_added_twice(world: World) -> None:
    """Nor by another account: its id is its own."""
    person, other, authenticator = await world.register(), await world.register(), Authenticator()
    assert (await add(world, person, authenticator)).status == 201

    assert (await add(world, other, authenticator)).code == "conflict"


async def test_a_server_without_a_name_has_no_passkeys(worlds: Worlds) -> None:
    """An address is no name (WebAuthn §5.1.2); everything else goes on."""
    async with worlds(PUBLIC_ORIGIN="http://10.0.0.7:8080") as world:
        person = await world.register()
        refused = await world.post("/me/passkeys/options", {}, token=person.access)

        assert (refused.status, refused.body["reason"]) == (409, "no_host_name")
        assert (await world.post("/passkeys/login/options", {})).status == 409
        assert (await world.get("/me/passkeys", token=person.access)).body["possible"] is False
