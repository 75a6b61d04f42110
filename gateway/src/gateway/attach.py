"""Attaching: from "this user is here" to "every event after the cursor, once and in order" (docs/protocol.md §2.1).

The order is what makes it gapless. The channels are subscribed and confirmed; from then on live events are kept for this connection; only then the store is
asked for what follows the client's cursor. The answer goes out, then what was missed, then what was kept and is newer. A room whose place this gateway
knows already needs no question when the client has just been there: a reconnect storm is answered from memory.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from garita_common.bus import Unlinked
from garita_common.core import channels, pushes
from garita_common.core.errors import AppError, BadRequest, Busy, CloseCode, Internal
from garita_common.core.frames import Connect, Cursor
from garita_common.core.records import Attach, Attached, AttachRoom, Recover, Recovered, Reply, RoomEvent

from .chat_link import ChatLink, Gone
from .connection import Connection
from .hub import Hub, LogEvent
from .metrics import Metrics

ME = "@me"
SETTLE_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class AttachLimits:
    """How much one attach may bring."""

    rooms: int
    recovery_bytes: int


@dataclass(slots=True)
class Cut:
    """Where a client stands in one log when its answer goes out: everything up to `head` is told with it or was known before."""

    name: str
    epoch: str
    head: int
    recovered: bool
    events: list[RoomEvent] = field(default_factory=list)


class Attacher:
    """Attaches connections to the logs of their user."""

    def __init__(self, chat: ChatLink, hub: Hub, metrics: Metrics, limits: AttachLimits) -> None:
        """Args: limits: of one connection."""
        self._chat = chat
        self._hub = hub
        self._metrics = metrics
        self._limits = limits

    async def connect(self, connection: Connection, op: Connect) -> dict[str, Cut]:
        """Attaches to all of the user's rooms; the cuts by room, and the personal log's under "@me". Nothing is sent yet: `release` does that.

        Raises:
            AppError: it could not be done; the connection follows nothing then.
            Gone: the connection ended meanwhile.
        """
        try:
            return await self._connect(connection, op)
        except (Unlinked, TimeoutError) as exc:
            self._hub.leave_all(connection)
            raise Busy from exc
        except BaseException:
            self._hub.leave_all(connection)
            raise

    def release(self, connection: Connection, cuts: Iterable[Cut]) -> list[tuple[str, int]]:
        """Sends what was missed and what was kept; returns the logs (and heads) for which too much was kept."""
        frames: list[bytes] = []
        again: list[tuple[str, int]] = []
        for cut in cuts:
            frames += [event.frame for event in cut.events]
            kept = self._settle(connection, cut.name, cut.head)
            if kept is None:
                again.append((cut.name, cut.head))
            else:
                frames += [event.frame for event in kept]
        connection.catch_up(frames)
        return again

    async def attach_room(self, connection: Connection, directive: AttachRoom, answer: bytes = b"") -> None:
        """Attaches to one more room, then sends the answer (if any), then what happened in the room since; failing that, the client has to resume."""
        name = channels.room(directive.room)
        try:
            cut = await self._attach_room(connection, name, directive)
        except (AppError, Unlinked, TimeoutError):
            if answer:
                connection.send_json(answer)
            connection.close(CloseCode.STATE_LOST, "The room could not be attached. Please resume.")
            return
        if answer:
            connection.send_json(answer)
        if cut is not None:
            await self.catch_up(connection, self.release(connection, [cut]))

    async def catch_up(self, connection: Connection, behind: list[tuple[str, int]]) -> None:
        """Asks again for logs of which too much was kept while the first question was answered."""
        for name, head in behind:
            for _ in range(SETTLE_ATTEMPTS):
                cut = await self._again(connection, name, head)
                if cut is None or not self.release(connection, [cut]):
                    break
                head = cut.head
            else:
                connection.close(CloseCode.STATE_LOST, "Events came faster than they could be told. Please resume.")
                return

    async def _connect(self, connection: Connection, op: Connect) -> dict[str, Cut]:
        cursors = _cursors(op)
        attached = await self._chat.ask(connection, Attach())
        _check(connection)
        if not isinstance(attached, Attached):
            raise Internal
        rooms = [head.room for head in attached.rooms[: self._limits.rooms]]
        names = {room: channels.room(room) for room in rooms} | {ME: channels.user(connection.user)}
        await self._hub.open(names.values())
        _check(connection)
        cuts: dict[str, Cut] = {}
        asks: list[tuple[str, Recover]] = []
        for room, name in names.items():
            feed = self._hub.wait(connection, name)
            cursor = cursors.get(room)
            known = cursor is not None and (cursor.epoch, cursor.seq) == (feed.epoch, feed.seq)
            if feed.is_live and (cursor is None or known):
                cuts[room] = Cut(name, feed.epoch, feed.seq, recovered=known)
            else:
                asks.append((room, _question(room, cursor)))
        cuts |= await self._recover_all(connection, names, asks)
        return {room: cuts[room] for room in names if room in cuts}

    async def _recover_all(
        self, connection: Connection, names: dict[str, str], asks: list[tuple[str, Recover]]
    ) -> dict[str, Cut]:
        """Asks for all logs together, and takes the answers in within the bytes that one resume may get."""
        posted: list[tuple[str, Recover, asyncio.Future[Reply]]] = []
        cuts: dict[str, Cut] = {}
        left = self._limits.recovery_bytes
        try:
            for room, ask in asks:
                posted.append((room, ask, self._chat.post(connection, ask)))
            for room, ask, future in posted:
                cut = self._cut(connection, names[room], ask, await future, left)
                if cut is not None:
                    cuts[room] = cut
                    left -= sum(len(event.frame) for event in cut.events)
        finally:
            for _, _, future in posted:
                future.cancel()
        return cuts

    async def _attach_room(self, connection: Connection, name: str, directive: AttachRoom) -> Cut | None:
        if self._hub.follows(connection, name) or len(connection.feeds) > self._limits.rooms:
            return None
        await self._hub.open([name])
        _check(connection)
        if self._hub.follows(connection, name):
            return None
        feed = self._hub.wait(connection, name)
        if feed.is_live and (feed.epoch, feed.seq) == (directive.epoch, directive.seq):
            return Cut(name, feed.epoch, feed.seq, recovered=True)
        ask = Recover(directive.room, directive.epoch, directive.seq)
        return await self._recover(connection, name, ask)

    async def _again(self, connection: Connection, name: str, head: int) -> Cut | None:
        room = name.split(":", 1)[1] if name.startswith("room:") else ME
        feed = self._hub.wait(connection, name)
        try:
            return await self._recover(connection, name, Recover(room, feed.epoch, head))
        except AppError:
            connection.close(CloseCode.STATE_LOST, "Events were missed. Please resume.")
            raise Gone from None

    async def _recover(self, connection: Connection, name: str, ask: Recover) -> Cut | None:
        """Where the client stands in this log; None if it is no longer the user's."""
        return self._cut(connection, name, ask, await self._chat.ask(connection, ask), self._limits.recovery_bytes)

    def _cut(self, connection: Connection, name: str, ask: Recover, reply: Reply, max_bytes: int) -> Cut | None:
        _check(connection)
        if not isinstance(reply, Recovered):
            raise Internal
        if reply.gone:
            self._hub.leave(connection, name)
            return None
        if not self._hub.recovered(name, reply):
            raise Gone
        size = sum(len(event.frame) for event in reply.events)
        if not reply.recovered or not _has_cursor(ask) or size > max_bytes:
            return Cut(name, reply.epoch, reply.head, recovered=False)
        return Cut(name, reply.epoch, reply.head, recovered=True, events=reply.events)

    def _settle(self, connection: Connection, name: str, head: int) -> list[LogEvent] | None:
        if not self._hub.follows(connection, name):
            return []
        feed = self._hub.feed(name)
        kept = feed.settle(connection, head)
        for place, event in enumerate(kept or ()):
            if isinstance(event, RoomEvent) and event.left == connection.user:
                self._hub.leave(connection, name)
                return kept[: place + 1] if kept else []
        return kept


def answer_fields(cuts: dict[str, Cut]) -> dict[str, Any]:
    """The part of a connect's answer that tells where the client stands."""
    rooms = {
        room: {"epoch": cut.epoch, "head": cut.head, "recovered": cut.recovered}
        for room, cut in cuts.items()
        if room != ME
    }
    me = cuts.get(ME)
    return {"rooms": rooms, "me": {"head": me.head if me else 0, "recovered": bool(me and me.recovered)}}


def answer(request_id: int, fields: dict[str, Any], cuts: dict[str, Cut]) -> bytes:
    """The answer to a connect."""
    return pushes.ok(request_id, fields | answer_fields(cuts))


def _check(connection: Connection) -> None:
    if connection.closed:
        raise Gone


def _cursors(op: Connect) -> dict[str, Cursor]:
    """The client's cursors, the personal log's as one with an empty epoch.

    Raises:
        BadRequest: a cursor of the wrong shape.
    """
    cursors: dict[str, Cursor] = {}
    for room, cursor in op.resume.items():
        if (room == ME) == isinstance(cursor, Cursor):
            raise BadRequest('A cursor in resume is "r…": [epoch, seq], or "@me": seq.')
        cursors[room] = cursor if isinstance(cursor, Cursor) else Cursor("", cursor)
    return cursors


def _question(room: str, cursor: Cursor | None) -> Recover:
    """The question for what follows a cursor; without one only the head is asked for."""
    if room == ME:
        return Recover(ME, "", -1 if cursor is None else cursor.seq)
    return Recover(room, "", 0) if cursor is None else Recover(room, cursor.epoch, cursor.seq)


def _has_cursor(ask: Recover) -> bool:
    """Whether the question was for events, not for the head alone."""
    return ask.seq >= 0 if ask.room == ME else ask.epoch != ""
