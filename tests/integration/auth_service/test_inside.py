"""auth_service.inside: what services and the operator may ask on the inner listener."""

from __future__ import annotations

from typing import Any

import pytest

from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_HASH
from tests.integration.auth_service.conftest import OPERATOR_TOKEN, SERVICE_TOKEN, Answer, Person, World, eventually


async def chat_token(world: World, person: Person) -> str:
    """A fresh token for the chat."""
    answer = await world.refresh(person.tokens["refresh_token"], person.device, "chat")
    assert answer.status == 200, answer
    person.tokens |= answer.body
    return str(answer.body["access_token"])


async def introspect(world: World, token: str, **more: Any) -> Answer:
    """As a gateway asks."""
    return await world.inside("/internal/introspect", {"token": token} | more, SERVICE_TOKEN)


async def test_a_good_token_is_active_and_an_ended_one_is_not(world: World) -> None:
    """Whose it is; and from the moment of the logout it is nobody's."""
    person = await world.register()
    token = await chat_token(world, person)
    answer = await introspect(world, token)
    assert answer.status == 200
    assert answer.body["active"] is True
    assert (answer.body["sub"], answer.body["sid"]) == (person.id, person.tokens["session_id"])
    assert answer.body["exp"] == int(world.clock()) + 300
    own = (await world.refresh(person.tokens["refresh_token"], person.device)).body["access_token"]
    await world.post("/logout", {}, token=own)

    assert (await introspect(world, token)).body == {"active": False}


async def test_what_is_not_for_the_asker_is_not_active(world: World) -> None:
    """Another audience, a refresh token, nonsense, one that is over."""
    person = await world.register()
    token = await chat_token(world, person)
    assert (await introspect(world, token, audience="auth")).body == {"active": False}
    for other in (person.tokens["refresh_token"], person.device, "x"):
        assert (await introspect(world, other)).body == {"active": False}
    world.clock.pass_s(330)
    assert (await introspect(world, token)).body == {"active": False}


async def test_who_is_banned_has_no_good_token(world: World) -> None:
    """As at a gateway that still hears of bans."""
    person = await world.register()
    token = await chat_token(world, person)
    now_ms = int(world.clock() * 1000)
    ban = bans.Ban(bans.user_subject(person.id), now_ms, now_ms + 60_000, "flood", "Too much.", "a1")
    await world.redis.hset(BANS_HASH, ban.subject, bans.encode(ban))
    await world.redis.publish(BAN_PUSH, bans.encode_push([ban.subject]))

    async def is_over() -> bool:
        return (await introspect(world, token)).body == {"active": False}

    await eventually(is_over)


@pytest.mark.parametrize(
    ("path", "right", "wrong"),
    [
        ("/internal/introspect", SERVICE_TOKEN, OPERATOR_TOKEN),
        ("/operator/revoke", OPERATOR_TOKEN, SERVICE_TOKEN),
        ("/operator/keys/rotate", OPERATOR_TOKEN, SERVICE_TOKEN),
    ],
)
async def test_each_route_takes_its_own_token(world: World, path: str, right: str, wrong: str) -> None:
    """Nobody else's, and a user's least; they are not on the public listener; a body that is none is refused."""
    person = await world.register()
    for token in (wrong, person.access, ""):
        assert (await world.inside(path, {}, token)).status == 401
    assert (await world.inside(path, {"what": "ever"}, right)).status == 400
    assert (await world.post(path, {}, token=right, absolute=True)).status == 404


async def test_an_operator_ends_sessions(world: World) -> None:
    """One, then all; nobody's are not found."""
    person = await world.register()
    other = (await world.log_in(person, device=False)).body["tokens"]
    body = {"user": person.id, "session": other["session_id"]}
    assert (await world.inside("/operator/revoke", body)).body == {"ended": 1}
    assert (await world.get("/me", token=other["access_token"])).code == "token_invalid"
    assert (await world.get("/me", token=person.access)).status == 200
    assert (await world.inside("/operator/revoke", {"user": person.id})).body == {"ended": 1}
    assert {row.sid for row in await world.revoked()} == {other["session_id"], person.tokens["session_id"]}
    assert (await world.inside("/operator/revoke", {"user": person.id})).status == 404
