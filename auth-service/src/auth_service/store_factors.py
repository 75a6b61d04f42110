"""TOTP seeds and saved recovery codes in the database. Rows whose rights have ended are deleted by `tending.py`."""

from dataclasses import dataclass

from .core.factors import is_asked
from .core.recovery.facts import Policy
from .core.recovery.life import rights_end_ms
from .store import Db, Row, one, rows_of, run


@dataclass(frozen=True, slots=True)
class Seed:
    """A TOTP seed; `sealed` opens with the user's id. `proved_ms` None: it waits for its first code."""

    id: str
    sealed: bytes
    last_step: int
    proved_ms: int | None
    removed_ms: int | None
    lost: bool


@dataclass(frozen=True, slots=True)
class StoredCode:
    """An unused recovery code of a living set."""

    code_set: str
    selector: str
    hash: str


async def seeds_of(db: Db, user: str) -> list[Seed]:
    """All seeds of a user, also those that wait or retire, oldest first."""
    rows = await rows_of(db, "SELECT * FROM totp WHERE user = ? ORDER BY added_ms, id", (user,))
    return [_seed(row) for row in rows]


async def asked_seeds(db: Db, user: str, now_ms: int) -> list[Seed]:
    """The seeds whose codes are asked for and taken at login."""
    return [
        seed
        for seed in await seeds_of(db, user)
        if seed.proved_ms is not None and is_asked(seed.removed_ms, lost=seed.lost, now_ms=now_ms)
    ]


async def seed_on(db: Db, user: str) -> Seed | None:
    """The seed that is on, and is not being removed."""
    seeds = await seeds_of(db, user)
    return next((seed for seed in seeds if seed.proved_ms is not None and seed.removed_ms is None), None)


async def seed_waiting(db: Db, user: str) -> Seed | None:
    """The seed that waits for its first code."""
    return next((seed for seed in await seeds_of(db, user) if seed.proved_ms is None), None)


async def offer_seed(tx: Db, user: str, seed_id: str, sealed: bytes, now_ms: int) -> None:
    """Stores a seed that waits for its first code, in place of an earlier one that waited."""
    await run(tx, "DELETE FROM totp WHERE user = ? AND proved_ms IS NULL", (user,))
    await run(
        tx,
        "INSERT INTO totp (id, user, sealed_seed, added_ms, matures_ms) VALUES (?, ?, ?, ?, 0)",
        (seed_id, user, sealed, now_ms),
    )


async def confirm_seed(tx: Db, seed_id: str, step: int, now_ms: int, matures_ms: int) -> None:
    """The seed has given its first code: the second factor is on."""
    await run(
        tx,
        "UPDATE totp SET proved_ms = ?, matures_ms = ?, last_step = ? WHERE id = ? AND proved_ms IS NULL",
        (now_ms, matures_ms, step, seed_id),
    )


async def use_step(tx: Db, seed_id: str, step: int) -> bool:
    """Uses a TOTP step up; False if it, or a later one, was used before: of two equal codes at once, one wins."""
    changed = await run(
        tx,
        "UPDATE totp SET last_step = ? WHERE id = ? AND proved_ms IS NOT NULL AND last_step < ?",
        (step, seed_id, step),
    )
    return changed == 1


async def add_codes(
    tx: Db, user: str, code_set: str, hashes: list[tuple[str, str]], now_ms: int, matures_ms: int
) -> None:
    """A new set. Args: hashes: selector and hash of each code."""
    await run(
        tx,
        "INSERT INTO code_sets (id, user, added_ms, matures_ms) VALUES (?, ?, ?, ?)",
        (code_set, user, now_ms, matures_ms),
    )
    for selector, hashed in hashes:
        await add_code(tx, code_set, selector, hashed)


async def add_code(tx: Db, code_set: str, selector: str, hashed: str) -> bool:
    """One more code of a set. A used one with the same selector gives way; an unused one does not, which is False."""
    changed = await run(
        tx,
        "INSERT INTO saved_codes (code_set, selector, hash) VALUES (?1, ?2, ?3)"
        " ON CONFLICT DO UPDATE SET hash = ?3, used_ms = NULL WHERE used_ms IS NOT NULL",
        (code_set, selector, hashed),
    )
    return changed == 1


async def code_sets_on(db: Db, user: str) -> list[str]:
    """The sets that are not being removed."""
    rows = await rows_of(db, "SELECT id FROM code_sets WHERE user = ? AND removed_ms IS NULL ORDER BY id", (user,))
    return [row["id"] for row in rows]


async def code_sets(db: Db, user: str) -> list[str]:
    """The sets that are not lost, also those that are being removed."""
    rows = await rows_of(db, "SELECT id FROM code_sets WHERE user = ? AND NOT lost ORDER BY id", (user,))
    return [row["id"] for row in rows]


async def codes_by(db: Db, user: str, selector: str, policy: Policy, now_ms: int) -> list[StoredCode]:
    """The unused codes with this selector, of all sets whose rights have not ended. Two sets may share one, once in 10 000 accounts."""
    rows = await rows_of(
        db,
        "SELECT c.code_set, c.selector, c.hash, s.removed_ms, s.lost FROM saved_codes c JOIN code_sets s ON s.id = c.code_set"
        " WHERE s.user = ? AND c.selector = ? AND c.used_ms IS NULL ORDER BY s.added_ms DESC, s.id",
        (user, selector),
    )
    return [
        StoredCode(row["code_set"], row["selector"], row["hash"]) for row in rows if _has_rights(row, policy, now_ms)
    ]


async def codes_left(db: Db, user: str) -> int:
    """How many unused codes the present set has."""
    row = await one(
        db,
        "SELECT count(*) AS n FROM saved_codes c JOIN code_sets s ON s.id = c.code_set"
        " WHERE s.user = ? AND s.removed_ms IS NULL AND c.used_ms IS NULL",
        (user,),
    )
    return int(row["n"]) if row else 0


async def has_codes(db: Db, user: str, policy: Policy, now_ms: int) -> bool:
    """Whether any saved code would be taken."""
    rows = await rows_of(
        db,
        "SELECT removed_ms, lost FROM code_sets s WHERE user = ?"
        " AND EXISTS (SELECT 1 FROM saved_codes WHERE code_set = s.id AND used_ms IS NULL)",
        (user,),
    )
    return any(_has_rights(row, policy, now_ms) for row in rows)


async def use_saved_code(tx: Db, code_set: str, selector: str, hashed: str, now_ms: int) -> bool:
    """Uses a code up; False if it was used, or is gone: of two at once, one wins. Args: hashed: the one that the code was found to fit."""
    changed = await run(
        tx,
        "UPDATE saved_codes SET used_ms = ? WHERE code_set = ? AND selector = ? AND hash = ? AND used_ms IS NULL",
        (now_ms, code_set, selector, hashed),
    )
    return changed == 1


def _has_rights(row: Row, policy: Policy, now_ms: int) -> bool:
    removed_ms = row["removed_ms"]
    return removed_ms is None or now_ms < rights_end_ms(removed_ms, policy, lost=bool(row["lost"]))


def _seed(row: Row) -> Seed:
    return Seed(row["id"], row["sealed_seed"], row["last_step"], row["proved_ms"], row["removed_ms"], bool(row["lost"]))
