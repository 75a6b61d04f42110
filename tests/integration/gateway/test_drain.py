"""The end of a gateway process: readiness first, no answer cut, and everybody asked back at a time of their own."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from gateway.connection import Connection
from tests.fakes.wire_clients import Client, Closed

from .rig import Rig, eventually, gateway_of, key_server, rig, settings, user_id
from .test_app import inner
from .test_attach import ANA, seqs

TRANSPORTS = ["tcp", "ws"]


async def told(client: Client) -> dict[str, Any]:
    """What the client was told at its end."""
    closed = await client.end()
    assert closed.disconnect is not None
    assert closed.disconnect["code"] == 4401
    return closed.disconnect


def held(it: Rig) -> Connection:
    """Ana's connection as the gateway holds it."""
    return next(connection for connection in it.gateway.desk.connections.values() if connection.user == ANA)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_running_requests_are_answered_and_new_ones_are_sent_elsewhere(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """Meanwhile the gateway is not ready and takes nobody; then the connection ends, told."""
    async with rig(tmp_path, redis_url, drain_s=60, drain_answer_s=60, close_s=0.2) as it:
        ana, ben = await it.user("ana", transport), await it.user("ben", transport)
        it.chat.awake.clear()
        running = ana.send("rooms")
        await eventually(lambda: held(it).in_flight == 1)

        it.stop.set()
        await told(ben)
        late = await ana.change("join", room="r" + "0" * 32)
        assert (late["code"], late["temporary"]) == ("busy", True)
        assert "outcome" not in late
        assert await inner(it, "/readyz") == (503, '{"status": "unready", "missing": ["draining"]}')
        with pytest.raises((OSError, Closed)):
            await it.either(transport)
        it.chat.awake.set()

        assert (await ana.answer(running))["op"] == "ok"
        await told(ana)
        await eventually(it.over.is_set)


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_what_is_queued_is_read_before_the_end(tmp_path: Path, redis_url: str, transport: str) -> None:
    """A slow reader gets every event that was for it, and then the word."""
    async with rig(tmp_path, redis_url, queue_bytes=1024 * 1024, drain_s=60, drain_answer_s=60, close_s=0.1) as it:
        room = it.chat.room(ANA, user_id("ben"))
        slow, quick = await it.user("ana", transport), await it.user("ben")
        sent = await fill(it, room.id, quick)

        it.stop.set()
        await told(quick)
        await asyncio.sleep(0.5)  # longer than a socket that is closed has left

        assert await seqs(slow, sent) == list(range(1, sent + 1))
        await told(slow)


async def fill(it: Rig, room: str, quick: Client) -> int:
    """Says so much that a member who does not read has something in its queue; how many messages it took."""
    queue = held(it)
    sent = 0
    while queue.is_idle:
        await it.chat.say(it.chat.rooms[room], "x" * 30_000)
        await quick.push("message")
        sent += 1
    return sent


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_who_never_reads_and_what_is_never_answered_hold_nothing_up(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """After its time each goes, and the process ends."""
    async with rig(tmp_path, redis_url, queue_bytes=1024 * 1024, drain_s=60, drain_answer_s=0.3, close_s=0.2) as it:
        room = it.chat.room(ANA, user_id("ben"))
        await it.user("ana", transport)
        quick = await it.user("ben", transport)
        await fill(it, room.id, quick)
        it.chat.deaf = True
        quick.send("rooms")
        await eventually(lambda: it.chat.commands and it.chat.commands[-1].user == user_id("ben"))

        it.stop.set()
        await told(quick)

        await eventually(it.over.is_set)


async def test_alone_everybody_is_told_at_once_to_come_back_spread_out(tmp_path: Path, redis_url: str) -> None:
    """Each a fixed time after the one before: so many seconds per 10 000."""
    async with rig(tmp_path, redis_url, drain_s=60, drain_spread_s=50_000) as it:
        clients = [await it.user(f"u{number}") for number in range(10)]

        it.stop.set()
        after_ms = [(await told(client))["after_ms"] for client in clients]

        for place, after in enumerate(after_ms):
            assert place * 5000 - 4999 < after <= place * 5000


async def test_beside_another_gateway_they_go_one_after_the_other(tmp_path: Path, redis_url: str) -> None:
    """Those whose turn has not come are served as ever; nobody has to wait long before coming back."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(
            rig(tmp_path, redis_url, alive_every_s=0.1, drain_s=600, drain_answer_s=1, drain_spread_s=5000)
        )
        auth_url = await stack.enter_async_context(key_server())
        await stack.enter_async_context(gateway_of(settings(tmp_path, redis_url, auth_url)))
        await eventually(lambda: len(it.gateway.alive.ids) == 2)
        clients = [await it.user(f"u{number}") for number in range(6)]

        it.stop.set()
        gone = [await told(clients[0])]
        assert (await clients[-1].ask("rooms"))["op"] == "ok"
        gone += [await told(client) for client in clients[1:]]

        assert max(word["after_ms"] for word in gone) < 500
        await eventually(it.over.is_set)


async def test_the_whole_is_bounded(tmp_path: Path, redis_url: str) -> None:
    """Whoever's turn would come later is told when time is up, with the rest of the wait."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(
            rig(tmp_path, redis_url, alive_every_s=0.1, drain_s=1, drain_answer_s=0.5, drain_spread_s=500_000)
        )
        auth_url = await stack.enter_async_context(key_server())
        await stack.enter_async_context(gateway_of(settings(tmp_path, redis_url, auth_url)))
        await eventually(lambda: len(it.gateway.alive.ids) == 2)
        clients = [await it.user(f"u{number}", "ws") for number in range(4)]

        it.stop.set()
        after_ms = [(await told(client))["after_ms"] for client in clients]

        assert sorted(after_ms) == after_ms
        assert 150_000 > after_ms[-1] > 100_000
        await eventually(it.over.is_set)
