"""Abuse of sessions: what ends closes its sockets, and nobody is given a session that somebody else chose."""

from __future__ import annotations

import time
from typing import Any

import aiohttp
import pytest

from tests.attack import people, raw
from tests.attack.conftest import Target
from tests.attack.test_g11_forged_token import refusal

ANOTHER = "mochila verde en marte 47"
PROMPT_S = 1.0
"""What is promised; a busy machine is given ten times that before the test calls it broken."""


async def turned(api: people.Api, tokens: dict[str, Any], audience: str) -> dict[str, Any]:
    """The next pair of tokens."""
    body = {"refresh_token": tokens["refresh_token"], "device_hint": tokens["device"], "audience": audience}
    answer = await api.post("token/refresh", body)
    assert answer.status == 200, answer
    return tokens | answer.body


async def put(api: people.Api, path: str, body: Any, token: str) -> int:
    """PUT with a JSON body; returns the status."""
    async with api._http.put(path, json=body, headers={"Authorization": f"Bearer {token}"}) as response:
        return response.status


@pytest.mark.parametrize("way", ["logout", "password"])
async def test_abuse_22_every_session_that_ends_loses_its_socket(target: Target, way: str) -> None:
    """Both of them, on both gateways, at once; their tokens open nothing any more, there and here."""
    owner = await target.person()
    async with people.Api(target.origin, owner.source) as api:
        login = {"identifier": owner.name, "password": people.PASSWORD}
        other = (await api.log_in(login)).body["tokens"]
        stale = other["access_token"]
        other = await turned(api, other, "chat")
        mine = await turned(api, await turned(api, owner.tokens, "chat"), "auth")
        async with raw.tcp(target.tcp(2), owner.source) as connection:
            assert (await connection.connect(other["access_token"]))["op"] == "ok"
            started_s = time.monotonic()
            if way == "logout":
                assert (await api.post("logout", {"scope": "others"}, mine["access_token"])).status == 204
            else:
                body = {"current": people.PASSWORD, "new": ANOTHER}
                assert await put(api, "me/password", body, mine["access_token"]) == 204
            closed = await connection.end()
        took_s = time.monotonic() - started_s
        refused = await api.get("me", stale)

    assert closed.said is not None and closed.said["code"] == 4403
    assert took_s < 10 * PROMPT_S
    assert refused.status == 401
    assert await refusal(target, other["access_token"]) in (4403, 4500)


async def test_abuse_23_a_login_takes_no_session_that_was_planted(target: Target) -> None:
    """A refresh cookie from elsewhere is not the one that is read, and every login has a new session."""
    owner, thief = await target.person(), await target.person()
    login = {"identifier": owner.name, "password": people.PASSWORD, "device_hint": owner.tokens["device"]}
    async with aiohttp.ClientSession() as http:
        sent = {
            "X-Garita-Web": "1",
            "Origin": target.origin,
            "Cookie": f"rt={thief.tokens['refresh_token']}; __Host-rt={thief.tokens['refresh_token']}; sid={thief.tokens['session_id']}",
        }
        async with http.post(f"{target.origin}/v1/auth/login", json=login, headers=sent) as response:
            body = await response.json()
            assert response.status == 200, body
    given = body["tokens"]["session_id"]
    assert body["user"]["id"] == owner.id
    assert given not in {owner.tokens["session_id"], thief.tokens["session_id"]}
