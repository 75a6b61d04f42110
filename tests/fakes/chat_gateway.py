"""A gateway as the chat service meets it: commands out over Redis, replies and events in. It keeps no rules of its own."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import msgspec
import redis.asyncio as redis
from redis.exceptions import RedisError

from garita_common import bus
from garita_common.core import channels, frames, records
from garita_common.core.records import Answered, Batch, Command, GatewayAsk, PersonalEvent, Reply, RoomEvent

WAIT_S = 20.0
ReplyT = TypeVar("ReplyT")
_encode = msgspec.msgpack.Encoder().encode


def user_id(name: str) -> str:
    """A made-up account's id."""
    return "u" + uuid.uuid5(uuid.NAMESPACE_DNS, name).hex


def stamped(
    user: str,
    op: frames.RoomOp | GatewayAsk,
    *,
    connection: int = 1,
    request: int = 1,
    name: str | None = None,
    expires_ms: int | None = None,
) -> Command:
    """A command as a gateway stamps it. Args: user: a name; empty for the gateway's own."""
    now_ms = time.time_ns() // 1_000_000
    return Command(
        connection=connection,
        request=records.NO_REQUEST if isinstance(op, frames.Hint) else request,
        user=user_id(user) if user else "",
        name=user if name is None else name,
        sid="s",
        did="d",
        ip="203.0.113.7",
        received_ms=now_ms,
        expires_ms=now_ms + 60_000 if expires_ms is None else expires_ms,
        asked=not isinstance(op, frames.Request | frames.Hint),
        op=msgspec.Raw(_encode(op)),
    )


class ChatGateway:
    """One made-up gateway process."""

    def __init__(self, url: str) -> None:
        """Args: url: the test's Redis."""
        self.id = f"g{os.urandom(6).hex()}"
        self.client: redis.Redis = bus.connect(url)
        self.listener = bus.Listener(url, self._on_message, self._on_linked)
        self.events: dict[str, list[RoomEvent]] = {}
        self.personal: dict[str, list[PersonalEvent]] = {}
        self.passing: list[tuple[str, int, bytes]] = []
        """Of a room or user, after how many of its events, what."""
        self.replies: list[Reply] = []
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._asked: list[asyncio.Future[Reply]] = []
        self._out: list[Command] = []
        self._wake = asyncio.Event()

    async def watch(self, *rooms: str) -> None:
        """Hears these rooms."""
        await self.listener.subscribe([channels.room(room) for room in rooms])

    async def watch_users(self, *names: str) -> None:
        """Hears these users' personal events."""
        await self.listener.subscribe([channels.user(user_id(name)) for name in names])

    async def publish(self, *commands: Command, shard: int = 0) -> int:
        """One batch to one shard; gives the number of listeners."""
        data = records.encode(Batch(self.id, list(commands)))
        return int(await self.client.publish(channels.shard_in(shard), data))

    async def say(self, user: str, op: frames.RoomOp, *, connection: int | None = None, **stamp: Any) -> Answered:
        """One client's request to its end."""
        number = next(self._numbers)
        reply = await self._roundtrip(stamped(user, op, connection=connection or number, request=number, **stamp))
        assert isinstance(reply, Answered)
        return reply

    async def ask(self, user: str, ask: GatewayAsk, kind: type[ReplyT]) -> ReplyT:
        """One ask of the gateway's own to its end."""
        number = next(self._numbers)
        reply = await self._roundtrip(stamped(user, ask, connection=number, request=number))
        assert isinstance(reply, kind), reply
        return reply

    async def ask_heads(self, rooms: list[str]) -> records.HeadsCompared:
        """`CompareHeads`, whose answer names no connection."""
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._asked.append(future)
        await self.publish(stamped("", records.CompareHeads(rooms), connection=0, request=0))
        async with asyncio.timeout(WAIT_S):
            reply = await future
        assert isinstance(reply, records.HeadsCompared)
        return reply

    async def run(self) -> None:
        """Sends what gathered, as one batch per turn, the way a gateway does."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            batch, self._out = self._out, []
            try:
                await self.publish(*batch)
            except (RedisError, OSError):
                continue  # lost: whoever waits for an answer repeats

    async def _roundtrip(self, command: Command) -> Reply:
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[command.connection] = future
        self._out.append(command)
        self._wake.set()
        async with asyncio.timeout(WAIT_S):
            return await future

    def _on_message(self, channel: str, data: bytes) -> None:
        kind, _, name = channel.partition(":")
        if kind == "room":
            said = records.decode_room_batch(data)
            self.events.setdefault(name, []).extend(said.events)
            self.passing += [(name, len(self.events[name]), frame) for frame in said.passing]
        elif kind == "user":
            told = records.decode_personal_batch(data)
            self.personal.setdefault(name, []).extend(told.events)
            self.passing += [(name, len(self.personal[name]), frame) for frame in told.passing]
        else:
            for reply in records.decode_replies(data):
                self._on_reply(reply)

    def _on_reply(self, reply: Reply) -> None:
        self.replies.append(reply)
        if isinstance(reply, records.HeadsCompared):
            future = self._asked.pop(0) if self._asked else None
        else:
            future = self._waiting.pop(reply.connection, None)
        if future is not None and not future.done():
            future.set_result(reply)

    async def _on_linked(self) -> None:
        return


@asynccontextmanager
async def chat_gateway(url: str) -> AsyncIterator[ChatGateway]:
    """A gateway that hears its replies while the block runs."""
    gateway = ChatGateway(url)

    class Over(Exception):
        pass

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(gateway.listener.run(), name="listen")
            tasks.create_task(gateway.run(), name="send")
            async with asyncio.timeout(WAIT_S):
                while not gateway.listener.linked:
                    await asyncio.sleep(0.01)
            await gateway.listener.subscribe([channels.gateway(gateway.id)])
            yield gateway
            raise Over
    except* Over:
        pass
    finally:
        await gateway.client.aclose()


def body(reply: Answered) -> dict[str, Any]:
    """An answer's frame as an object."""
    decoded: dict[str, Any] = msgspec.json.decode(reply.frame)
    return decoded
