"""Marks of what was surely published, and the events above them: all their SQL, on the database's thread, inside a transaction.

A log is a room's history or a user's own log (`@me`). Its mark follows its head: it is written with the next transaction after a publish, so
after a crash some events go out twice and none is left out.
"""

import sqlite3
from dataclasses import dataclass
from enum import Enum

from garita_common.core.records import AttachRoom, PersonalEvent, RoomEvent

CATCH_UP_EVENTS = 64
CATCH_UP_LOGS = 32


class LogKind(Enum):
    """Whose history a log is."""

    ROOM = "room"
    USER = "user"


@dataclass(frozen=True, slots=True)
class Log:
    """A history with a mark."""

    kind: LogKind
    id: str


@dataclass(frozen=True, slots=True)
class Unpublished:
    """A log's oldest events above its mark. `is_last`: up to its head. `epoch` is a room's."""

    log: Log
    epoch: str
    room_events: list[RoomEvent]
    personal_events: list[PersonalEvent]
    is_last: bool

    @property
    def seq(self) -> int:
        """The newest one's seq."""
        events = self.room_events or self.personal_events
        return events[-1].seq if events else 0


def mark(db: sqlite3.Connection, marks: dict[Log, int]) -> None:
    """Moves marks forward, never back."""
    for kind, table in ((LogKind.ROOM, "rooms"), (LogKind.USER, "users")):
        rows = [(seq, log.id) for log, seq in marks.items() if log.kind is kind]
        if rows:
            db.executemany(f"UPDATE {table} SET published = max(published, ?) WHERE id = ?", rows)  # noqa: S608  # two constants


def logs_behind(db: sqlite3.Connection) -> list[Log]:
    """Every log with something above its mark."""
    rooms = [Log(LogKind.ROOM, row[0]) for row in db.execute("SELECT id FROM rooms WHERE published < head")]
    return rooms + [Log(LogKind.USER, row[0]) for row in db.execute("SELECT id FROM users WHERE published < head")]


def unpublished(db: sqlite3.Connection, logs: list[Log]) -> list[Unpublished]:
    """What is above the marks of these logs, oldest first and a bounded number for each; a log that has caught up gives an empty entry."""
    return [_of_room(db, log) if log.kind is LogKind.ROOM else _of_user(db, log) for log in logs]


def _of_room(db: sqlite3.Connection, log: Log) -> Unpublished:
    row = db.execute("SELECT epoch, published, head FROM rooms WHERE id = ?", (log.id,)).fetchone()
    epoch, published, head = row or ("", 0, 0)
    events = [
        RoomEvent(*found)
        for found in db.execute(
            "SELECT seq, frame, leaver FROM events WHERE room = ? AND seq > ? ORDER BY seq LIMIT ?",
            (log.id, published, CATCH_UP_EVENTS),
        )
    ]
    return Unpublished(log, epoch, events, [], is_last=not events or events[-1].seq >= head)


def _of_user(db: sqlite3.Connection, log: Log) -> Unpublished:
    row = db.execute("SELECT published, head FROM users WHERE id = ?", (log.id,)).fetchone()
    published, head = row or (0, 0)
    events = [
        PersonalEvent(seq, frame, AttachRoom(room, epoch, start) if room is not None else None)
        for seq, frame, room, epoch, start in db.execute(
            "SELECT seq, frame, attach_room, attach_epoch, attach_seq FROM notices WHERE user = ? AND seq > ? ORDER BY seq LIMIT ?",
            (log.id, published, CATCH_UP_EVENTS),
        )
    ]
    return Unpublished(log, "", [], events, is_last=not events or events[-1].seq >= head)
