"""Appeals against bans in the database."""

from dataclasses import dataclass
from typing import Literal

from garita_common.core.bans import Ban

from .store import Db, Row, one, rows_of, run

State = Literal["open", "upheld", "refused"]
KEPT_MS = 180 * 86_400_000


@dataclass(frozen=True, slots=True)
class Appeal:
    """What is known of one appeal; `texts` are time and words of all that was sent for it, oldest first."""

    id: str
    subject: str
    sentence: str
    decision: int
    until_ms: int
    opened_ms: int
    state: State
    answer: str
    answered_ms: int | None
    texts: tuple[tuple[int, str], ...] = ()


async def by_id(db: Db, appeal: str) -> Appeal | None:
    """An appeal, without its texts."""
    row = await one(db, "SELECT * FROM appeals WHERE id = ?", (appeal,))
    return _appeal(row, ()) if row else None


async def add(tx: Db, ban: Ban, text: str, now_ms: int) -> None:
    """Words for a ban, the first or further ones."""
    await run(
        tx,
        "INSERT INTO appeals (id, subject, sentence, decision, until_ms, opened_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
        " ON CONFLICT DO UPDATE SET until_ms = ?5",
        (ban.appeal, ban.subject, ban.sentence, ban.decision, ban.until_ms, now_ms),
    )
    await run(tx, "INSERT INTO appeal_texts (appeal, at_ms, text) VALUES (?, ?, ?)", (ban.appeal, now_ms, text))


async def listed(db: Db, state: State, limit: int) -> list[Appeal]:
    """Appeals in a state, those that have waited longest first."""
    rows = await rows_of(db, "SELECT * FROM appeals WHERE state = ? ORDER BY opened_ms, id LIMIT ?", (state, limit))
    found = []
    for row in rows:
        texts = await rows_of(
            db, "SELECT at_ms, text FROM appeal_texts WHERE appeal = ? ORDER BY at_ms, rowid", (row["id"],)
        )
        found.append(_appeal(row, tuple((text["at_ms"], text["text"]) for text in texts)))
    return found


async def answer(tx: Db, appeal: str, state: State, text: str, now_ms: int) -> bool:
    """An operator's answer; False where there is one already, or no such appeal."""
    changed = await run(
        tx,
        "UPDATE appeals SET state = ?, answer = ?, answered_ms = ? WHERE id = ? AND state = 'open'",
        (state, text, now_ms, appeal),
    )
    return changed == 1


async def count_open(db: Db) -> int:
    """How many wait for an answer."""
    row = await one(db, "SELECT count(*) AS n FROM appeals WHERE state = 'open'")
    return int(row["n"]) if row else 0


async def sweep(tx: Db, now_ms: int) -> None:
    """Forgets appeals half a year after their answer, or after the ban that nobody answered for."""
    await run(tx, "DELETE FROM appeals WHERE coalesce(answered_ms, until_ms) < ?", (now_ms - KEPT_MS,))


def _appeal(row: Row, texts: tuple[tuple[int, str], ...]) -> Appeal:
    return Appeal(
        id=row["id"],
        subject=row["subject"],
        sentence=row["sentence"],
        decision=row["decision"],
        until_ms=row["until_ms"],
        opened_ms=row["opened_ms"],
        state=row["state"],
        answer=row["answer"],
        answered_ms=row["answered_ms"],
        texts=texts,
    )
