"""Accounts that are going to be deleted, and what outlives one, in the database."""

from collections.abc import Collection

from .store import Db, one, rows_of, run


async def set_deletion(tx: Db, user: str, deletes_ms: int) -> bool:
    """The account is going to be deleted; False where it is already."""
    changed = await run(tx, "UPDATE users SET deletes_ms = ? WHERE id = ? AND deletes_ms = 0", (deletes_ms, user))
    return changed == 1


async def keep(tx: Db, user: str) -> bool:
    """It is not going to be; False where it was not."""
    return await run(tx, "UPDATE users SET deletes_ms = 0 WHERE id = ? AND deletes_ms > 0", (user,)) == 1


async def deletion_of(db: Db, user: str) -> int:
    """When an account is going to be deleted; 0: it is not."""
    row = await one(db, "SELECT deletes_ms FROM users WHERE id = ?", (user,))
    return int(row["deletes_ms"]) if row else 0


async def due(db: Db, now_ms: int) -> list[str]:
    """The accounts whose time has come. One that somebody is still to be told of waits for that."""
    rows = await rows_of(
        db,
        "SELECT id FROM users WHERE deletes_ms > 0 AND deletes_ms <= ?"
        " AND NOT EXISTS (SELECT 1 FROM paces WHERE user = users.id AND gathered = 1) LIMIT 20",
        (now_ms,),
    )
    return [row["id"] for row in rows]


async def delete(tx: Db, user: str, name_until_ms: int) -> None:
    """Everything of an account but its rows in the audit log, what ended its sessions, and that its name is not free yet."""
    await run(
        tx,
        "INSERT OR REPLACE INTO released_names (skeleton, until_ms) SELECT skeleton, ? FROM usernames WHERE user = ?",
        (name_until_ms, user),
    )
    await run(tx, "DELETE FROM users WHERE id = ?", (user,))


async def keep_contacts(tx: Db, users: Collection[str]) -> None:
    """The proved contacts of these users are banned ones, and nobody else's."""
    for user in users:
        await run(
            tx,
            "INSERT OR IGNORE INTO banned_contacts (mark, user) SELECT mark, user FROM contacts"
            " WHERE user = ? AND proved_ms IS NOT NULL",
            (user,),
        )
    for row in await rows_of(tx, "SELECT DISTINCT user FROM banned_contacts"):
        if row["user"] not in users:
            await run(tx, "DELETE FROM banned_contacts WHERE user = ?", (row["user"],))


async def banned_owners(db: Db, mark: bytes) -> list[str]:
    """Whose contact it was when they were banned."""
    return [row["user"] for row in await rows_of(db, "SELECT user FROM banned_contacts WHERE mark = ?", (mark,))]


async def sweep(tx: Db, now_ms: int) -> int:
    """Names become free (how many), exports are forgotten."""
    await run(tx, "DELETE FROM exports WHERE until_ms < ?", (now_ms,))
    return await run(tx, "DELETE FROM released_names WHERE until_ms < ?", (now_ms,))
