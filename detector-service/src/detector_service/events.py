"""Events in the database: each once, however often Redis delivers it."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from garita_common.core import activity

from .core import facts
from .store import Db, Row, rows_of

OPERATOR_STREAM = "operator"
LATE_KINDS = ("auth.ok", "auth.fail", "admin.unban")
"""What a walk of ten half-lives can still hold; all other rules look back an hour at most."""
PAGE = 5_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One readable entry of a stream; `data` is its field as it came."""

    stream: str
    stream_id: str
    event: activity.Event
    data: bytes


async def insert(db: Db, entries: Sequence[Entry], seen_ms: int) -> list[tuple[int, Entry]]:
    """Stores what is not stored yet; returns only that, with its row, in the order of `entries`."""
    before = (await rows_of(db, "SELECT coalesce(max(id), 0) FROM events"))[0][0]
    await db.executemany(
        "INSERT INTO events (stream, stream_id, kind, at_ms, seen_ms, unit, user, device, account, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (stream, stream_id) DO NOTHING",
        [_columns(entry, seen_ms) for entry in entries],
    )
    stored = await rows_of(db, "SELECT id, stream, stream_id FROM events WHERE id > ? ORDER BY id", (before,))
    by_name = {(entry.stream, entry.stream_id): entry for entry in entries}
    return [(row["id"], by_name[row["stream"], row["stream_id"]]) for row in stored]


async def remove(db: Db, numbers: Sequence[int]) -> None:
    """Takes back rows of this transaction that could not be judged."""
    await db.executemany("DELETE FROM events WHERE id = ?", [(number,) for number in numbers])


async def since(db: Db, *, short_ms: int, long_ms: int) -> AsyncIterator[list[Row]]:
    """Pages of the events that still count, in the order they came: all seen after `short_ms`, logins and lifts after `long_ms`."""
    last = 0
    while True:
        page = await rows_of(
            db,
            "SELECT id, stream, seen_ms, body FROM events WHERE id > ? AND seen_ms > ? AND (seen_ms > ? OR kind IN (?, ?, ?))"
            " ORDER BY id LIMIT ?",
            (last, long_ms, short_ms, *LATE_KINDS, PAGE),
        )
        if page:
            yield page
        if len(page) < PAGE:
            return
        last = page[-1]["id"]


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
        " AND NOT EXISTS (SELECT 1 FROM decisions d WHERE d.event = e.id) ORDER BY seen_ms LIMIT ?) RETURNING id",
        (plain_ms, at_most),
    )
    wiped = await rows_of(
        db,
        "UPDATE events SET body = x'', unit = '', user = '', device = '', account = '' WHERE id IN"
        " (SELECT id FROM events WHERE seen_ms < ? AND body <> x'' ORDER BY seen_ms LIMIT ?) RETURNING id",
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
