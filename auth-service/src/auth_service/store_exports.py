"""Exports in the database, and what goes into one."""

from dataclasses import dataclass
from typing import Any, Final

from .store import Db, one, rows_of, run

ABOUT: Final = {
    "devices": "SELECT id, label, first_login_ms, last_login_ms, confirmed_ms, removed_ms FROM devices WHERE user = ? ORDER BY first_login_ms",
    "sessions": "SELECT id, device, client_id, amr, created_ms, last_seen_ms, expires_ms, ended_ms FROM sessions WHERE user = ? ORDER BY created_ms",
    "totp": "SELECT id, added_ms, proved_ms, removed_ms FROM totp WHERE user = ? ORDER BY added_ms",
    "passkeys": "SELECT id, label, backed_up, added_ms, used_ms, removed_ms FROM passkeys WHERE user = ? ORDER BY added_ms",
    "recovery_codes": "SELECT id, added_ms, removed_ms FROM code_sets WHERE user = ? ORDER BY added_ms",
    "secret_questions": "SELECT id, question, added_ms, removed_ms FROM questions WHERE user = ? ORDER BY added_ms",
    "events": "SELECT id, kind, subject, device, confirmed, at_ms FROM notices WHERE user = ? ORDER BY at_ms, id",
    "recoveries": "SELECT id, goal, phase, started_ms, until_ms FROM recoveries WHERE user = ? ORDER BY started_ms",
    "places": "SELECT device, day, at_ms, asn, country, lat, lon, radius_km FROM login_history WHERE user = ? ORDER BY at_ms",
    "log": "SELECT at_ms, event, actor, data FROM audit WHERE subject = ? ORDER BY seq",
}
"""By the name in the export: everything that is stored of an account but what proves it."""


@dataclass(frozen=True, slots=True)
class Export:
    """One export; `sealed` None: it is being put together."""

    until_ms: int
    sealed: bytes | None


async def ask(tx: Db, user: str, now_ms: int, until_ms: int) -> None:
    """One is wanted, in place of an earlier one."""
    await run(
        tx, "INSERT OR REPLACE INTO exports (user, asked_ms, until_ms) VALUES (?, ?, ?)", (user, now_ms, until_ms)
    )


async def of_user(db: Db, user: str, now_ms: int) -> Export | None:
    """A user's export, while its time is not over."""
    row = await one(db, "SELECT until_ms, sealed FROM exports WHERE user = ? AND until_ms > ?", (user, now_ms))
    return Export(row["until_ms"], row["sealed"]) if row else None


async def waiting(db: Db) -> list[str]:
    """Whose are to be put together."""
    rows = await rows_of(db, "SELECT user FROM exports WHERE sealed IS NULL ORDER BY asked_ms LIMIT 5")
    return [row["user"] for row in rows]


async def made(tx: Db, user: str, sealed: bytes) -> None:
    """It is there."""
    await run(tx, "UPDATE exports SET sealed = ? WHERE user = ?", (sealed, user))


async def rows_about(db: Db, name: str, user: str) -> list[dict[str, Any]]:
    """The rows of one part."""
    return [dict(row) for row in await rows_of(db, ABOUT[name], (user,))]
