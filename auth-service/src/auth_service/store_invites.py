"""Invites in the database: each good for one registration."""

from .store import Db, one, run


async def add(tx: Db, invite_hash: bytes, now_ms: int, expires_ms: int) -> None:
    """A new invite."""
    await run(tx, "INSERT INTO invites (hash, made_ms, expires_ms) VALUES (?, ?, ?)", (invite_hash, now_ms, expires_ms))


async def is_good(db: Db, invite_hash: bytes, now_ms: int) -> bool:
    """Whether a registration can be made with it."""
    sql = "SELECT 1 FROM invites WHERE hash = ? AND used_ms IS NULL AND expires_ms > ?"
    return await one(db, sql, (invite_hash, now_ms)) is not None


async def use(tx: Db, invite_hash: bytes, user: str, now_ms: int) -> bool:
    """Uses it up for an account; False where it was used, or is over: of two registrations with one invite, one is completed."""
    changed = await run(
        tx,
        "UPDATE invites SET used_ms = ?1, used_by = ?2 WHERE hash = ?3 AND used_ms IS NULL AND expires_ms > ?1",
        (now_ms, user, invite_hash),
    )
    return changed == 1


async def sweep(tx: Db, over_before_ms: int) -> None:
    """Forgets what is long over."""
    await run(tx, "DELETE FROM invites WHERE expires_ms < ?", (over_before_ms,))
