"""Recoveries in the database: flows, what they have shown, the codes sent for them, and what was said against them."""

from dataclasses import dataclass

import msgspec

from .core.identifiers import ContactKind
from .core.recovery.bands import Band, Goal
from .core.recovery.flow import LIVE, Effect, Flow, Phase
from .core.recovery.phones import Release
from .core.recovery.places import Net
from .core.recovery.points import Answer
from .store import Db, Row, one, rows_of, run

_LIVE = ", ".join(f"'{phase.value}'" for phase in sorted(LIVE, key=lambda phase: phase.value))


@dataclass(frozen=True, slots=True)
class Recovery:
    """One recovery. `user` None: a decoy. `known`: begun from a context of the account's own. `last_factor`: what was proved last. `tag`: its texts have a price,
    by this mark of the name that it was begun with.
    """

    flow: Flow
    user: str | None
    secret_hash: bytes
    known: bool
    device: str | None
    net: Net
    answer: Answer = Answer.NOT_ASKED
    last_factor: str | None = None
    misses: int = 0
    tag: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """A code that was asked for."""

    id: int
    flow: str
    kind: ContactKind
    prefix: bytes


@dataclass(frozen=True, slots=True)
class Sent:
    """A code that is on its way."""

    contact: str
    code_mark: bytes
    tries: int
    expires_ms: int


async def add(tx: Db, recovery: Recovery) -> None:
    """A new recovery."""
    flow = recovery.flow
    await run(
        tx,
        "INSERT INTO recoveries (id, user, secret_hash, goal, phase, started_ms, until_ms, known, device, net, announced, tag)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            flow.id,
            recovery.user,
            recovery.secret_hash,
            flow.goal.value,
            flow.phase.value,
            flow.started_ms,
            flow.until_ms,
            int(recovery.known),
            recovery.device,
            msgspec.json.encode(recovery.net).decode(),
            int(recovery.user is None),
            recovery.tag,
        ),
    )


async def by_id(db: Db, flow_id: str) -> Recovery | None:
    """A recovery."""
    row = await one(db, "SELECT * FROM recoveries WHERE id = ?", (flow_id,))
    return await _recovery(db, row) if row else None


async def living(db: Db, user: str) -> list[Recovery]:
    """An account's recoveries that are not over, oldest first; some may be out of time."""
    sql = f"SELECT * FROM recoveries WHERE user = ? AND phase IN ({_LIVE}) ORDER BY started_ms, id"  # noqa: S608 - constants alone
    return [await _recovery(db, row) for row in await rows_of(db, sql, (user,))]


async def keep(tx: Db, recovery: Recovery) -> None:
    """Stores what changed of a recovery."""
    flow = recovery.flow
    await run(
        tx,
        "UPDATE recoveries SET phase = ?, until_ms = ?, points = ?, band = ?, not_before_ms = ?, slowed = ?, answer = ?,"
        " last_factor = ?, misses = ? WHERE id = ?",
        (
            flow.phase.value,
            flow.until_ms,
            flow.points,
            flow.band.value,
            flow.not_before_ms,
            int(flow.slowed),
            recovery.answer.value,
            recovery.last_factor,
            recovery.misses,
            flow.id,
        ),
    )


async def proofs_of(db: Db, flow_id: str) -> frozenset[str]:
    """The factors that were proved."""
    rows = await rows_of(db, "SELECT factor FROM recovery_proofs WHERE flow = ?", (flow_id,))
    return frozenset(row["factor"] for row in rows)


async def prove(tx: Db, flow_id: str, factor: str, now_ms: int) -> None:
    """A factor was proved."""
    await run(
        tx,
        "INSERT OR REPLACE INTO recovery_proofs (flow, factor, at_ms) VALUES (?, ?, ?)",
        (flow_id, factor, now_ms),
    )


async def releases_of(db: Db, flow_id: str) -> list[Release]:
    """Phones of which was said that they are not there any more."""
    rows = await rows_of(db, "SELECT phone, asked_ms, objected FROM recovery_releases WHERE flow = ?", (flow_id,))
    return [Release(row["phone"], row["asked_ms"], bool(row["objected"])) for row in rows]


async def release(tx: Db, flow_id: str, phone: str, now_ms: int) -> bool:
    """Somebody says that this phone is not there any more; False if that was said before."""
    changed = await run(
        tx,
        "INSERT OR IGNORE INTO recovery_releases (flow, phone, asked_ms) VALUES (?, ?, ?)",
        (flow_id, phone, now_ms),
    )
    return changed == 1


async def object_to_releases(tx: Db, flow_id: str) -> None:
    """A contact says that this is not so."""
    await run(tx, "UPDATE recovery_releases SET objected = 1 WHERE flow = ?", (flow_id,))


async def add_veto(tx: Db, flow_id: str, voter: str, points: int, effect: Effect, now_ms: int) -> None:
    """Somebody objected."""
    await run(
        tx,
        "INSERT INTO recovery_vetoes (flow, voter, points, effect, at_ms) VALUES (?, ?, ?, ?, ?)",
        (flow_id, voter, points, effect.value, now_ms),
    )


async def codes_of(db: Db, flow_id: str) -> list[Sent]:
    """The codes on their way."""
    rows = await rows_of(db, "SELECT * FROM recovery_codes WHERE flow = ?", (flow_id,))
    return [Sent(row["contact"], row["code_mark"], row["tries"], row["expires_ms"]) for row in rows]


async def set_code(tx: Db, flow_id: str, contact: str, code_mark: bytes, expires_ms: int) -> None:
    """A code goes to a contact, in place of an earlier one."""
    await run(
        tx,
        "INSERT OR REPLACE INTO recovery_codes (flow, contact, code_mark, tries, expires_ms) VALUES (?, ?, ?, 0, ?)",
        (flow_id, contact, code_mark, expires_ms),
    )


async def count_tries(tx: Db, flow_id: str) -> None:
    """A wrong code was shown: it was a guess at each."""
    await run(tx, "UPDATE recovery_codes SET tries = tries + 1 WHERE flow = ?", (flow_id,))


async def drop_code(tx: Db, flow_id: str, contact: str) -> None:
    """It was used."""
    await run(tx, "DELETE FROM recovery_codes WHERE flow = ? AND contact = ?", (flow_id, contact))


async def ask_code(tx: Db, flow_id: str, kind: ContactKind, prefix: bytes, now_ms: int) -> None:
    """A code is wanted. Args: prefix: mark of where it was asked for."""
    await run(
        tx,
        "INSERT OR IGNORE INTO recovery_sends (flow, kind, prefix, asked_ms) VALUES (?, ?, ?, ?)",
        (flow_id, kind.value, prefix, now_ms),
    )


async def codes_asked(db: Db) -> list[Asked]:
    """The codes that are wanted, oldest first."""
    rows = await rows_of(db, "SELECT id, flow, kind, prefix FROM recovery_sends ORDER BY id LIMIT 100")
    return [Asked(row["id"], row["flow"], ContactKind(row["kind"]), row["prefix"]) for row in rows]


async def drop_asked(tx: Db, asked: int) -> bool:
    """It is seen to; False if it was already."""
    return await run(tx, "DELETE FROM recovery_sends WHERE id = ?", (asked,)) == 1


async def unannounced(db: Db) -> list[tuple[str, str]]:
    """Recovery and account of the starts that nobody was told of yet."""
    rows = await rows_of(db, "SELECT id, user FROM recoveries WHERE announced = 0 ORDER BY started_ms LIMIT 100")
    return [(row["id"], row["user"]) for row in rows]


async def announced(tx: Db, flow_id: str) -> bool:
    """The owner is told; False if that was so already."""
    return await run(tx, "UPDATE recoveries SET announced = 1 WHERE id = ? AND announced = 0", (flow_id,)) == 1


async def out_of_time(db: Db, now_ms: int) -> list[str]:
    """Recoveries whose phase is over."""
    sql = f"SELECT id FROM recoveries WHERE phase IN ({_LIVE}) AND until_ms <= ? ORDER BY until_ms LIMIT 100"  # noqa: S608 - constants alone
    return [row["id"] for row in await rows_of(db, sql, (now_ms,))]


async def slow_with_owner(db: Db) -> list[str]:
    """Recoveries in the slow lane since whose start some session of their account has proved itself once more."""
    rows = await rows_of(
        db,
        "SELECT r.id FROM recoveries r WHERE r.phase = 'holding' AND r.band = 'slow' AND EXISTS"
        " (SELECT 1 FROM sessions s JOIN session_proofs p ON p.session = s.id"
        " WHERE s.user = r.user AND s.ended_ms IS NULL AND p.at_ms >= r.started_ms)",
    )
    return [row["id"] for row in rows]


async def proved_sessions(db: Db, user: str, since_ms: int) -> list[tuple[str, str]]:
    """Device and factor of what an account's living sessions have proved since a moment."""
    rows = await rows_of(
        db,
        "SELECT s.device, p.factor FROM sessions s JOIN session_proofs p ON p.session = s.id"
        " WHERE s.user = ? AND s.ended_ms IS NULL AND p.at_ms >= ?",
        (user, since_ms),
    )
    return [(row["device"], row["factor"]) for row in rows]


async def session_factors(db: Db, session: str, since_ms: int) -> list[str]:
    """What a session has proved since a moment."""
    rows = await rows_of(db, "SELECT factor FROM session_proofs WHERE session = ? AND at_ms >= ?", (session, since_ms))
    return [row["factor"] for row in rows]


async def holds_open(db: Db) -> int:
    """How many recoveries wait out a hold."""
    row = await one(db, "SELECT count(*) AS n FROM recoveries WHERE phase = 'holding' AND user IS NOT NULL")
    return int(row["n"]) if row else 0


async def sweep(tx: Db, day_ago_ms: int) -> None:
    """Forgets recoveries that are over: decoys and failed ones after a day, so that their owner can still ask what became of them."""
    await run(tx, f"DELETE FROM recoveries WHERE phase NOT IN ({_LIVE}) AND until_ms < ?", (day_ago_ms,))  # noqa: S608 - constants alone


async def _recovery(db: Db, row: Row) -> Recovery:
    vetoes = await rows_of(
        db,
        "SELECT points FROM recovery_vetoes WHERE flow = ? AND effect = ? ORDER BY at_ms",
        (row["id"], Effect.KEPT.value),
    )
    flow = Flow(
        id=row["id"],
        goal=Goal(row["goal"]),
        started_ms=row["started_ms"],
        phase=Phase(row["phase"]),
        until_ms=row["until_ms"],
        points=row["points"],
        band=Band(row["band"]),
        not_before_ms=row["not_before_ms"],
        slowed=bool(row["slowed"]),
        objections=tuple(veto["points"] for veto in vetoes),
    )
    return Recovery(
        flow=flow,
        user=row["user"],
        secret_hash=row["secret_hash"],
        known=bool(row["known"]),
        device=row["device"],
        net=msgspec.json.decode(row["net"], type=Net),
        answer=Answer(row["answer"]),
        last_factor=row["last_factor"],
        misses=row["misses"],
        tag=row["tag"],
    )
