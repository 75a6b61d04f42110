"""What the completion of a recovery does to an account in the database. Every function is one part of one transaction."""

from .core.events import Table
from .core.recovery.flow import GUARDED_MS
from .store import Db, one, rows_of, run

FACTORS = (Table.CONTACTS, Table.TOTP, Table.PASSKEYS, Table.CODES, Table.QUESTIONS)
SECOND_FACTORS = (Table.TOTP, Table.PASSKEYS)


async def set_password(tx: Db, user: str, password_hash: str, now_ms: int) -> None:
    """The new password; what was begun with the old one ends."""
    await run(tx, "UPDATE passwords SET hash = ?, changed_ms = ? WHERE user = ?", (password_hash, now_ms, user))


async def drop_begun(tx: Db, user: str) -> None:
    """Half logins and codes on their way are worth nothing any more."""
    await run(tx, "DELETE FROM mfa_tickets WHERE user = ?", (user,))
    await run(tx, "DELETE FROM contact_codes WHERE contact IN (SELECT id FROM contacts WHERE user = ?)", (user,))


async def second_factors_off(tx: Db, user: str, removed_ms: int) -> None:
    """All second factors are removed. Args: removed_ms: before the time in which they would still be asked for at login; they still count for recoveries."""
    for table in SECOND_FACTORS:
        await run(
            tx,
            f"UPDATE {table.value} SET removed_ms = ?1 WHERE user = ?2 AND proved_ms IS NOT NULL"  # noqa: S608 - constants alone
            " AND (removed_ms IS NULL OR removed_ms > ?1)",
            (removed_ms, user),
        )


async def quarantine(tx: Db, user: str, factors: list[str], now_ms: int) -> None:
    """These end at once: they prove nothing, are told nothing, and are not asked for."""
    for table in FACTORS:
        for factor in factors:
            await run(
                tx,
                f"UPDATE {table.value} SET removed_ms = ?, lost = 1 WHERE id = ? AND user = ?",  # noqa: S608 - constants alone
                (now_ms, factor, user),
            )


async def restore(tx: Db, user: str, factors: list[str]) -> None:
    """The removal of these is taken back."""
    for table in FACTORS:
        for factor in factors:
            await run(
                tx,
                f"UPDATE {table.value} SET removed_ms = NULL WHERE id = ? AND user = ? AND lost = 0",  # noqa: S608 - constants alone
                (factor, user),
            )


async def forget_devices(tx: Db, user: str, kept: list[str], now_ms: int) -> None:
    """All devices but these are strangers: the secret that one holds finds nothing any more."""
    for row in await rows_of(tx, "SELECT id FROM devices WHERE user = ?", (user,)):
        if row["id"] not in kept:
            await run(
                tx,
                "UPDATE devices SET removed_ms = ?, lost = 1, secret_mark = randomblob(32) WHERE id = ?",
                (now_ms, row["id"]),
            )


async def suspend_roles(tx: Db, user: str, now_ms: int) -> bool:
    """Until they are granted again on the host; False where there are none."""
    sql = "UPDATE roles SET suspended_ms = ? WHERE user = ? AND suspended_ms IS NULL"
    return await run(tx, sql, (now_ms, user)) > 0


async def recovered_ms(db: Db, user: str) -> int | None:
    """When the account was recovered last."""
    row = await one(db, "SELECT guarded_until_ms FROM users WHERE id = ? AND guarded_until_ms > 0", (user,))
    return row["guarded_until_ms"] - GUARDED_MS if row else None


async def guard(tx: Db, user: str, until_ms: int) -> None:
    """Nothing is taken from the account before that; a freeze, a deletion and all disputes are over."""
    await run(
        tx, "UPDATE users SET guarded_until_ms = ?, frozen_until_ms = 0, deletes_ms = 0 WHERE id = ?", (until_ms, user)
    )
    await run(tx, "UPDATE disputes SET closed = 1 WHERE user = ?", (user,))
