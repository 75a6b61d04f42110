"""The outbox in the database: messages on their way, what was sent for the caps, and what was refused for good."""

from collections.abc import Sequence
from dataclasses import dataclass

from .core.caps import DAY_MS, RATIO_AGE_MS, Tally, Texts
from .core.identifiers import ContactKind
from .core.retrying import Queue
from .store import Db, Row, one, rows_of, run

FAILURES_KEPT_MS = 180 * DAY_MS


@dataclass(frozen=True, slots=True)
class Posted:
    """A message in the outbox; `sealed_body` opens with `at_ms`. `tries`: how often it was tried."""

    id: int
    kind: ContactKind
    queue: Queue
    contact_mark: bytes
    message_id: str
    sealed_body: bytes
    at_ms: int
    due_ms: int
    until_ms: int
    tries: int = 0


@dataclass(frozen=True, slots=True)
class Sending:
    """A message that a stranger could have caused: to whom, for which account ('' where there is none yet), and from where (b'' where addresses do not count)."""

    kind: ContactKind
    contact_mark: bytes
    user: str
    prefix_mark: bytes
    country: str
    known: bool


async def post(tx: Db, new: Posted) -> None:
    """Puts a message into the outbox, in the transaction of what it tells; its `id` is given by the database."""
    await run(
        tx,
        "INSERT INTO outbox (kind, queue, contact_mark, message_id, sealed_body, at_ms, due_ms, until_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new.kind.value,
            new.queue.value,
            new.contact_mark,
            new.message_id,
            new.sealed_body,
            new.at_ms,
            new.due_ms,
            new.until_ms,
        ),
    )


async def newest(db: Db, count: int) -> list[Posted]:
    """The newest messages, newest last."""
    rows = await rows_of(db, "SELECT * FROM outbox ORDER BY id DESC LIMIT ?", (count,))
    return [_posted(row) for row in reversed(rows)]


async def due(db: Db, kind: ContactKind, queue: Queue, now_ms: int, count: int) -> list[Posted]:
    """What is to be tried now, the longest due first."""
    rows = await rows_of(
        db,
        "SELECT * FROM outbox WHERE kind = ? AND queue = ? AND due_ms <= ? AND until_ms > ? ORDER BY due_ms, id LIMIT ?",
        (kind.value, queue.value, now_ms, now_ms, count),
    )
    return [_posted(row) for row in rows]


async def claim(tx: Db, ids: Sequence[tuple[int, int]]) -> None:
    """Moves messages on before they are tried. Args: ids: each with the time of its next try."""
    for row_id, next_ms in ids:
        await run(tx, "UPDATE outbox SET tries = tries + 1, due_ms = ? WHERE id = ?", (next_ms, row_id))


async def drop(tx: Db, row_id: int) -> None:
    """The message is with the next hop, or never will be."""
    await run(tx, "DELETE FROM outbox WHERE id = ?", (row_id,))


async def is_stale(db: Db, now_ms: int) -> bool:
    """Whether there is anything that is of no use any more."""
    return await one(db, "SELECT 1 FROM outbox WHERE until_ms <= ? LIMIT 1", (now_ms,)) is not None


async def drop_stale(tx: Db, now_ms: int) -> list[tuple[ContactKind, Queue, int]]:
    """Gives up what is of no use any more; returns kind, queue and tries of each."""
    rows = await rows_of(tx, "DELETE FROM outbox WHERE until_ms <= ? RETURNING kind, queue, tries", (now_ms,))
    return [(ContactKind(row["kind"]), Queue(row["queue"]), row["tries"]) for row in rows]


async def waiting(db: Db, queue: Queue) -> tuple[int, int | None]:
    """How many messages of a queue wait, and since when the oldest does."""
    row = await one(db, "SELECT count(*) AS n, min(at_ms) AS oldest FROM outbox WHERE queue = ?", (queue.value,))
    return (row["n"], row["oldest"]) if row else (0, None)


async def count(tx: Db, sending: Sending, now_ms: int) -> None:
    """Counts a message for the caps."""
    await run(
        tx,
        "INSERT INTO sends (kind, contact_mark, user, prefix_mark, country, known, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            sending.kind.value,
            sending.contact_mark,
            sending.user,
            sending.prefix_mark,
            sending.country,
            int(sending.known),
            now_ms,
        ),
    )


async def confirm(tx: Db, contact_mark: bytes) -> None:
    """A code that was sent to this contact was typed in."""
    await run(
        tx,
        "UPDATE sends SET confirmed = 1 WHERE id = (SELECT max(id) FROM sends WHERE contact_mark = ?)",
        (contact_mark,),
    )


async def last_due_ms(db: Db, contact_mark: bytes, now_ms: int) -> int | None:
    """When the newest counted message to a contact left or leaves."""
    row = await one(
        db,
        "SELECT max(at_ms) AS last FROM sends WHERE contact_mark = ? AND at_ms > ?",
        (contact_mark, now_ms - DAY_MS),
    )
    return row["last"] if row else None


async def to_contact(db: Db, contact_mark: bytes, now_ms: int) -> Tally:
    """Messages to a contact in the last day, over all accounts."""
    return await _tally(db, "contact_mark = ?", contact_mark, now_ms)


async def texts(db: Db, sending: Sending, now_ms: int) -> Texts:
    """What the caps on texts look at."""
    day_ms = now_ms - DAY_MS
    account = await _tally(db, "user = ? AND user <> '' AND kind = 'sms'", sending.user, now_ms)
    countries = await rows_of(
        db,
        "SELECT country, count(*) AS n FROM sends WHERE prefix_mark = ? AND prefix_mark <> x'' AND kind = 'sms' AND at_ms > ? GROUP BY country",
        (sending.prefix_mark, day_ms),
    )
    whole = await one(
        db,
        "SELECT count(*) AS n, coalesce(sum(country = ?), 0) AS here FROM sends WHERE kind = 'sms' AND at_ms > ?",
        (sending.country, day_ms),
    )
    ripe, confirmed = await answered(db, sending.country, now_ms)
    return Texts(
        number=await to_contact(db, sending.contact_mark, now_ms),
        account=account,
        prefix=sum(row["n"] for row in countries),
        prefix_countries=frozenset(row["country"] for row in countries),
        country=whole["here"] if whole else 0,
        everywhere=whole["n"] if whole else 0,
        ripe=ripe,
        confirmed=confirmed,
    )


async def texts_by_country(db: Db, now_ms: int) -> dict[str, int]:
    """The texts of the last day that the caps count."""
    rows = await rows_of(
        db,
        "SELECT country, count(*) AS n FROM sends WHERE kind = 'sms' AND at_ms > ? GROUP BY country",
        (now_ms - DAY_MS,),
    )
    return {row["country"]: row["n"] for row in rows}


async def answered(db: Db, country: str, now_ms: int) -> tuple[int, int]:
    """Of a country's texts of the last day that had time to be answered: how many, and how many were."""
    row = await one(
        db,
        "SELECT count(*) AS n, coalesce(sum(confirmed), 0) AS yes FROM sends WHERE kind = 'sms' AND country = ? AND at_ms > ? AND at_ms <= ?",
        (country, now_ms - DAY_MS, now_ms - RATIO_AGE_MS),
    )
    return (row["n"], row["yes"]) if row else (0, 0)


async def add_failure(tx: Db, contact_mark: bytes, reason: str, now_ms: int) -> None:
    """The next hop refused this contact for good."""
    await run(
        tx,
        "INSERT OR IGNORE INTO delivery_failures (contact_mark, at_ms, reason) VALUES (?, ?, ?)",
        (contact_mark, now_ms, reason),
    )


async def dead_phones(db: Db, user: str) -> dict[str, list[int]]:
    """When each of a user's phones was refused for good (no such number), by the contact's id: what `phones.given_up` wants."""
    found: dict[str, list[int]] = {}
    for row in await rows_of(
        db,
        "SELECT c.id, f.at_ms FROM delivery_failures f JOIN contacts c ON c.mark = f.contact_mark"
        " WHERE c.user = ? AND c.kind = 'sms' AND f.reason = 'unknown'",
        (user,),
    ):
        found.setdefault(row["id"], []).append(row["at_ms"])
    return found


async def sweep(tx: Db, now_ms: int) -> None:
    """Forgets what no cap and no rule looks at any more."""
    await run(tx, "DELETE FROM sends WHERE at_ms <= ?", (now_ms - DAY_MS,))
    await run(tx, "DELETE FROM delivery_failures WHERE at_ms < ?", (now_ms - FAILURES_KEPT_MS,))


async def _tally(db: Db, which: str, value: str | bytes, now_ms: int) -> Tally:
    """Args: which: a condition with one parameter, a constant of this module."""
    row = await one(
        db,
        f"SELECT count(*) AS n, coalesce(sum(known = 0), 0) AS unknown FROM sends WHERE {which} AND at_ms > ?",  # noqa: S608  constants of this module
        (value, now_ms - DAY_MS),
    )
    return Tally(row["n"], row["unknown"]) if row else Tally()


def _posted(row: Row) -> Posted:
    return Posted(
        row["id"],
        ContactKind(row["kind"]),
        Queue(row["queue"]),
        row["contact_mark"],
        row["message_id"],
        row["sealed_body"],
        row["at_ms"],
        row["due_ms"],
        row["until_ms"],
        row["tries"],
    )
