"""Who is here, over two gateways and one real Redis: leases, grace, gateways that die, and a Redis that forgets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from garita_common.core import channels
from gateway.app import Gateway
from tests.fakes.wire_clients import Client, TcpClient

from .rig import Rig, eventually, gateway_of, key_server, rig, settings, token, user_id

ANA, BEN, EVA = user_id("ana"), user_id("ben"), user_id("eva")
QUICK: dict[str, Any] = {"alive_every_s": 0.1, "alive_gone_s": 1.0, "presence_grace_s": 0.0, "close_s": 0.1}


@asynccontextmanager
async def pair(folder: Path, redis_url: str, **changes: Any) -> AsyncIterator[tuple[Rig, Gateway]]:
    """Two gateways with one chat service."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(rig(folder, redis_url, **{**QUICK, **changes}))
        auth_url = await stack.enter_async_context(key_server())
        second = settings(folder, redis_url, auth_url, **{"loopback": "private", **QUICK, **changes})
        other, _ = await stack.enter_async_context(gateway_of(second))
        await eventually(lambda: it.gateway.alive.ids == other.alive.ids == {it.gateway.id, other.id})
        yield it, other


async def at(it: Rig, gateway: Gateway, name: str) -> Client:
    """A user connected to one of the gateways."""
    client = await TcpClient.open(gateway.tcp_port)
    it.clients.append(client)
    assert (await client.connect(token(name)))["op"] == "ok"
    return client


async def members(it: Rig, gateway: Gateway) -> set[str]:
    """The users that a gateway has in Redis."""
    asked: Any = it.redis.smembers(channels.presence(gateway.id))
    return {user.decode() for user in await asked}


async def here(client: Client, room: str) -> set[str]:
    """Who of a room is here, as a client is told."""
    answer = await client.ask("presence", room=room)
    assert answer["op"] == "ok", answer
    return {person["id"] for person in answer["here"]}


async def test_a_user_comes_once_and_is_gone_once(tmp_path: Path, redis_url: str) -> None:
    """With the first connection and after the last, however many gateways there are."""
    async with pair(tmp_path, redis_url) as (it, other):
        first = await at(it, it.gateway, "ana")
        await eventually(lambda: it.chat.here == [(ANA, True)])
        second = await at(it, other, "ana")
        third = await at(it, other, "ana")
        await eventually(lambda: members(it, other))
        assert await members(it, it.gateway) == await members(it, other) == {ANA}

        first.abort()
        third.abort()
        await eventually(lambda: gone(it, it.gateway))
        await at(it, other, "ben")
        await eventually(lambda: (BEN, True) in it.chat.here)
        assert (ANA, False) not in it.chat.here
        second.abort()
        await eventually(lambda: (ANA, False) in it.chat.here)

        assert it.chat.here == [(ANA, True), (BEN, True), (ANA, False)]


async def gone(it: Rig, gateway: Gateway) -> bool:
    """Whether a gateway has nobody in Redis."""
    return not await members(it, gateway)


async def test_a_reload_within_the_grace_is_told_to_nobody(tmp_path: Path, redis_url: str) -> None:
    """The user stays here without a break; a user who does not come back is gone after it."""
    async with rig(tmp_path, redis_url, **{**QUICK, "presence_grace_s": 1.0}) as it:
        ana, ben = await it.user("ana"), await it.user("ben")
        await eventually(lambda: len(it.chat.here) == 2)

        ana.abort()
        ben.abort()
        await eventually(lambda: len(it.gateway.people) == 0)
        assert await members(it, it.gateway) == {ANA, BEN}
        await it.user("ana", "ws")
        await eventually(lambda: (BEN, False) in it.chat.here)

        assert it.chat.here[2:] == [(BEN, False)]
        assert await members(it, it.gateway) == {ANA}


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_presence_answers_for_all_gateways(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Names and ids of those of the page who are connected anywhere, and where the next page begins."""
    async with pair(tmp_path, redis_url) as (it, other):
        room = it.chat.room(ANA, BEN, EVA).id
        ana = await it.user("ana", transport)
        await at(it, other, "ben")
        await eventually(lambda: members(it, other))

        answer = await ana.ask("presence", room=room)
        page = await ana.ask("presence", room=room, limit=1)

        assert {key: answer[key] for key in ("op", "here")} == {
            "op": "ok",
            "here": [{"id": ANA, "name": "somebody"}, {"id": BEN, "name": "somebody"}],
        }
        assert "next" not in answer
        assert (page["here"], page["next"]) == ([{"id": ANA, "name": "somebody"}], ANA)


async def test_a_refused_presence_tells_nothing(tmp_path: Path, redis_url: str) -> None:
    """Who is not in the room learns nobody's presence."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA).id
        await it.user("ana")
        eva = await it.user("eva")

        assert (await eva.ask("presence", room=room))["code"] == "not_found"


async def test_the_users_of_a_gateway_that_died_are_gone_unless_they_are_elsewhere(
    tmp_path: Path, redis_url: str
) -> None:
    """One of the living goes through its set and removes it; until then its users count."""
    async with pair(tmp_path, redis_url) as (it, other):
        room = it.chat.room(ANA, BEN, EVA).id
        ana = await at(it, it.gateway, "ana")
        await it.redis.sadd(channels.presence("dead"), BEN, EVA, ANA)
        await at(it, other, "ben")
        await eventually(lambda: members(it, other))
        await it.redis.zadd(channels.GATEWAYS_ALIVE, {"dead": 1})
        await eventually(lambda: "dead" in it.gateway.alive.ids)
        assert await here(ana, room) == {ANA, BEN, EVA}

        await eventually(lambda: (EVA, False) in it.chat.here)
        await eventually(lambda: not_there(it.redis, channels.presence("dead")))

        assert await here(ana, room) == {ANA, BEN}
        assert [row for row in it.chat.here if not row[1]] == [(EVA, False)]


async def not_there(client: redis.Redis, name: str) -> bool:
    """Whether a key does not exist."""
    return not await client.exists(name)


async def test_an_emptied_redis_is_filled_again(tmp_path: Path, redis_url: str) -> None:
    """Nobody has come or gone by that."""
    async with pair(tmp_path, redis_url) as (it, other):
        room = it.chat.room(ANA, BEN).id
        ana = await at(it, it.gateway, "ana")
        await at(it, other, "ben")
        await eventually(lambda: len(it.chat.here) == 2)
        await eventually(lambda: members(it, other))

        await it.redis.flushall()
        await eventually(lambda: members(it, it.gateway))
        await eventually(lambda: members(it, other))

        assert await here(ana, room) == {ANA, BEN}
        assert len(it.chat.here) == 2


async def test_a_lost_set_alone_is_written_anew(tmp_path: Path, redis_url: str) -> None:
    """As when another gateway cleared up after this one by mistake."""
    async with rig(tmp_path, redis_url, **QUICK) as it:
        await it.user("ana")
        await eventually(lambda: members(it, it.gateway))

        await it.redis.delete(channels.presence(it.gateway.id))

        assert await eventually(lambda: members(it, it.gateway)) == {ANA}
        assert it.chat.here == [(ANA, True)]


async def test_the_set_is_a_lease(tmp_path: Path, redis_url: str) -> None:
    """Without this gateway it does not stay for ever."""
    async with rig(tmp_path, redis_url, **QUICK) as it:
        await it.user("ana")

        async def leased() -> bool:
            return bool(0 < await it.redis.pttl(channels.presence(it.gateway.id)) <= 60_000)

        await eventually(leased)


async def test_changes_while_redis_is_away_are_written_later(tmp_path: Path, redis_url: str) -> None:
    """A user who came and one who left while nothing could be written."""
    async with rig(tmp_path, redis_url, request_timeout_s=0.3, **QUICK) as it:
        ben = await it.user("ben")
        ana = await it.user("ana")
        await eventually(lambda: len(it.chat.here) == 2)
        room = it.chat.room(ANA).id
        await it.redis.zadd(channels.GATEWAYS_ALIVE, {"other": 1})
        await eventually(lambda: "other" in it.gateway.alive.ids)
        await it.server("CLIENT", "PAUSE", "1500", "ALL")

        assert (await ana.ask("presence", room=room))["code"] == "busy"
        ben.abort()
        await eventually(lambda: (BEN, False) in it.chat.here)

        assert await members(it, it.gateway) == {ANA}
