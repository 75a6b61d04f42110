"""Notices in the database: events, who is still to be told of them, the links in messages, and reminders."""

from dataclasses import dataclass

from .core.events import Kind, Pace, Table
from .core.identifiers import ContactKind
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Notice:
    """One event. `device` did it, and was `confirmed` at that time; `subject` is the factor, device or recovery that it is about."""

    id: str
    user: str
    kind: Kind
    subject: str
    device: str | None
    confirmed: bool
    at_ms: int


@dataclass(frozen=True, slots=True)
class Telling:
    """A contact and what it has not been told yet, oldest first."""

    contact: str
    kind: ContactKind
    sealed_value: bytes
    notices: list[Notice]


@dataclass(frozen=True, slots=True)
class Link:
    """An undo link as it is stored."""

    hash: bytes
    user: str
    contact: str
    expires_ms: int
    used: bool


async def add(tx: Db, notice: Notice, contacts: list[str]) -> None:
    """An event, and whom it is to be told to."""
    await run(
        tx,
        "INSERT INTO notices (id, user, kind, subject, device, confirmed, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            notice.id,
            notice.user,
            notice.kind.value,
            notice.subject,
            notice.device,
            int(notice.confirmed),
            notice.at_ms,
        ),
    )
    for contact in contacts:
        await run(tx, "INSERT INTO tellings (notice, contact) VALUES (?, ?)", (notice.id, contact))


async def add_change(tx: Db, notice: Notice) -> None:
    """The same event as the horizon sees it, under the same id."""
    await run(
        tx,
        "INSERT INTO changes (id, user, kind, subject, device, confirmed, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            notice.id,
            notice.user,
            notice.kind.value,
            notice.subject,
            notice.device,
            int(notice.confirmed),
            notice.at_ms,
        ),
    )


async def of_user(db: Db, user: str, count: int) -> list[Notice]:
    """A user's newest notices, newest first."""
    rows = await rows_of(db, "SELECT * FROM notices WHERE user = ? ORDER BY at_ms DESC, id DESC LIMIT ?", (user, count))
    return [_notice(row) for row in rows]


async def pace(db: Db, user: str, kind: Kind) -> Pace:
    """How often this kind is told to this user now."""
    row = await one(db, "SELECT level, open_ms, gathered FROM paces WHERE user = ? AND kind = ?", (user, kind.value))
    return Pace(row["level"], row["open_ms"], bool(row["gathered"])) if row else Pace()


async def set_pace(tx: Db, user: str, kind: Kind, new: Pace) -> None:
    """Keeps it."""
    await run(
        tx,
        "INSERT INTO paces (user, kind, level, open_ms, gathered) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (user, kind) DO UPDATE SET level = excluded.level, open_ms = excluded.open_ms, gathered = excluded.gathered",
        (user, kind.value, new.level, new.open_ms, int(new.gathered)),
    )


async def due(db: Db, now_ms: int) -> list[tuple[str, Kind]]:
    """Users and kinds of which something has gathered whose time has come."""
    rows = await rows_of(
        db, "SELECT user, kind FROM paces WHERE gathered = 1 AND open_ms <= ? ORDER BY open_ms LIMIT 100", (now_ms,)
    )
    return [(row["user"], Kind(row["kind"])) for row in rows]


async def untold(db: Db, user: str, kind: Kind) -> list[Telling]:
    """What a user's contacts are still to be told of one kind."""
    rows = await rows_of(
        db,
        "SELECT n.*, c.id AS contact, c.kind AS contact_kind, c.sealed_value FROM notices n "
        "JOIN tellings t ON t.notice = n.id JOIN contacts c ON c.id = t.contact "
        "WHERE n.user = ? AND n.kind = ? AND c.lost = 0 ORDER BY c.id, n.at_ms, n.id",
        (user, kind.value),
    )
    tellings: dict[str, Telling] = {}
    for row in rows:
        new = Telling(row["contact"], ContactKind(row["contact_kind"]), row["sealed_value"], [])
        tellings.setdefault(row["contact"], new).notices.append(_notice(row))
    return list(tellings.values())


async def told(tx: Db, user: str, kind: Kind) -> None:
    """The messages are in the outbox."""
    await run(
        tx,
        "DELETE FROM tellings WHERE notice IN (SELECT id FROM notices WHERE user = ? AND kind = ?)",
        (user, kind.value),
    )


async def add_link(tx: Db, link: Link, notices: list[str]) -> None:
    """A link for a contact, about some notices."""
    await run(
        tx,
        "INSERT INTO undo_links (hash, user, contact, expires_ms) VALUES (?, ?, ?, ?)",
        (link.hash, link.user, link.contact, link.expires_ms),
    )
    for notice in notices:
        await run(tx, "INSERT INTO undo_events (link, notice) VALUES (?, ?)", (link.hash, notice))


async def link(db: Db, link_hash: bytes) -> Link | None:
    """A link by its hash."""
    row = await one(db, "SELECT * FROM undo_links WHERE hash = ?", (link_hash,))
    if row is None:
        return None
    return Link(row["hash"], row["user"], row["contact"], row["expires_ms"], row["used_ms"] is not None)


async def events_of(db: Db, link_hash: bytes) -> list[Notice]:
    """What a link is about, oldest first."""
    rows = await rows_of(
        db,
        "SELECT n.* FROM notices n JOIN undo_events e ON e.notice = n.id WHERE e.link = ? ORDER BY n.at_ms, n.id",
        (link_hash,),
    )
    return [_notice(row) for row in rows]


async def use_link(tx: Db, link_hash: bytes, now_ms: int) -> bool:
    """Uses a link up; False if it was used, or is over."""
    changed = await run(
        tx,
        "UPDATE undo_links SET used_ms = ? WHERE hash = ? AND used_ms IS NULL AND expires_ms > ?",
        (now_ms, link_hash, now_ms),
    )
    return changed == 1


async def add_maturity(tx: Db, user: str, table: Table, factor: str, due_ms: int) -> None:
    """A factor will count from then on."""
    await run(
        tx,
        "INSERT OR REPLACE INTO maturities (factor, user, kind, due_ms) VALUES (?, ?, ?, ?)",
        (factor, user, table.value, due_ms),
    )


async def due_maturities(db: Db, now_ms: int) -> list[tuple[str, Table, str]]:
    """User, table and id of what counts by now."""
    rows = await rows_of(db, "SELECT * FROM maturities WHERE due_ms <= ? ORDER BY due_ms LIMIT 100", (now_ms,))
    return [(row["user"], Table(row["kind"]), row["factor"]) for row in rows]


async def drop_maturity(tx: Db, factor: str) -> None:
    """It was looked at."""
    await run(tx, "DELETE FROM maturities WHERE factor = ?", (factor,))


async def add_reminder(tx: Db, user: str, kind: Kind, subject: str, due_ms: int) -> None:
    """A reminder of a factor that was added."""
    await run(
        tx,
        "INSERT OR IGNORE INTO reminders (user, kind, subject, due_ms) VALUES (?, ?, ?, ?)",
        (user, kind.value, subject, due_ms),
    )


async def due_reminders(db: Db, now_ms: int) -> list[tuple[str, Kind, str, int]]:
    """User, kind of the addition, factor and time of the reminders whose time has come."""
    rows = await rows_of(
        db, "SELECT user, kind, subject, due_ms FROM reminders WHERE due_ms <= ? ORDER BY due_ms LIMIT 100", (now_ms,)
    )
    return [(row["user"], Kind(row["kind"]), row["subject"], row["due_ms"]) for row in rows]


async def drop_reminder(tx: Db, subject: str, due_ms: int) -> None:
    """It was given, or is not wanted any more."""
    await run(tx, "DELETE FROM reminders WHERE subject = ? AND due_ms = ?", (subject, due_ms))


async def sweep(tx: Db, now_ms: int, old_ms: int) -> None:
    """Forgets links that are over, and notices that all contacts were told of long ago."""
    await run(tx, "DELETE FROM undo_links WHERE expires_ms < ?", (now_ms,))
    await run(
        tx,
        "DELETE FROM notices WHERE at_ms < ? AND NOT EXISTS (SELECT 1 FROM tellings WHERE notice = notices.id)",
        (old_ms,),
    )
    await run(tx, "DELETE FROM freezes WHERE at_ms < ?", (old_ms,))


def _notice(row: Row) -> Notice:
    return Notice(
        row["id"],
        row["user"],
        Kind(row["kind"]),
        row["subject"],
        row["device"],
        bool(row["confirmed"]),
        row["at_ms"],
    )
