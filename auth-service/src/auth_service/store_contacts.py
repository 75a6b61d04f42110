"""Contacts in the database, and what all factors have in common there: being on probation, removed, taken back, buried."""

from dataclasses import dataclass

from .core.events import Table
from .core.identifiers import ContactKind
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Contact:
    """One contact as it is stored; `sealed_value` opens with its `id`."""

    id: str
    user: str
    kind: ContactKind
    mark: bytes
    sealed_value: bytes
    added_ms: int
    proved_ms: int | None
    matures_ms: int
    confirmed_ms: int
    removed_ms: int | None
    lost: bool
    suspect: bool
    asked_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Removed:
    """A factor that is being removed."""

    id: str
    table: Table
    removed_ms: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A code on its way to a contact; `strong`: asked for by a session that may shorten a probation."""

    contact: str
    code_mark: bytes
    strong: bool
    tries: int
    expires_ms: int


async def of_user(db: Db, user: str) -> list[Contact]:
    """All contacts of a user, by age."""
    rows = await rows_of(db, "SELECT * FROM contacts WHERE user = ? ORDER BY added_ms, id", (user,))
    return [_contact(row) for row in rows]


async def by_id(db: Db, user: str, contact: str) -> Contact | None:
    """A user's contact."""
    row = await one(db, "SELECT * FROM contacts WHERE id = ? AND user = ?", (contact, user))
    return _contact(row) if row else None


async def by_mark(db: Db, user: str, mark: bytes) -> Contact | None:
    """A user's contact of this address or number."""
    row = await one(db, "SELECT * FROM contacts WHERE user = ? AND mark = ?", (user, mark))
    return _contact(row) if row else None


async def elsewhere(db: Db, user: str, mark: bytes) -> list[Contact]:
    """The same address or number as other accounts have proved it, oldest first."""
    rows = await rows_of(
        db,
        "SELECT * FROM contacts WHERE mark = ? AND user <> ? AND proved_ms IS NOT NULL ORDER BY proved_ms, id",
        (mark, user),
    )
    return [_contact(row) for row in rows]


async def with_mark(db: Db, mark: bytes) -> list[Contact]:
    """An address or number as all accounts have proved it, oldest first."""
    return await elsewhere(db, "", mark)


async def add(tx: Db, contact: Contact) -> None:
    """A contact that waits for its proof."""
    await run(
        tx,
        "INSERT INTO contacts (id, user, kind, mark, sealed_value, added_ms, matures_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            contact.id,
            contact.user,
            contact.kind.value,
            contact.mark,
            contact.sealed_value,
            contact.added_ms,
            contact.matures_ms,
        ),
    )


async def prove(tx: Db, contact: str, now_ms: int, matures_ms: int, *, is_suspect: bool) -> None:
    """Its first proof: seniority begins. Args: is_suspect: it counts for nothing, as it counts for enough others already."""
    await run(
        tx,
        "UPDATE contacts SET proved_ms = ?1, confirmed_ms = ?1, matures_ms = ?2, suspect = ?3,"
        " removed_ms = NULL, lost = 0, asked_ms = NULL WHERE id = ?4",
        (now_ms, matures_ms, int(is_suspect), contact),
    )


async def restore(tx: Db, contact: str) -> None:
    """One that was being removed stays, as it was."""
    await run(tx, "UPDATE contacts SET removed_ms = NULL WHERE id = ?", (contact,))


async def confirm(tx: Db, contact: str, now_ms: int, *, is_suspect: bool) -> None:
    """It was shown once more to be its owner's."""
    await run(
        tx,
        "UPDATE contacts SET confirmed_ms = ?, suspect = ?, asked_ms = NULL WHERE id = ?",
        (now_ms, int(is_suspect), contact),
    )


async def doubt(tx: Db, contact: str) -> None:
    """It may be somebody else's by now: worth nothing until it is proved again."""
    await run(tx, "UPDATE contacts SET suspect = 1, asked_ms = NULL WHERE id = ?", (contact,))


async def ask(tx: Db, contact: str, now_ms: int) -> None:
    """Its owner is asked whether it is still theirs."""
    await run(tx, "UPDATE contacts SET asked_ms = ? WHERE id = ?", (now_ms, contact))


async def drop(tx: Db, contact: str) -> None:
    """One that was never proved."""
    await run(tx, "DELETE FROM contacts WHERE id = ? AND proved_ms IS NULL", (contact,))


async def set_code(tx: Db, sent: Sent, session: str) -> None:
    """A code goes to a contact, in place of an earlier one. Args: session: that is to be proved with it; '': the contact itself."""
    await run(
        tx,
        "INSERT OR REPLACE INTO contact_codes (contact, session, code_mark, strong, tries, expires_ms)"
        " VALUES (?, ?, ?, ?, 0, ?)",
        (sent.contact, session, sent.code_mark, int(sent.strong), sent.expires_ms),
    )


async def codes_sent(db: Db, contacts: list[str], session: str) -> list[Sent]:
    """The codes that went to these contacts for this purpose."""
    found = []
    for contact in contacts:
        row = await one(db, "SELECT * FROM contact_codes WHERE contact = ? AND session = ?", (contact, session))
        if row is not None:
            found.append(Sent(contact, row["code_mark"], bool(row["strong"]), row["tries"], row["expires_ms"]))
    return found


async def count_try(tx: Db, contact: str, session: str) -> None:
    """A wrong code was shown."""
    await run(tx, "UPDATE contact_codes SET tries = tries + 1 WHERE contact = ? AND session = ?", (contact, session))


async def drop_codes(tx: Db, contacts: list[str], session: str) -> None:
    """They were used."""
    for contact in contacts:
        await run(tx, "DELETE FROM contact_codes WHERE contact = ? AND session = ?", (contact, session))


async def remove(tx: Db, table: Table, user: str, factor: str, now_ms: int, *, lost: bool) -> bool:
    """A factor or device is removed; False if it is not there, or is being removed already. One that is lost ends now, also where it was retiring."""
    changed = await run(
        tx,
        f"UPDATE {table.value} SET removed_ms = ?1, lost = ?2"  # noqa: S608 - constants alone
        " WHERE id = ?3 AND user = ?4 AND (removed_ms IS NULL OR (?2 AND NOT lost))",
        (now_ms, int(lost), factor, user),
    )
    return changed == 1


async def take_back(tx: Db, table: Table, user: str, factor: str, removed_after_ms: int) -> bool:
    """A removal is cancelled: everything is as it was; False if it is too late for that."""
    changed = await run(
        tx,
        f"UPDATE {table.value} SET removed_ms = NULL WHERE id = ? AND user = ? AND removed_ms > ? AND NOT lost",  # noqa: S608 - constants alone
        (factor, user, removed_after_ms),
    )
    return changed == 1


async def table_of(db: Db, user: str, factor: str) -> Table | None:
    """Where a factor or device of a user lies."""
    for table in Table:
        if await one(db, f"SELECT 1 FROM {table.value} WHERE id = ? AND user = ?", (factor, user)):  # noqa: S608 - constants alone
            return table
    return None


async def being_removed(db: Db, user: str, removed_after_ms: int) -> list[Removed]:
    """What a user can still take back, oldest first."""
    found = []
    for table in Table:
        rows = await rows_of(
            db,
            f"SELECT id, removed_ms FROM {table.value} WHERE user = ? AND removed_ms > ? AND NOT lost",  # noqa: S608 - constants alone
            (user, removed_after_ms),
        )
        found += [Removed(row["id"], table, row["removed_ms"]) for row in rows]
    return sorted(found, key=lambda removed: (removed.removed_ms, removed.id))


async def is_lost(db: Db, table: Table, factor: str) -> bool:
    """Whether a factor or device was removed as lost or stolen."""
    sql = f"SELECT 1 FROM {table.value} WHERE id = ? AND lost"  # noqa: S608 - constants alone
    return await one(db, sql, (factor,)) is not None


async def has_matured(db: Db, table: Table, factor: str, now_ms: int) -> bool:
    """Whether a factor counts from now on."""
    sql = f"SELECT 1 FROM {table.value} WHERE id = ? AND removed_ms IS NULL AND matures_ms <= ?"  # noqa: S608 - constants alone
    return await one(db, sql, (factor, now_ms)) is not None


async def ended(db: Db, ended_ms: int, now_ms: int) -> list[tuple[str, str, str]]:
    """What `bury` is going to delete: table, user and id of what was proved once."""
    found = []
    for where in _ENDED:
        rows = await rows_of(db, f"SELECT user, id FROM {where} LIMIT 1000", (ended_ms, now_ms))  # noqa: S608 - constants alone
        found += [(where.split()[0], row["user"], row["id"]) for row in rows if "proved_ms IS NULL" not in where]
    return found


async def is_on_probation(db: Db, table: Table, factor: str, now_ms: int) -> bool:
    """Whether a factor (not a device) is still there and does not count yet."""
    row = await one(
        db,
        f"SELECT 1 FROM {table.value} WHERE id = ? AND removed_ms IS NULL AND matures_ms > ?",  # noqa: S608 - constants alone
        (factor, now_ms),
    )
    return row is not None


async def devices_ended(db: Db, ended_ms: int, now_ms: int) -> list[tuple[str, str]]:
    """User and id of the devices that have no rights any more and still a living session."""
    rows = await rows_of(db, f"SELECT user, id FROM devices WHERE {_OVER} AND {_IN_USE}", (ended_ms, now_ms))  # noqa: S608 - constants alone
    return [(row["user"], row["id"]) for row in rows]


async def has_ended(db: Db, ended_ms: int, now_ms: int) -> bool:
    """Whether there is anything to bury."""
    for where in _ENDED:
        if await rows_of(db, f"SELECT id FROM {where} LIMIT 1", (ended_ms, now_ms)):  # noqa: S608 - constants alone
            return True
    return False


async def bury(tx: Db, ended_ms: int, now_ms: int) -> None:
    """Deletes what has no rights any more. A contact that is still to be told of something waits for that, a device for the end of its sessions."""
    for where in _ENDED:
        await run(tx, f"DELETE FROM {where}", (ended_ms, now_ms))  # noqa: S608 - constants alone
    await run(tx, "DELETE FROM contact_codes WHERE expires_ms < ?", (now_ms,))


# Removed before ?1, or lost before ?2, which is now; contacts that nobody proved within a day go too.
_OVER = "removed_ms IS NOT NULL AND (removed_ms <= ?1 OR (lost AND removed_ms <= ?2))"
_UNTOLD = "EXISTS (SELECT 1 FROM tellings WHERE contact = contacts.id)"
_IN_USE = "EXISTS (SELECT 1 FROM sessions WHERE device = devices.id AND ended_ms IS NULL AND expires_ms > ?2)"
_ENDED = (
    f"contacts WHERE {_OVER} AND NOT {_UNTOLD}",
    "contacts WHERE proved_ms IS NULL AND added_ms <= ?2 - 86400000 AND ?1 < ?2",
    f"devices WHERE {_OVER} AND NOT {_IN_USE}",
    *(f"{table.value} WHERE {_OVER}" for table in (Table.TOTP, Table.PASSKEYS, Table.CODES, Table.QUESTIONS)),
)


def _contact(row: Row) -> Contact:
    return Contact(
        id=row["id"],
        user=row["user"],
        kind=ContactKind(row["kind"]),
        mark=row["mark"],
        sealed_value=row["sealed_value"],
        added_ms=row["added_ms"],
        proved_ms=row["proved_ms"],
        matures_ms=row["matures_ms"],
        confirmed_ms=row["confirmed_ms"],
        removed_ms=row["removed_ms"],
        lost=bool(row["lost"]),
        suspect=bool(row["suspect"]),
        asked_ms=row["asked_ms"],
    )
