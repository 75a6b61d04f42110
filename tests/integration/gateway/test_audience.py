"""A room so large that its members are written to as sockets: nobody is left out, nothing comes twice or out of order, whatever happens to members."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from gateway.audience import WIDE
from gateway.connection import Connection
from tests.fakes.wire_clients import Client

from .rig import Rig, eventually, rig, user_id
from .test_attach import seqs, talk

NAMES = [f"u{number}" for number in range(WIDE + 4)]
USERS = [user_id(name) for name in NAMES]


async def seated(it: Rig) -> list[Client]:
    """Everybody, over both transports."""
    return [await it.user(name, ("tcp", "ws")[number % 2]) for number, name in enumerate(NAMES)]


def connection_of(it: Rig, user: str) -> Connection:
    """A user's only connection."""
    (found,) = [each for each in it.gateway.desk.connections.values() if each.user == user and not each.closed]
    return found


async def test_members_come_and_go(tmp_path: Path, redis_url: str) -> None:
    """Each gets what is said while it is there, once and in order; below the size at which sockets are kept it goes on."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*USERS)
        clients = await seated(it)
        await talk(it, room, 2)
        for client in clients:
            assert await seqs(client, 2) == [1, 2]

        for client in clients[:3]:
            client.abort()
        await eventually(lambda: len(it.gateway.desk.connections) == len(clients) - 3)
        await talk(it, room, 1)
        back = await it.user(NAMES[0], "ws", resume={room.id: ["a1", 2]})
        await talk(it, room, 1)

        for client in (*clients[3:], back):
            assert await seqs(client, 2) == [3, 4]

        for client in clients[5:]:
            client.abort()
        await eventually(lambda: len(it.gateway.desk.connections) == 3)
        await talk(it, room, 1)

        for client in (*clients[3:5], back):
            assert await seqs(client, 1) == [5]


async def test_a_slow_member_is_measured_and_the_others_are_not_held_up(tmp_path: Path, redis_url: str) -> None:
    """From the write on with which its transport holds much it is written to in the measured way, and closed with 4408 when too much waits."""
    async with rig(tmp_path, redis_url, queue_bytes=400_000) as it:
        room = it.chat.room(*USERS)
        clients = await seated(it)
        await talk(it, room, 1)
        for client in clients:
            await client.push("message")
        slow = connection_of(it, USERS[0])
        clients[0].writer.transport.pause_reading()  # type: ignore[attr-defined]
        assert slow.is_straight

        said = 1
        while not slow.closed and said < 200:
            await it.chat.say(room, "x" * 30_000)
            said += 1
            for client in clients[1:]:
                await client.push("message")

        assert slow.reason == "4408"
        assert not slow.is_straight
        await talk(it, room, 1)
        for client in clients[1:]:
            assert await seqs(client, 1) == [said + 1]


async def test_a_fault_in_one_write_ends_one_connection(tmp_path: Path, redis_url: str) -> None:
    """The members after it get the message too."""

    class Broken:
        """A transport whose writes fail."""

        def __init__(self, transport: asyncio.Transport) -> None:
            self._transport = transport

        def write(self, _: bytes) -> None:
            """Fails."""
            raise RuntimeError("broken")

        def __getattr__(self, name: str) -> Any:
            return getattr(self._transport, name)

    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*USERS)
        clients = await seated(it)
        victim: Any = connection_of(it, USERS[2])
        victim.transport = Broken(victim.transport)
        victim.enqueue = victim.transport.write
        assert victim.is_straight

        await talk(it, room, 1)

        for number, client in enumerate(clients):
            if number != 2:
                assert await seqs(client, 1) == [1]
        assert victim.closed
        assert it.figure("gateway_faults_total", where="write") == 1


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_what_was_missed_still_comes_first(tmp_path: Path, redis_url: str, transport: str) -> None:
    """A member that catches up in a large room: what is said meanwhile waits behind its backlog."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*USERS)
        clients = await seated(it)
        clients[0].abort()
        for _ in range(20):
            await it.chat.say(room, "y" * 30_000)
        for client in clients[1:]:
            assert await seqs(client, 20) == list(range(1, 21))

        back = await it.user(NAMES[0], transport, resume={room.id: ["a1", 0]})
        await talk(it, room, 3)

        assert await seqs(back, 23) == list(range(1, 24))
        for client in clients[1:]:
            assert await seqs(client, 3) == [21, 22, 23]
