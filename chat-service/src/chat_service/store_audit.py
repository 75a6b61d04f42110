"""Rows of the audit trail, of reports and of who is kept out: all their SQL, on the database's thread, inside a transaction."""

import sqlite3
from typing import Any

import msgspec

from .core.moderation import Action, Ban, Entry, Report
from .core.rooms import Kind, User

_encode = msgspec.json.Encoder().encode
_ENTRY = "SELECT audit.room, audit.n, ts, action, actor, coalesce(a.name, ''), user, coalesce(u.name, ''), audit.mid, note, detail"
_NAMES = " LEFT JOIN users AS a ON a.id = actor LEFT JOIN users AS u ON u.id = user"


def add_entry(db: sqlite3.Connection, entry: Entry) -> int:
    """Stores the room's next entry; gives its number. Args: entry: its `n` is not looked at."""
    (n,) = db.execute("SELECT coalesce(max(n), 0) + 1 FROM audit WHERE room = ?", (entry.room,)).fetchone()
    db.execute(
        "INSERT INTO audit (room, n, ts, action, actor, user, mid, note, detail) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            entry.room,
            n,
            entry.ts,
            entry.action.value,
            entry.by.id if entry.by else "",
            entry.user.id if entry.user else "",
            entry.mid,
            entry.note,
            _encode(entry.detail),
        ),
    )
    return int(n)


def entries(db: sqlite3.Connection, room: str, before: int | None, limit: int) -> list[Entry]:
    """A room's entries, newest first, with the newest names."""
    rows = db.execute(
        f"{_ENTRY} FROM audit{_NAMES} WHERE audit.room = ? AND audit.n < ? ORDER BY audit.n DESC LIMIT ?",  # constants
        (room, 2**62 if before is None else before, limit),
    )
    return [_entry(row) for row in rows]


def add_report(db: sqlite3.Connection, reporter: str, mid: str, room: str, n: int) -> None:
    """Keeps who reported."""
    db.execute("INSERT INTO reports (reporter, mid, room, n) VALUES (?, ?, ?, ?)", (reporter, mid, room, n))


def report_of(db: sqlite3.Connection, reporter: str, mid: str) -> int | None:
    """The number of a user's report of a message."""
    row = db.execute("SELECT n FROM reports WHERE reporter = ? AND mid = ?", (reporter, mid)).fetchone()
    return int(row[0]) if row else None


def reports(db: sqlite3.Connection, before: int | None, limit: int) -> list[Report]:
    """Reports of all rooms, newest first, with who made them: for the operator."""
    rows = db.execute(
        f"{_ENTRY}, reports.id, reporter, coalesce(r.name, ''), rooms.kind, rooms.title FROM reports"
        " JOIN audit ON audit.room = reports.room AND audit.n = reports.n JOIN rooms ON rooms.id = reports.room"
        f"{_NAMES} LEFT JOIN users AS r ON r.id = reporter WHERE reports.id < ? ORDER BY reports.id DESC LIMIT ?",
        (2**62 if before is None else before, limit),
    )
    return [
        Report(number, User(reporter, name), Kind(kind), title, _entry(tuple(entry)))
        for *entry, number, reporter, name, kind, title in rows
    ]


def ban(db: sqlite3.Connection, room: str, found: Ban) -> None:
    """Keeps a user out of a room."""
    db.execute(
        "INSERT INTO banned (room, user, by, ts, note) VALUES (?, ?, ?, ?, ?)",
        (room, found.user.id, found.by.id, found.ts, found.note),
    )


def unban(db: sqlite3.Connection, room: str, user: str) -> None:
    """Lets a user in again."""
    db.execute("DELETE FROM banned WHERE room = ? AND user = ?", (room, user))


def is_banned(db: sqlite3.Connection, room: str, user: str) -> bool:
    """Whether a user is kept out of a room."""
    return db.execute("SELECT 1 FROM banned WHERE room = ? AND user = ?", (room, user)).fetchone() is not None


def bans(db: sqlite3.Connection, room: str, after: str, limit: int) -> list[Ban]:
    """Who is kept out of a room, by id, after one."""
    rows = db.execute(
        "SELECT user, coalesce(u.name, ''), by, coalesce(b.name, ''), ts, note FROM banned"
        " LEFT JOIN users AS u ON u.id = user LEFT JOIN users AS b ON b.id = by"
        " WHERE room = ? AND user > ? ORDER BY user LIMIT ?",
        (room, after, limit),
    )
    return [Ban(User(user, name), User(by, by_name), ts, note) for user, name, by, by_name, ts, note in rows]


def _entry(row: tuple[Any, ...]) -> Entry:
    room, n, ts, action, actor, actor_name, user, user_name, mid, note, detail = row
    return Entry(
        room=room,
        n=n,
        ts=ts,
        action=Action(action),
        by=User(actor, actor_name) if actor else None,
        user=User(user, user_name) if user else None,
        mid=mid,
        note=note,
        detail=msgspec.json.decode(detail, type=dict[str, str]),
    )
