"""Events in the database: each once, however often Redis delivers it."""

from collections.abc import AsyncIterator, Sequence

from msgspec import Struct

from garita_common.core import activity

from .core import facts
from .store import Db, Row, one, rows_of

OPERATOR_STREAM = "operator"
PAGE = 1_000
"""Rows that are taken in at once: some 20 ms of work."""
HORIZONS_MS = {
    "auth.ok": 48 * 3_600_000,  # the walks: ten half-lives, and to spare
    "auth.fail": 48 * 3_600_000,
    "admin.unban": 48 * 3_600_000,
    "proto.violation": 3_660_000,  # an hour, and a minute for what comes late
    "rate.hit": 600_000,  # the deepest bucket has leaked in 200 s
    "conn.open": 600_000,
    "msg.sent": 70_000,  # ten seconds, and a minute
}
"""How long an event of each kind can still count. No rule counts the others. A month of messages must not make a start slow."""


class Entry(Struct, frozen=True):
    """One readable entry of a stream; `data` is its field as it came."""

    stream: str
    stream_id: str
    event: activity.Event
    data: bytes


async def insert(db: Db, entries: Sequence[Entry], seen_ms: int) -> list[tuple[int, Entry]]:
    """Stores what is not stored yet; returns only that, with its row, in the order of `entries`."""
    before = (await rows_of(db, "SELECT coalesce(max(id), 0) FROM events"))[0][0]
    written = await db.executemany(
        "INSERT INTO events (stream, stream_id, kind, at_ms, seen_ms, unit, user, device, account, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, stream_id) DO NOTHING",
        [_columns(entry, seen_ms) for entry in entries],
    )
    if written.rowcount == len(entries):
        return list(enumerate(entries, before + 1))  # as SQLite numbers them
    stored = await rows_of(db, "SELECT id, stream, stream_id FROM events WHERE id > ? ORDER BY id", (before,))
    by_name = {(entry.stream, entry.stream_id): entry for entry in entries}
    return [(number, by_name[stream, name]) for number, stream, name in stored]


async def remove(db: Db, numbers: Sequence[int]) -> None:
    """Takes back rows of this transaction that could not be judged."""
    await db.executemany("DELETE FROM events WHERE id = ?", [(number,) for number in numbers])


async def last_seen_ms(db: Db) -> int:
    """When the newest event was seen; 0 where there is none."""
    row = await one(db, "SELECT seen_ms FROM events ORDER BY id DESC LIMIT 1")
    return int(row["seen_ms"]) if row else 0


async def that_count(db: Db, reference_ms: int) -> AsyncIterator[list[Row]]:
    """Pages of the events that could still count at `reference_ms`, in the order they came."""
    chosen = " UNION ALL ".join(
        ["SELECT id, stream, seen_ms, body FROM events WHERE kind = ? AND seen_ms > ?"] * len(HORIZONS_MS)
    )
    parameters = [value for kind, horizon_ms in HORIZONS_MS.items() for value in (kind, reference_ms - horizon_ms)]
    async with db.execute(f"{chosen} ORDER BY 1", parameters) as cursor:
        while page := list(await cursor.fetchmany(PAGE)):
            yield page


async def of_subject(db: Db, subject: str, limit: int) -> list[Row]:
    """The newest events of a subject, newest first; none for a kind of subject that does not exist."""
    column, _, _ = subject.partition(":")
    statement = _BY_SUBJECT.get(column)
    return await rows_of(db, statement, (subject, limit)) if statement else []


async def of_decision(db: Db, decision: int) -> list[Row]:
    """The events that a decision rests on, oldest first."""
    return await rows_of(
        db,
        "SELECT e.id, e.stream, e.stream_id, e.kind, e.at_ms, e.seen_ms, e.body FROM evidence v JOIN events e ON e.id = v.event"
        " WHERE v.decision = ? ORDER BY e.at_ms, e.id",
        (decision,),
    )


async def forget(db: Db, *, plain_ms: int, evidence_ms: int, at_most: int) -> int:
    """Deletes up to `at_most` events seen before `plain_ms` that no decision names, and wipes older evidence's bodies; returns how many."""
    gone = await rows_of(
        db,
        "DELETE FROM events WHERE id IN (SELECT id FROM events e WHERE seen_ms < ?"
        " AND NOT EXISTS (SELECT 1 FROM evidence v WHERE v.event = e.id)"
        " AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.event = e.id) ORDER BY id LIMIT ?) RETURNING id",
        (plain_ms, at_most),
    )
    wiped = await rows_of(
        db,
        "UPDATE events SET body = x'', unit = '', user = '', device = '', account = '' WHERE id IN"
        " (SELECT id FROM events WHERE seen_ms < ? AND body <> x'' ORDER BY id LIMIT ?) RETURNING id",
        (evidence_ms, at_most),
    )
    return len(gone) + len(wiped)


_NEWEST = "SELECT id, stream, stream_id, kind, at_ms, seen_ms, body FROM events"
_BY_SUBJECT = {
    "addr": _NEWEST + " WHERE unit = ? AND unit <> '' ORDER BY id DESC LIMIT ?",
    "user": _NEWEST + " WHERE user = ? AND user <> '' ORDER BY id DESC LIMIT ?",
    "device": _NEWEST + " WHERE device = ? AND device <> '' ORDER BY id DESC LIMIT ?",
    "account": _NEWEST + " WHERE account = ? AND account <> '' ORDER BY id DESC LIMIT ?",
}


def _columns(entry: Entry, seen_ms: int) -> tuple[str | int | bytes, ...]:
    event = entry.event
    at_ms = facts.happened_ms(event, seen_ms)
    subjects = facts.subjects_of(event)
    return (entry.stream, entry.stream_id, activity.kind_of(event), at_ms, seen_ms, *subjects, entry.data)
