"""What administrators look up and change in the database."""

from collections.abc import Sequence
from dataclasses import dataclass

from .store import Db, Row, Value, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Held:
    """Until when an account is held, or when it ends; 0 where it is not."""

    frozen_until_ms: int
    guarded_until_ms: int
    deletes_ms: int


async def held(db: Db, user: str) -> Held:
    """How an account is held."""
    row = await one(db, "SELECT frozen_until_ms, guarded_until_ms, deletes_ms FROM users WHERE id = ?", (user,))
    return Held(row["frozen_until_ms"], row["guarded_until_ms"], row["deletes_ms"]) if row else Held(0, 0, 0)


async def set_status(tx: Db, user: str, status: str) -> bool:
    """Locks or unlocks an account; False where it is so already. Every access token that was given is over with it."""
    changed = await run(
        tx, "UPDATE users SET status = ?1, epoch = epoch + 1 WHERE id = ?2 AND status <> ?1", (status, user)
    )
    return changed == 1


async def audited(db: Db, wanted: Sequence[tuple[str, str]], before: int, limit: int) -> list[Row]:
    """Rows of the audit log, newest first. Args: wanted: column (of `COLUMNS`) and value; before: a row's number."""
    where = " AND ".join(["seq < ?", *(f"{COLUMNS[column]} = ?" for column, _ in wanted)])
    values: list[Value] = [before, *(value for _, value in wanted), limit]
    sql = f"SELECT seq, at_ms, event, actor, subject, ip_mark, data FROM audit WHERE {where} ORDER BY seq DESC LIMIT ?"  # noqa: S608 - constants alone
    return await rows_of(db, sql, values)


COLUMNS = {"subject": "subject", "event": "event", "actor": "actor", "ip_mark": "ip_mark"}
"""What the audit log can be searched by."""
