"""Saying what is stored: one pipelined round trip per turn, and nothing stored is ever left unsaid.

The outbox idea. A log is a room's history or a user's own log; its *mark* is the seq up to which events surely went out. After a good round trip the
marks of its logs move (in memory; the next transaction writes them). After one whose outcome is not known, its logs are *behind*: nothing newer
of such a log is said directly any more; its events are read from the store above the mark and said in `seq` order until the head is reached. At the
start every log whose stored mark is under its head is behind. So an event may be said twice, never left out, and never after a newer one that was
said first; receivers drop what they have seen. Replies are not kept: whoever misses one repeats the request and gets the stored answer.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from functools import partial
from typing import TypeVar

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import channels, records
from garita_common.core.records import Answered, PersonalBatch, PersonalEvent, Recovered, Reply, RoomBatch, RoomEvent
from garita_common.emitter import Emitter
from garita_common.pipe import Pipe

from . import store_outbox
from .activity_records import ActivityRecords
from .batch import Committed
from .core.packing import packets
from .database import Database
from .metrics import Metrics
from .store_outbox import Log, LogKind, Unpublished

log = structlog.get_logger()

MAX_READY = 16
"""Transactions that may wait to be said; the committer then waits too."""
RETRY_S = 0.5

Message = tuple[str, bytes]
EventT = TypeVar("EventT", RoomEvent, PersonalEvent)


class Publisher:
    """`run` is its one task; `put` and `close` are the committer's side."""

    def __init__(
        self,
        client: "redis.Redis",
        database: Database,
        emitter: Emitter,
        activity: ActivityRecords,
        metrics: Metrics,
        behind: Iterable[Log],
    ) -> None:
        """Args: client: without retries, else a publish could be doubled out of order; behind: logs not surely published when the service started."""
        self._pipe = Pipe(client)
        self._database = database
        self._emitter = emitter
        self._activity = activity
        self._metrics = metrics
        self._ready: deque[Committed] = deque()
        self._wake = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()
        self._marks: dict[Log, int] = {}
        self._behind: dict[Log, None] = dict.fromkeys(behind)
        self._floors: dict[Log, int] = {}
        self._is_closed = False

    async def put(self, committed: Committed) -> None:
        """Hands over one transaction's outcome; waits while too many are waiting."""
        await self._space.wait()
        self._ready.append(committed)
        if len(self._ready) >= MAX_READY:
            self._space.clear()
        self._wake.set()

    def close(self) -> None:
        """No more will come: `run` says what is left and returns."""
        self._is_closed = True
        self._wake.set()

    async def on_linked(self) -> None:
        """Redis is there (again): logs that are behind can go on."""
        self._wake.set()

    def take_marks(self) -> dict[Log, int]:
        """Marks to be written with the next transaction."""
        marks, self._marks = self._marks, {}
        return marks

    def give_back(self, marks: dict[Log, int]) -> None:
        """Marks that could not be written."""
        for log_, seq in marks.items():
            self._marks[log_] = max(seq, self._marks.get(log_, 0))

    async def run(self) -> None:
        """Says things until closed and empty."""
        try:
            await self._run()
        finally:
            await self._pipe.release()

    async def _run(self) -> None:
        while True:
            await self._wait()
            group = list(self._ready)
            self._ready.clear()
            self._space.set()
            if self._behind:
                await self._catch_up()
            if group:
                await self._say(group)
            elif self._is_closed:
                return

    async def _wait(self) -> None:
        if self._ready or self._is_closed:
            return
        self._wake.clear()
        try:
            async with asyncio.timeout(RETRY_S if self._behind else None):
                await self._wake.wait()
        except TimeoutError:
            return

    async def _say(self, group: list[Committed]) -> None:
        messages: list[Message] = []
        spoken: dict[Log, int] = {}
        for committed in group:
            self._gather(committed, messages, spoken)
        replies: dict[str, list[Reply]] = {}
        for committed in group:
            for gateway, reply in committed.replies:
                replies.setdefault(gateway, []).append(reply)
        for gateway, told in replies.items():
            messages += _reply_messages(gateway, told)
        if await self._send(messages):
            self._moved(spoken)
        else:
            self._behind.update(dict.fromkeys(spoken))
        self._metrics.logs_behind.set(len(self._behind))
        for committed in group:
            for sent in committed.sent:
                self._emitter.emit(self._activity.of(sent))

    def _gather(self, committed: Committed, messages: list[Message], spoken: dict[Log, int]) -> None:
        """Adds one transaction's events to what is said now, and how far each log is then said."""
        for key in {**committed.room_events, **committed.room_passing}:
            log_ = Log(LogKind.ROOM, key[0])
            direct = self._unsaid(log_, committed.room_events.get(key, []))
            messages += _room_messages(*key, direct, self._in_passing(log_, committed.room_passing.get(key)))
            if direct:
                spoken[log_] = direct[-1].seq
                self._metrics.events.labels("room").inc(len(direct))
        for user in {**committed.personal_events, **committed.own_passing}:
            log_ = Log(LogKind.USER, user)
            direct_notices = self._unsaid(log_, committed.personal_events.get(user, []))
            passing = self._in_passing(log_, committed.own_passing.get(user))
            messages += _personal_messages(user, direct_notices, passing)
            if direct_notices:
                spoken[log_] = direct_notices[-1].seq
                self._metrics.events.labels("user").inc(len(direct_notices))

    async def _send(self, messages: list[Message]) -> bool:
        """One pipelined round trip; whether Redis has surely taken all of it."""
        if not messages:
            return True
        try:
            await self._pipe.run([("PUBLISH", channel, data) for channel, data in messages])
        except (RedisError, OSError) as exc:
            self._metrics.publishes_failed.inc()
            log.warning("publish_failed", error=type(exc).__name__, messages=len(messages))
            return False
        return True

    async def _catch_up(self) -> None:
        """Says what is stored above the marks of the logs that are behind, until none is or Redis does not take it."""
        while self._behind:
            logs = list(self._behind)[: store_outbox.CATCH_UP_LOGS]
            marks = self.take_marks()
            try:
                found = await self._database.transact(partial(_read, marks=marks, logs=logs))
            except sqlite3.Error as exc:
                self.give_back(marks)
                log.warning("outbox_unreadable", error=type(exc).__name__)
                return
            messages = [message for missed in found for message in _missed_messages(missed)]
            if not await self._send(messages):
                return
            self._moved({missed.log: missed.seq for missed in found if missed.seq})
            for missed in found:
                if missed.is_last:
                    self._behind.pop(missed.log)
                    self._floors[missed.log] = missed.seq
            self._metrics.logs_behind.set(len(self._behind))

    def _unsaid(self, log_: Log, events: list[EventT]) -> list[EventT]:
        """Those events that may be said directly: none of a log that is behind, none that catching up has just said."""
        if log_ in self._behind:
            return []
        floor = self._floors.get(log_)
        if floor is None:
            return events
        newer = [event for event in events if event.seq > floor]
        if newer:
            del self._floors[log_]
        return newer

    def _in_passing(self, log_: Log, frames: dict[tuple[str, str], bytes] | None) -> list[bytes]:
        """What is said in passing with a log's events: nothing while the log is behind."""
        if not frames or log_ in self._behind:
            return []
        self._metrics.passing.inc(len(frames))
        return list(frames.values())

    def _moved(self, spoken: dict[Log, int]) -> None:
        for log_, seq in spoken.items():
            self._marks[log_] = max(seq, self._marks.get(log_, 0))


def _read(db: sqlite3.Connection, marks: dict[Log, int], logs: list[Log]) -> list[Unpublished]:
    store_outbox.mark(db, marks)
    return store_outbox.unpublished(db, logs)


def _missed_messages(missed: Unpublished) -> list[Message]:
    if missed.log.kind is LogKind.ROOM:
        return _room_messages(missed.log.id, missed.epoch, missed.room_events, [])
    return _personal_messages(missed.log.id, missed.personal_events, [])


def _room_messages(room: str, epoch: str, events: list[RoomEvent], passing: list[bytes]) -> list[Message]:
    channel = channels.room(room)
    return [
        (channel, records.encode(RoomBatch(room, epoch, packet, said)))
        for packet, said in _with_passing(events, passing)
    ]


def _personal_messages(user: str, events: list[PersonalEvent], passing: list[bytes]) -> list[Message]:
    channel = channels.user(user)
    return [
        (channel, records.encode(PersonalBatch(user, packet, said))) for packet, said in _with_passing(events, passing)
    ]


def _with_passing(events: list[EventT], passing: list[bytes]) -> Iterator[tuple[list[EventT], list[bytes]]]:
    """Events by the packet; what is said in passing goes along with the last one, for it may speak of what the events bring."""
    found = list(packets(events, lambda event: len(event.frame)))
    if passing and not found:
        found.append([])
    for number, packet in enumerate(found, 1):
        yield packet, passing if number == len(found) else []


def _reply_messages(gateway: str, replies: list[Reply]) -> list[Message]:
    channel = channels.gateway(gateway)
    return [(channel, records.encode(packet)) for packet in packets(replies, _reply_bytes)]


def _reply_bytes(reply: Reply) -> int:
    if isinstance(reply, Answered):
        return len(reply.frame)
    if isinstance(reply, Recovered):
        return sum(len(event.frame) for event in reply.events)
    return 0
