"""Sessions that are asked before they end, in the database."""

from dataclasses import dataclass

from .store import Db, rows_of, run


@dataclass(frozen=True, slots=True)
class Asked:
    """A session that is asked: by whom, since when, and when it ends (Unix ms)."""

    session: str
    by_device: str
    by_label: str
    asked_ms: int
    ends_ms: int


@dataclass(frozen=True, slots=True)
class Due:
    """A session whose day is over, or whose asker was confirmed meanwhile."""

    user: str
    session: str


# Who asks must still be there: a device that the owner has sent away asks nobody.
_ASKING = (
    "sessions s JOIN devices a ON a.id = s.asked_by WHERE s.ended_ms IS NULL AND s.ends_ms IS NOT NULL"
    " AND a.removed_ms IS NULL"
)


async def ask(tx: Db, user: str, sessions: list[str], device: str, now_ms: int, ends_ms: int) -> int:
    """These sessions are asked, on behalf of a device; returns how many were not asked before. One that is asked already keeps its time."""
    count = 0
    for session in sessions:
        count += await run(
            tx,
            "UPDATE sessions SET asked_ms = ?, asked_by = ?, ends_ms = ?"
            " WHERE id = ? AND user = ? AND ended_ms IS NULL AND (ends_ms IS NULL OR asked_by IS NULL"
            " OR EXISTS (SELECT 1 FROM devices WHERE id = asked_by AND removed_ms IS NOT NULL))",
            (now_ms, device, ends_ms, session, user),
        )
    return count


async def asked(db: Db, user: str) -> dict[str, Asked]:
    """The sessions of a user that are asked, by their ids."""
    rows = await rows_of(
        db,
        f"SELECT s.id, s.asked_by, a.label, s.asked_ms, s.ends_ms FROM {_ASKING} AND s.user = ?",  # noqa: S608 - constants alone
        (user,),
    )
    return {row["id"]: Asked(row["id"], row["asked_by"], row["label"], row["asked_ms"], row["ends_ms"]) for row in rows}


async def keep(tx: Db, session: str) -> bool:
    """Somebody said no: the session goes on. False where it was not asked."""
    changed = await run(
        tx,
        "UPDATE sessions SET asked_ms = NULL, asked_by = NULL, ends_ms = NULL"
        " WHERE id = ? AND ended_ms IS NULL AND ends_ms IS NOT NULL",
        (session,),
    )
    return changed == 1


async def keep_all(tx: Db, user: str) -> None:
    """Nobody's session is asked any more: whoever asked was not the owner."""
    await run(
        tx,
        "UPDATE sessions SET asked_ms = NULL, asked_by = NULL, ends_ms = NULL WHERE user = ? AND ends_ms IS NOT NULL",
        (user,),
    )


async def due(db: Db, now_ms: int) -> list[Due]:
    """The sessions that end now."""
    rows = await rows_of(
        db,
        f"SELECT s.user, s.id FROM {_ASKING} AND (s.ends_ms <= ? OR a.confirmed_ms >= s.asked_ms)",  # noqa: S608 - constants alone
        (now_ms,),
    )
    return [Due(row["user"], row["id"]) for row in rows]
