"""Secret questions, and the contacts that a recovery's codes may go to, in the database."""

from dataclasses import dataclass

from .core.identifiers import ContactKind
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Question:
    """An account's secret question; `question` is its id in the list. After `misses` wrong answers in a row it is closed until `closed_ms`."""

    id: str
    question: str
    hash: str
    misses: int
    closed_ms: int


async def question_of(db: Db, user: str, ids: list[str]) -> Question | None:
    """The account's question of these that count: the oldest, which an intruder's newer one does not replace."""
    rows = await rows_of(db, "SELECT * FROM questions WHERE user = ? AND lost = 0 ORDER BY added_ms, id", (user,))
    found = next((row for row in rows if row["id"] in ids), None)
    if found is None:
        return None
    return Question(found["id"], found["question"], found["hash"], found["misses"], found["closed_ms"])


async def set_now(db: Db, user: str) -> Row | None:
    """The question that is set: not one that it has replaced, nor one that is being removed."""
    return await one(db, "SELECT * FROM questions WHERE user = ? AND removed_ms IS NULL", (user,))


async def set_question(tx: Db, user: str, question: Question, now_ms: int, matures_ms: int) -> list[str]:
    """A new question; the one before retires. Returns the ids of what retires."""
    old = await rows_of(tx, "SELECT id FROM questions WHERE user = ? AND removed_ms IS NULL", (user,))
    await run(tx, "UPDATE questions SET removed_ms = ? WHERE user = ? AND removed_ms IS NULL", (now_ms, user))
    await run(
        tx,
        "INSERT INTO questions (id, user, question, hash, added_ms, matures_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (question.id, user, question.question, question.hash, now_ms, matures_ms),
    )
    return [row["id"] for row in old]


async def count_answer(tx: Db, question: str, misses: int, closed_ms: int) -> None:
    """What an answer did to a question."""
    await run(tx, "UPDATE questions SET misses = ?, closed_ms = ? WHERE id = ?", (misses, closed_ms, question))


@dataclass(frozen=True, slots=True)
class Reached:
    """A contact that a code may go to; `sealed_value` opens with its `id`."""

    id: str
    kind: ContactKind
    mark: bytes
    sealed_value: bytes


async def contacts_in(db: Db, user: str, ids: list[str]) -> list[Reached]:
    """Those of an account's contacts, in the order of `ids`."""
    rows = await rows_of(db, "SELECT id, kind, mark, sealed_value FROM contacts WHERE user = ?", (user,))
    found = {row["id"]: Reached(row["id"], ContactKind(row["kind"]), row["mark"], row["sealed_value"]) for row in rows}
    return [found[contact] for contact in ids if contact in found]
