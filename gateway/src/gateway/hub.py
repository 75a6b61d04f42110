"""Rooms and personal logs at this gateway: what Redis says goes to every connection that follows it.

A message is framed once per transport and the same bytes go to each member; nothing here waits for a client, and nothing awaits while it walks over
members. `core.feed` decides who gets what. A gap is repaired from the store, by one errand per room; where that is not possible, its members are closed
with 4410 and resume. A personal log is not repaired but closed the same way: its entries may put the user into a room, which only a resume tells in full.
"""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeAlias

import msgspec
import structlog

from garita_common.core import channels, records
from garita_common.core.errors import AppError, Busy, CloseCode
from garita_common.core.records import (
    AttachRoom,
    HeadsCompared,
    PersonalEvent,
    Recover,
    Recovered,
    Repair,
    RoomBatch,
    RoomEvent,
    RoomHead,
)

from .audience import WIDE, Audience, write_each
from .chat_link import ChatLink
from .clock import Clock
from .connection import Connection
from .core.feed import Delivery, Feed, Outcome
from .errands import Errands
from .metrics import Metrics
from .subscriptions import Subscriptions
from .tcp import TcpConnection
from .websocket import WebSocketConnection

log = structlog.get_logger()

LogEvent: TypeAlias = RoomEvent | PersonalEvent
LogFeed: TypeAlias = Feed[Connection, LogEvent]

_ROOM, _USER = "room:", "user:"
HEADS_PER_COMMAND = 500
CHECK_RETRY_S = 1.0
REST_PER_MEMBER_S = 50e-6
SHORTEST_REST_S, LONGEST_REST_S = 0.001, 0.005
"""After each message a room rests, the longer the more members it has here, and what comes meanwhile is written together: 2 to 3 messages at a time in a room
with 500 a second. 5 ms nobody feels; rooms of fewer than 20 never wait, so that two people's talk does not either."""
REPAIR_PAUSES_S = (0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 8.0)
"""Between attempts to repair while the chat service is away: a standby takes over within 10 s, so half a minute is enough."""


class OnPersonal(Protocol):
    """Who attaches a user's connections to a room that a personal event names."""

    def attach_all(self, user: str, directive: AttachRoom) -> None:
        """Attaches all of the user's connections here."""


class Hub:
    """All feeds of one gateway process."""

    def __init__(
        self,
        chat: ChatLink,
        subscriptions: Subscriptions,
        errands: Errands,
        clock: Clock,
        metrics: Metrics,
        *,
        keep_s: float,
    ) -> None:
        """Args: keep_s: how long a feed without members stays subscribed."""
        self._chat = chat
        self._subscriptions = subscriptions
        self._errands = errands
        self._clock = clock
        self._metrics = metrics
        self._keep_s = keep_s
        self._feeds: dict[str, LogFeed] = {}
        self._audiences: dict[str, Audience] = {}
        self._asked: dict[str, int] = {}
        self._late: dict[str, list[RoomBatch]] = {}
        self._delivered = metrics.delivered
        self._room_events = metrics.events.labels("room")
        self._personal_events = metrics.events.labels("personal")
        self._passing_told = metrics.passing.labels("told")
        self._passing_dropped = metrics.passing.labels("dropped")
        self.on_personal: OnPersonal

    def __len__(self) -> int:
        """How many feeds are held."""
        return len(self._feeds)

    async def open(self, names: Iterable[str]) -> None:
        """Subscribes channels and returns when Redis has confirmed them.

        Raises:
            Unlinked, TimeoutError: there is no confirmation.
        """
        wanted = list(names)
        for name in wanted:
            self._feeds.setdefault(name, Feed()).empty_since_s = None
        await self._subscriptions.ensure(wanted)

    def wait(self, connection: Connection, name: str) -> LogFeed:
        """Keeps live events for the connection from now on; its channel is subscribed."""
        feed = self._feeds.setdefault(name, Feed())
        feed.wait(connection)
        connection.feeds.add(name)
        return feed

    def feed(self, name: str) -> LogFeed:
        """A feed that somebody follows."""
        return self._feeds[name]

    def follows(self, connection: Connection, name: str) -> bool:
        """Whether the connection follows a log, or is about to."""
        return name in connection.feeds

    def leave(self, connection: Connection, name: str) -> None:
        """The connection does not follow this log any more."""
        connection.feeds.discard(name)
        self._audiences.pop(name, None)
        feed = self._feeds.get(name)
        if feed is not None:
            feed.leave(connection)
            if feed.is_empty:
                feed.empty_since_s = self._clock.monotonic()

    def rerouted(self, connection: Connection) -> None:
        """The connection is written to in another way now."""
        for name in connection.feeds:
            self._audiences.pop(name, None)

    def leave_all(self, connection: Connection) -> None:
        """The connection is over."""
        for name in list(connection.feeds):
            self.leave(connection, name)

    def recovered(self, name: str, reply: Recovered) -> bool:
        """A recovery's answer tells where a new feed stands; false if it contradicts where the feed is (then all its members are closed)."""
        feed = self._feeds[name]
        if feed.seq >= 0 and feed.epoch != reply.epoch:
            self.lose(name)
            return False
        self._pass_on(name, feed, feed.opened(reply.epoch, reply.head))
        return True

    def room_message(self, name: str, data: bytes) -> None:
        """Takes a message from a room's channel."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        try:
            batch = records.decode_room_batch(data)
        except msgspec.MsgspecError as exc:
            log.error("room_batch_undecodable", error=str(exc))
            return
        late = self._late.get(name)
        if late is not None:
            late.append(batch)
            return
        rest_s = feed.rest_until_s - self._clock.monotonic()
        if rest_s > 0:
            self._late[name] = [batch]
            asyncio.get_running_loop().call_later(rest_s, self._rest_over, name)
        else:
            self._take(name, feed, batch.epoch, batch.events, batch.passing)

    def _rest_over(self, name: str) -> None:
        try:
            self._take_late(name)
        except Exception:
            self._metrics.faults.labels("hub").inc()
            log.exception("room_messages_failed")

    def _take_late(self, name: str) -> None:
        """Takes what came to a room while it rested, as one message where it follows without a hole."""
        feed, late = self._feeds.get(name), self._late.pop(name, [])
        if feed is None or not late:
            return
        epoch, events, passing = late[0].epoch, list(late[0].events), [*late[0].passing]
        for batch in late[1:]:
            if events and batch.events and (batch.epoch != epoch or batch.events[0].seq != events[-1].seq + 1):
                self._take(name, feed, epoch, events, [])
                events = []
            if batch.events:
                epoch = batch.epoch
                events += batch.events
            passing += batch.passing
        self._take(name, feed, epoch, events, passing)

    def _take(
        self, name: str, feed: LogFeed, epoch: str, events: Sequence[RoomEvent], passing: Sequence[bytes]
    ) -> None:
        if events:
            self._room_events.inc(len(events))
            self._pass_on(name, feed, feed.take(epoch, events))
            rest_s = len(feed.aligned) * REST_PER_MEMBER_S
            if rest_s >= SHORTEST_REST_S:
                feed.rest_until_s = self._clock.monotonic() + min(rest_s, LONGEST_REST_S)
        if passing:
            self._mention(feed, passing)

    def user_message(self, name: str, data: bytes) -> None:
        """Takes a message from a user's channel; what is no batch of events is somebody else's there."""
        feed = self._feeds.get(name)
        if feed is None:
            return
        try:
            batch = records.decode_personal_batch(data)
        except msgspec.MsgspecError:
            return
        if batch.events:
            self._personal_events.inc(len(batch.events))
            self._pass_on(name, feed, feed.take("", batch.events))
        if batch.passing:
            self._mention(feed, batch.passing)
        for event in batch.events:
            if event.attach is not None:
                self.on_personal.attach_all(batch.user, event.attach)

    def lose(self, name: str) -> None:
        """What was passed on can no longer be relied on: everybody who follows this log comes back and resumes."""
        feed = self._feeds[name]
        members = feed.members()
        feed.reset()
        self._audiences.pop(name, None)
        feed.empty_since_s = self._clock.monotonic()
        for connection in members:
            connection.feeds.discard(name)
            connection.close(CloseCode.STATE_LOST, "Events were missed. Please resume.")

    def heads(self, reply: HeadsCompared) -> None:
        """Repairs every room whose head is not where it should be."""
        for head in reply.rooms:
            name = channels.room(head.room)
            self._take_late(name)
            feed = self._feeds.get(name)
            if feed is not None and feed.is_live and _is_behind(feed, head, self._asked.get(name, 0)):
                feed.ask_repair()
                self._repair(name)

    def compare_heads(self) -> None:
        """Asks where all rooms' heads are, one command per shard (in pieces of 500)."""
        by_shard: dict[int, list[str]] = {}
        self._asked = {}
        for name, feed in self._feeds.items():
            if feed.is_live and not feed.is_empty and name.startswith(_ROOM):
                room = name.removeprefix(_ROOM)
                by_shard.setdefault(channels.shard_of(room), []).append(room)
                self._asked[name] = feed.seq
        for shard, rooms in by_shard.items():
            for start in range(0, len(rooms), HEADS_PER_COMMAND):
                self._chat.compare_heads(shard, rooms[start : start + HEADS_PER_COMMAND])

    async def check_users(self) -> None:
        """After a lost link: whether personal logs have moved on meanwhile. One after another, as nobody waits for it."""
        names = [name for name in self._feeds if name.startswith(_USER)]
        while names:
            try:
                await self._check_user(names[-1])
            except AppError:
                await asyncio.sleep(CHECK_RETRY_S)  # the chat service is away: nothing that it says was missed yet
            else:
                names.pop()

    async def _check_user(self, name: str) -> None:
        feed = self._feeds.get(name)
        if feed is None or not feed.is_live or feed.is_empty:
            return
        reply = await self._chat.ask(None, Recover("@me", "", feed.seq), name.removeprefix(_USER))
        if isinstance(reply, Recovered) and reply.head > feed.seq and self._feeds.get(name) is feed:
            self._metrics.repairs.labels("personal").inc()
            self.lose(name)

    def sweep(self) -> None:
        """Gives up what nobody has followed for a while, and compares heads again where nobody listened."""
        if self._chat.heads_unheard:
            self._chat.heads_unheard = False
            self.compare_heads()
        horizon_s = self._clock.monotonic() - self._keep_s
        over = [
            name
            for name, feed in self._feeds.items()
            if feed.is_empty and feed.empty_since_s is not None and feed.empty_since_s <= horizon_s
        ]
        for name in over:
            del self._feeds[name]
            self._audiences.pop(name, None)
        if over:
            self._subscriptions.drop(over)
        for feed in self._feeds.values():
            if feed.empty_since_s is None and feed.is_empty:
                feed.empty_since_s = self._clock.monotonic()

    def _pass_on(self, name: str, feed: LogFeed, outcome: Outcome[Connection, LogEvent]) -> None:
        for delivery in outcome.deliveries:
            self._deliver(name, feed, delivery)
        if any(isinstance(event, RoomEvent) and event.left for row in outcome.deliveries for event in row.events):
            self._detach_left(name, feed, outcome.deliveries)
        if outcome.gap:
            self._repair(name)

    def _deliver(self, name: str, feed: LogFeed, delivery: Delivery[Connection, LogEvent]) -> None:
        frames = [event.frame for event in delivery.events]
        framed = _framed(frames)
        if delivery.is_whole and len(delivery.members) >= WIDE:
            failed = self._audience(name, feed).write(framed, delivery.members)
        else:
            failed = write_each(framed, delivery.members)
        self._delivered.inc(len(delivery.members) * len(frames))
        for member, fault in failed:
            member.failed("write", fault)

    def _audience(self, name: str, feed: LogFeed) -> Audience:
        audience = self._audiences.get(name)
        if audience is None or audience.changes != feed.changes:
            audience = self._audiences[name] = Audience(feed.aligned, feed.changes)
        return audience

    def _mention(self, feed: LogFeed, frames: Sequence[bytes]) -> None:
        """What is said in passing: to those who have been told where they stand, and only where the queue is short."""
        framed = _framed(frames)
        told = dropped = 0
        for member in [*feed.aligned, *feed.ahead]:
            if member.enqueue_passing(framed[member.slot]):
                told += 1
            else:
                dropped += 1
        self._passing_told.inc(told * len(frames))
        self._passing_dropped.inc(dropped * len(frames))

    def _detach_left(self, name: str, feed: LogFeed, deliveries: Sequence[Delivery[Connection, LogEvent]]) -> None:
        """Those whose membership has just ended have got that event, and get no more."""
        left = {event.left for row in deliveries for event in row.events if isinstance(event, RoomEvent)}
        for connection in [*feed.aligned, *feed.ahead]:
            if connection.user in left:
                self.leave(connection, name)

    def _repair(self, name: str) -> None:
        if name.startswith(_USER):
            self._metrics.repairs.labels("personal").inc()
            self.lose(name)
            return
        try:
            self._errands.start("repair", self._repair_room(name))
        except Busy:
            self.lose(name)

    async def _repair_room(self, name: str) -> None:
        room = name.removeprefix(_ROOM)
        for pause_s in REPAIR_PAUSES_S:
            await asyncio.sleep(pause_s)
            feed = self._feeds.get(name)
            if feed is None or not feed.repairing:
                return
            try:
                reply = await self._chat.ask(None, Repair(room, feed.epoch, feed.seq))
            except Busy:
                continue
            except AppError:
                break
            if not isinstance(reply, Recovered) or not reply.recovered or reply.epoch != feed.epoch:
                break
            outcome = feed.repaired(reply.events)
            gap, outcome = outcome.gap, Outcome(outcome.deliveries)
            self._pass_on(name, feed, outcome)
            if not gap:
                self._metrics.repairs.labels("repaired").inc()
                return
        if name in self._feeds:
            self._metrics.repairs.labels("lost").inc()
            log.warning("repair_failed")
            self.lose(name)


def _framed(frames: Sequence[bytes]) -> tuple[bytes, bytes]:
    """JSON frames as they go over each transport, by `Connection.slot`."""
    return (
        b"".join(map(TcpConnection.frame_json, frames)),
        b"".join(map(WebSocketConnection.frame_json, frames)),
    )


def _is_behind(feed: LogFeed, head: RoomHead, asked_seq: int) -> bool:
    """Whether the store has events that this gateway has not seen, or is not the store it was: then even the head is older than what was seen before."""
    return head.epoch != feed.epoch or head.seq > feed.seq or head.seq < asked_seq
