"""The cursor rule (docs/protocol.md §3), so that a program sees each event exactly once and in order.

Per room the client keeps a cursor `(epoch, seq)`: the last event it has handed to the program. An event at or below it is dropped, the
next one is taken, a greater one is a `Gap`: something was lost, and the connection is made anew with `resume`. Three things make it more
than a comparison:

- *Filling.* After a reconnect the server may say `recovered: false`: too much was missed. Then what lies between the cursor and the head
  is read with `history`, and pushes of that room wait (`_held`) until it has been.
- *Joining.* A push can come before the answer to the `join` that caused it, and after a lost connection the answer may be that of the
  first attempt, with a cursor that lies before what `connect` calls the head. So a room whose `join` (or any room, while a `create_room`)
  is unanswered waits too, and what lies between is filled.
- *Restoring.* Another epoch means that the server's store was restored: an event `reset` tells the program to read the room anew.

Nothing here waits or talks: `Delivery` says what to hand over and which rooms to fill.
"""

from dataclasses import dataclass, field
from typing import NamedTuple

from .hearing import Event, RoomInfo
from .replies import Connected, HistoryPage, RoomState

MAX_HELD = 10_000
"""Events that wait for one room: far above what a room says while a page of history is read; above it the connection is made anew."""

ME = "@me"


class Gap(Exception):
    """Events are missing between the cursor and what came: reconnect with `resume`."""


class Cursor(NamedTuple):
    """The last event seen of a room."""

    epoch: str
    seq: int


@dataclass(slots=True)
class Delivery:
    """What follows from something heard: events for the program, in order, and rooms whose history is to be read."""

    events: list[Event] = field(default_factory=list)
    fill: list[str] = field(default_factory=list)


class Cursors:
    """All cursors of one user's client, over all of its connections."""

    def __init__(self) -> None:
        """Nothing has been seen yet."""
        self._rooms: dict[str, Cursor] = {}
        self._me: int | None = None
        self._user: str | None = None
        self._held: dict[str, list[Event]] = {}
        self._targets: dict[str, int] = {}
        self._starts: dict[str, Cursor] = {}
        self._joining: dict[str, str | None] = {}

    def resume(self) -> dict[str, object]:
        """The cursors as `connect` takes them."""
        told: dict[str, object] = {room: list(cursor) for room, cursor in self._rooms.items()}
        if self._me is not None:
            told[ME] = self._me
        return told

    def of(self, room: str) -> Cursor | None:
        """The cursor of a room, None before anything of it was seen."""
        return self._rooms.get(room)

    def filling(self, room: str) -> Cursor | None:
        """From where a room's history is to be read, None when nothing is missing (any more)."""
        return self._rooms.get(room) if room in self._targets else None

    def connected(self, reply: Connected) -> Delivery:
        """A new connection stands: compares its rooms with the cursors. What an older connection left half done is forgotten."""
        self._user = reply.user.id
        self._held.clear()
        self._targets.clear()
        self._starts.clear()
        delivery = Delivery()
        for room in [room for room in self._rooms if room not in reply.rooms]:
            del self._rooms[room]
            delivery.events.append(Event(op="gone", room=room))
        for room, state in reply.rooms.items():
            self._compare(room, state, delivery)
        if self._me is None or not reply.me.recovered:
            self._me = reply.me.head
        return delivery

    def _compare(self, room: str, state: RoomState, delivery: Delivery) -> None:
        """One room of the `connect` answer against its cursor."""
        cursor = self._rooms.get(room)
        head = Cursor(state.epoch, state.head)
        if cursor is None:
            if self._awaited(room):
                self._held[room] = []
                self._starts[room] = head
            else:
                self._rooms[room] = head
        elif cursor.epoch != state.epoch:
            self._rooms[room] = head
            delivery.events.append(Event(op="reset", room=room, epoch=state.epoch, seq=state.head))
        elif not state.recovered and state.head > cursor.seq:
            self._begin_fill(room, state.head, delivery)

    def _begin_fill(self, room: str, head: int, delivery: Delivery) -> None:
        self._held.setdefault(room, [])
        self._targets[room] = head
        delivery.fill.append(room)

    def heard(self, event: Event) -> list[Event]:
        """The events to hand over after this push: none (seen already, or it waits) or itself.

        Raises:
            Gap: something between the cursor and this event is missing.
        """
        if event.log == ME:
            return self._heard_mine(event)
        room = event.room_id
        if room is None or event.seq is None or event.epoch is None:
            return [event]
        held = self._held.get(room)
        if held is None and room not in self._rooms and self._awaited(room):
            held = self._held[room] = []
        if held is not None:
            if len(held) >= MAX_HELD:
                raise Gap
            held.append(event)
            return []
        return [event] if self._take(room, Cursor(event.epoch, event.seq), event) else []

    def _heard_mine(self, event: Event) -> list[Event]:
        """An event of one's own log."""
        if event.seq is None:
            return [event]
        if self._me is not None and event.seq <= self._me:
            return []
        if self._me is not None and event.seq > self._me + 1:
            raise Gap
        self._me = event.seq
        room = event.room
        if isinstance(room, RoomInfo) and event.kind in ("joined", "direct") and room.epoch:
            unknown = room.id not in self._rooms and room.id not in self._held
            if unknown and not self._awaited(room.id):
                self._rooms[room.id] = Cursor(room.epoch, room.head)
        return [event]

    def _take(self, room: str, at: Cursor, event: Event) -> bool:
        """Applies the rule to one event; whether it is to be handed over.

        Raises:
            Gap: it is of another epoch, or not the next one.
        """
        cursor = self._rooms.get(room)
        if cursor is not None:
            if at.epoch != cursor.epoch or at.seq > cursor.seq + 1:
                raise Gap
            if at.seq <= cursor.seq:
                return False
        self._rooms[room] = at
        mine = event.user is not None and event.user.id == self._user
        if mine and event.ends_membership:
            del self._rooms[room]
        return True

    def filled(self, room: str, page: HistoryPage) -> list[Event]:
        """A page of history, read from `filling(room)` on: the events to hand over. The room is done when `filling` says None.

        Raises:
            Gap: the room got another epoch meanwhile.
        """
        cursor, target = self._rooms.get(room), self._targets.get(room)
        if cursor is None or target is None:
            return []
        if page.epoch != cursor.epoch:
            raise Gap
        events = [event for event in page.events if event.seq is not None and event.seq > cursor.seq]
        last = max((event.seq for event in events if event.seq is not None), default=cursor.seq)
        if last >= target or not page.more or not events:
            self._rooms[room] = Cursor(cursor.epoch, max(last, target))
            del self._targets[room]
            return events + self._release(room)
        self._rooms[room] = Cursor(cursor.epoch, last)
        return events

    def unreadable(self, room: str) -> None:
        """The history of a room that was to be filled is not (any more) for this user: forgets the room."""
        self._rooms.pop(room, None)
        self._held.pop(room, None)
        self._targets.pop(room, None)
        self._starts.pop(room, None)

    def joining(self, cmid: str, room: str | None) -> None:
        """A `join` of `room`, or a `create_room` (None), has been asked for and is not answered."""
        self._joining[cmid] = room

    def joined(self, cmid: str, room: str, start: Cursor) -> Delivery:
        """The answer to `join` or `create_room` has come; `start` is the cursor that it gives.

        Raises:
            Gap: what has waited for it does not follow on.
        """
        self._joining.pop(cmid, None)
        delivery = Delivery()
        if room not in self._rooms:
            head = self._starts.pop(room, start)
            self._rooms[room] = start if head.epoch == start.epoch else head
            if head.epoch == start.epoch and head.seq > start.seq:
                self._begin_fill(room, head.seq, delivery)
            else:
                delivery.events += self._release(room)
        return self._release_unawaited(delivery)

    def not_joined(self, cmid: str) -> Delivery:
        """A `join` or `create_room` has failed or been given up."""
        self._joining.pop(cmid, None)
        return self._release_unawaited(Delivery())

    def left(self, room: str) -> None:
        """The answer to `leave` has come."""
        self.unreadable(room)

    def _awaited(self, room: str) -> bool:
        """Whether the start of this room may yet be told by the answer to a request."""
        return any(wanted is None or wanted == room for wanted in self._joining.values())

    def _release_unawaited(self, delivery: Delivery) -> Delivery:
        """Lets go of rooms that waited for an answer which now cannot come."""
        for room in [room for room in self._held if room not in self._rooms and not self._awaited(room)]:
            start = self._starts.pop(room, None)
            if start is not None:
                self._rooms[room] = start
            delivery.events += self._release(room)
        return delivery

    def _release(self, room: str) -> list[Event]:
        """The events that waited for a room, as far as they are new."""
        held = ((event, event.epoch, event.seq) for event in self._held.pop(room, []))
        return [
            event
            for event, epoch, seq in held
            if epoch is not None and seq is not None and self._take(room, Cursor(epoch, seq), event)
        ]
