"""Freezes and disputes in the database."""

from .store import Db, one, rows_of, run


async def is_frozen(db: Db, user: str, now_ms: int) -> bool:
    """Whether an account is frozen now."""
    return await one(db, "SELECT 1 FROM users WHERE id = ? AND frozen_until_ms > ?", (user, now_ms)) is not None


async def may_freeze(db: Db, user: str, contact: str, since_ms: int) -> bool:
    """Whether a contact has not frozen this account since then."""
    row = await one(db, "SELECT 1 FROM freezes WHERE user = ? AND contact = ? AND at_ms > ?", (user, contact, since_ms))
    return row is None


async def freeze(tx: Db, user: str, contact: str, now_ms: int, until_ms: int) -> None:
    """A contact freezes an account."""
    await run(tx, "INSERT INTO freezes (contact, user, at_ms) VALUES (?, ?, ?)", (contact, user, now_ms))
    await run(tx, "UPDATE users SET frozen_until_ms = ? WHERE id = ?", (until_ms, user))


async def thaw(tx: Db, user: str) -> None:
    """The account is not frozen any more."""
    await run(tx, "UPDATE users SET frozen_until_ms = 0 WHERE id = ?", (user,))


async def dispute(tx: Db, dispute_id: str, user: str, event_ms: int, contact: str, now_ms: int) -> None:
    """A contact says that an event was not its owner's doing."""
    await run(
        tx,
        "INSERT INTO disputes (id, user, event_ms, contact, opened_ms) VALUES (?, ?, ?, ?, ?)",
        (dispute_id, user, event_ms, contact, now_ms),
    )


async def lapse(tx: Db, opened_before_ms: int) -> list[tuple[str, str]]:
    """Disputes whose time is over count for nothing any more (the rules say so; here it is kept): user and id of each."""
    rows = await rows_of(
        tx, "UPDATE disputes SET closed = 1 WHERE NOT closed AND opened_ms <= ? RETURNING user, id", (opened_before_ms,)
    )
    return [(row["user"], row["id"]) for row in rows]
