"""The link to the chat service: commands out, answers in.

The commands of one turn of the loop leave as one `PUBLISH` per shard, all of a turn in one round trip, on a client that never repeats (a repeated publish
would double a batch). What Redis says about listeners is believed in one direction only: nobody listening means surely not stored, `busy` at once. Any
other number proves nothing, so every question has a deadline, after which the outcome of a change is unknown.

An answer goes only to the connection that asked, and only while that connection still belongs to the user it was asked for.
"""

import asyncio
from dataclasses import dataclass
from typing import Protocol

import msgspec
import redis.asyncio as redis
import structlog
from msgspec import Raw
from redis.exceptions import RedisError

from garita_common.core import channels, records
from garita_common.core.errors import AppError, Busy, Conflict
from garita_common.core.frames import Change, HintOp, Request
from garita_common.core.records import (
    NO_REQUEST,
    Answered,
    AskRefused,
    Attach,
    Attached,
    Batch,
    Command,
    CompareHeads,
    GatewayAsk,
    HeadsCompared,
    Here,
    RecordUpload,
    Recover,
    Recovered,
    Repair,
    Reply,
)
from garita_common.pipe import Pipe

from .clock import Clock
from .connection import Connection
from .core.pending import Pending
from .metrics import Metrics

log = structlog.get_logger()

Key = tuple[int, str]
"""Connection, and the request's id or `ask:{user}:{room}`."""


HEADS: Key = (0, "heads")
"""Stands for every comparison of heads: nobody waits for one."""
TOLD: Key = (0, "told")
"""Stands for whatever is only told: nobody waits for an answer."""


class Gone(Exception):
    """The connection ended while something was done for it."""


@dataclass(slots=True)
class Waiting:
    """A client's request that waits; `op` is None for what the gateway says on its behalf (`RecordUpload`)."""

    connection: Connection
    request: int
    changes: bool
    asked_s: float

    def refuse(self, error: AppError) -> None:
        """Answers an error."""
        if not self.connection.closed:
            self.connection.fault(self.request, error)


@dataclass(slots=True)
class Ask:
    """A question of the gateway's own that a task waits for."""

    future: "asyncio.Future[Reply]"

    def refuse(self, error: AppError) -> None:
        """Fails the task that waits."""
        if not self.future.done():
            self.future.set_exception(error)


class OnReply(Protocol):
    """Who gets what comes back."""

    def connection(self, number: int) -> Connection | None:
        """A connection by its number."""

    def answered(self, connection: Connection, reply: Answered) -> None:
        """A client's request was answered, or a hint refused."""

    def heads(self, reply: HeadsCompared) -> None:
        """Where the heads of rooms are."""


class ChatLink:
    """Asks and hears; `run` is its one task."""

    def __init__(
        self,
        client: "redis.Redis",
        gateway_id: str,
        clock: Clock,
        metrics: Metrics,
        *,
        timeout_s: float,
        max_waiting: int,
        batch_bytes: int,
    ) -> None:
        """Args: client: without retries. `heads_unheard` turns true when a comparison of heads reached nobody."""
        self._pipe = Pipe(client)
        self._gateway_id = gateway_id
        self._clock = clock
        self._metrics = metrics
        self._timeout_s = timeout_s
        self._batch_bytes = batch_bytes
        self._pending: Pending[Key, Waiting | Ask] = Pending(timeout_s, max_waiting)
        self._out: dict[int, list[tuple[Command, Key]]] = {}
        self._told = 0
        self._max_told = max_waiting
        self._wake = asyncio.Event()
        self.heads_unheard = False
        self.on_reply: OnReply

    @property
    def waiting(self) -> int:
        """How many questions wait for their answer."""
        return len(self._pending)

    def request(self, connection: Connection, op: Request) -> None:
        """Sends a client's request.

        Raises:
            Busy: too many wait already.
            Conflict: a request of this id waits already.
        """
        key = (connection.id, str(op.id))
        if key in self._pending:
            raise Conflict("A request of this id has not been answered yet.")
        self._check_room()
        room = getattr(op, "room", None)
        self._wait(connection, op.id, isinstance(op, Change))
        self._send(key, self._command(connection, op.id, op, asked=False), room or connection.user)

    def check_tellable(self) -> None:
        """Whether there is room to `tell` something.

        Raises:
            Busy: too much waits to be published.
        """
        if self._told >= self._max_told:
            self._metrics.refused.labels("hints_waiting").inc()
            raise Busy

    def tell(self, connection: Connection | None, op: HintOp | Here, user: str = "") -> None:
        """Says something that is not answered, but for an error about a hint. Args: user: who it is about, where it is no connection's."""
        self._told += 1
        who = connection.user if connection is not None else user
        command = self._command(connection, NO_REQUEST, op, asked=isinstance(op, Here), user=user)
        self._send(TOLD, command, who if isinstance(op, Here) else op.room)

    def record_upload(self, connection: Connection, request: int, ask: RecordUpload) -> None:
        """Tells that an upload was put together; it is answered as the client's own request.

        Raises:
            Busy: too many wait already.
        """
        self._check_room()
        self._wait(connection, request, changes=True)
        self._send((connection.id, str(request)), self._command(connection, request, ask, asked=True), connection.user)

    def post(
        self, connection: Connection | None, op: Attach | Recover | Repair, user: str = ""
    ) -> "asyncio.Future[Reply]":
        """Asks a question of the gateway's own; whoever stops waiting for the answer cancels it.

        Args: connection: for whom; None: for the gateway itself (then `user` may name one).

        Raises:
            Busy: too many wait already.
            Conflict: the same is being asked already.
        """
        self._check_room()
        room = "" if isinstance(op, Attach) else op.room
        user = connection.user if connection is not None else user
        key = (connection.id if connection is not None else 0, f"ask:{user}:{room}")
        waiting = self._pending.get(key)
        if isinstance(waiting, Ask) and not waiting.future.done():
            raise Conflict("This is being asked already.")
        future: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._pending.add(key, Ask(future), self._clock.monotonic())
        command = self._command(connection, 0, op, asked=True, user=user)
        self._send(key, command, user if room in ("", "@me") else room)
        return future

    async def ask(self, connection: Connection | None, op: Attach | Recover | Repair, user: str = "") -> Reply:
        """`post`, and waits.

        Raises:
            AppError: refused, or no answer in time.
        """
        return await self.post(connection, op, user)

    def compare_heads(self, shard: int, rooms: list[str]) -> None:
        """Asks where the heads of rooms of one shard are; the answer comes by `on_reply`, or not at all."""
        if not self._pending.is_full:
            self._queue(shard, (self._command(None, 0, CompareHeads(rooms), asked=True), HEADS))

    def received(self, data: bytes) -> None:
        """Takes the replies of one message on the gateway's own channel."""
        try:
            replies = records.decode_replies(data)
        except msgspec.MsgspecError as exc:
            self._metrics.dropped_replies.labels("undecodable").inc()
            log.error("replies_undecodable", error=str(exc))
            return
        for reply in replies:
            self._take(reply)

    def expire(self, now_s: float) -> None:
        """Answers what waited too long."""
        for key, waiting in self._pending.expire(now_s):
            self._metrics.expired.inc()
            self._refuse(key, waiting, unknown=True)

    async def run(self) -> None:
        """Publishes until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            out, self._out = self._out, {}
            self._told = 0
            await self._publish(out)

    def _take(self, reply: Reply) -> None:
        match reply:
            case Answered():
                self._answered(reply)
            case HeadsCompared():
                self.on_reply.heads(reply)
            case Attached():
                self._settle(reply.connection, reply.user, "", reply)
            case Recovered():
                self._settle(reply.connection, reply.user, reply.room, reply)
            case AskRefused():
                self._settle(reply.connection, reply.user, reply.room, reply)

    def _answered(self, reply: Answered) -> None:
        if reply.request == NO_REQUEST:
            self._pass_on(self.on_reply.connection(reply.connection), reply)
            return
        waiting = self._pending.pop((reply.connection, str(reply.request)))
        if not isinstance(waiting, Waiting):
            self._metrics.dropped_replies.labels("late").inc()
            return
        waiting.connection.in_flight -= 1
        if self._pass_on(waiting.connection, reply):
            self._metrics.request_s.observe(self._clock.monotonic() - waiting.asked_s)

    def _pass_on(self, connection: Connection | None, reply: Answered) -> bool:
        """Whether the reply is for somebody who is still there, and the same user."""
        if connection is None or connection.closed:
            self._metrics.dropped_replies.labels("closed").inc()
        elif connection.user != reply.user:
            self._metrics.dropped_replies.labels("other_user").inc()
        else:
            self.on_reply.answered(connection, reply)
            return True
        return False

    def _settle(self, connection: int, user: str, room: str, reply: Reply) -> None:
        waiting = self._pending.pop((connection, f"ask:{user}:{room}"))
        if not isinstance(waiting, Ask) or waiting.future.done():
            self._metrics.dropped_replies.labels("late").inc()
        elif isinstance(reply, AskRefused):
            waiting.future.set_exception(Busy() if reply.code in ("busy", "internal") else Conflict(reply.code))
        else:
            waiting.future.set_result(reply)

    def _wait(self, connection: Connection, request: int, changes: bool) -> None:
        now_s = self._clock.monotonic()
        connection.in_flight += 1
        self._pending.add((connection.id, str(request)), Waiting(connection, request, changes, now_s), now_s)

    def _refuse(self, key: Key, waiting: Waiting | Ask, *, unknown: bool) -> None:
        if isinstance(waiting, Waiting):
            waiting.connection.in_flight -= 1
            waiting.refuse(Busy(outcome="unknown" if unknown and waiting.changes else None))
        else:
            waiting.refuse(Busy())

    def _check_room(self) -> None:
        if self._pending.is_full:
            self._metrics.refused.labels("requests_waiting").inc()
            raise Busy

    def _command(
        self,
        connection: Connection | None,
        request: int,
        op: Request | HintOp | GatewayAsk,
        *,
        asked: bool,
        user: str = "",
    ) -> Command:
        claims = connection.claims if connection is not None else None
        now_ms = self._clock.unix_ms()
        return Command(
            connection=connection.id if connection is not None else 0,
            request=request,
            user=claims.sub if claims is not None else user,
            name=claims.name if claims is not None else "",
            sid=claims.sid if claims is not None else "",
            did=claims.did if claims is not None else "",
            ip=connection.ip if connection is not None else "",
            received_ms=now_ms,
            expires_ms=now_ms + int(self._timeout_s * 1000),
            asked=asked,
            op=Raw(records.encode(op)),
        )

    def _send(self, key: Key, command: Command, shard_key: str) -> None:
        self._queue(channels.shard_of(shard_key), (command, key))

    def _queue(self, shard: int, row: tuple[Command, Key]) -> None:
        self._out.setdefault(shard, []).append(row)
        self._wake.set()

    async def _publish(self, out: dict[int, list[tuple[Command, Key]]]) -> None:
        batches = [(shard, part) for shard, rows in out.items() for part in self._parts(rows)]
        try:
            heard = await self._pipe.run([self._publication(shard, part) for shard, part in batches])
        except (RedisError, OSError) as exc:
            log.warning("publish_failed", error=type(exc).__name__, batches=len(batches))
            heard = [None] * len(batches)
        for (_, part), listeners in zip(batches, heard, strict=True):
            if not listeners:
                self._unheard(part, unknown=listeners is None)

    def _publication(self, shard: int, part: list[tuple[Command, Key]]) -> tuple[str, str, bytes]:
        self._metrics.batch.observe(len(part))
        self._metrics.commands.inc(len(part))
        batch = Batch(self._gateway_id, [command for command, _ in part])
        return "PUBLISH", channels.shard_in(shard), records.encode(batch)

    def _unheard(self, part: list[tuple[Command, Key]], *, unknown: bool) -> None:
        self._metrics.unheard.inc()
        for _, key in part:
            self.heads_unheard = self.heads_unheard or key == HEADS
            waiting = self._pending.pop(key)
            if waiting is not None:
                self._refuse(key, waiting, unknown=unknown)

    def _parts(self, rows: list[tuple[Command, Key]]) -> list[list[tuple[Command, Key]]]:
        """Rows cut where a batch would grow over its bytes; the stamp of a command takes about 250 of them."""
        parts: list[list[tuple[Command, Key]]] = [[]]
        size = 0
        for row in rows:
            cost = len(row[0].op) + 250
            if size + cost > self._batch_bytes and parts[-1]:
                parts.append([])
                size = 0
            parts[-1].append(row)
            size += cost
        return parts
