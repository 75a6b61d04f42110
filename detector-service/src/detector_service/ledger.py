"""Decisions, bans, lifts and who was seen where, in the database. Every function that changes something runs inside the caller's transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from garita_common.core import bans

from .core.good_users import UNITS_A_DAY, Resident, Sighting
from .core.rulings import CHALLENGED_FOR_MS, PastBan, Ruling
from .core.scenarios import Action, Finding, Number
from .core.sentences import explain
from .store import Db, Row, one, rows_of

MAX_RESIDENTS = 1_000
"""Two good ones are enough; the thousand seen last are looked at."""

_BAN = (
    "SELECT b.decision, b.subject, b.since_ms, b.until_ms, b.level, b.reason, b.appeal, b.lifted_ms, b.lifted_reason,"
    " d.scenario, d.version, d.sentence, d.event FROM bans b JOIN decisions d ON d.id = b.decision"
)


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision that was just written; `ban` where it banned."""

    id: int
    scenario: str
    subject: str
    action: Action
    ban: bans.Ban | None


async def decide(
    db: Db, finding: Finding, ruling: Ruling, *, event: int, good_users: int, now_ms: int, appeal: str
) -> Decision | None:
    """Writes a decision and its ban; None where this finding was decided before. Args: event: the one that crossed the line."""
    number = int((await rows_of(db, "SELECT coalesce(max(id), 0) + 1 FROM decisions"))[0][0])
    sentence = explain(number, finding, ruling, good_users)
    numbers: dict[str, Number] = dict(finding.numbers)
    if ruling.action in {Action.BAN, Action.SPARED}:
        numbers |= {"good_users": good_users, "level": ruling.level, "nominal_s": ruling.nominal_ms // 1000}
    scenario = finding.scenario
    written = await rows_of(
        db,
        "INSERT INTO decisions (id, scenario, version, subject, window_start_ms, action, at_ms, event, numbers, sentence)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (scenario, subject, window_start_ms) DO NOTHING RETURNING id",
        (number, scenario.name, scenario.version, finding.subject, finding.window_start_ms, ruling.action.value, now_ms, event,
         msgspec.json.encode(numbers).decode(), sentence),
    )  # fmt: skip
    if not written:
        return None
    await db.executemany(
        "INSERT INTO evidence (decision, event) VALUES (?, ?)",
        [(number, row) for row in dict.fromkeys(finding.evidence)],
    )
    ban, user = None, _user_of(finding.subject)
    if ruling.action is Action.BAN or (ruling.action is Action.CHALLENGE and user):
        is_ban = ruling.action is Action.BAN
        ban = bans.Ban(
            subject=finding.subject if is_ban else bans.challenge_subject(user),
            since_ms=now_ms,
            until_ms=now_ms + (ruling.length_ms if is_ban else CHALLENGED_FOR_MS),
            reason=scenario.reason,
            sentence=sentence,
            appeal=appeal,
            decision=number,
        )
        await db.execute(
            "INSERT INTO bans (decision, subject, since_ms, until_ms, level, reason, appeal) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (number, ban.subject, ban.since_ms, ban.until_ms, ruling.level, ban.reason, ban.appeal),
        )
    return Decision(number, scenario.name, finding.subject, ruling.action, ban)


def _user_of(subject: str) -> str:
    """The user's id; empty where the subject is no user."""
    kind, _, name = subject.partition(":")
    return name if kind == "user" else ""


async def end_challenge(db: Db, user: str, now_ms: int) -> str | None:
    """The user has passed; the subject of the challenge that this ends."""
    row = await one(
        db,
        "UPDATE bans SET lifted_ms = ?1, lifted_reason = 'passed' WHERE subject = ?2 AND lifted_ms IS NULL AND until_ms > ?1 RETURNING subject",
        (now_ms, bans.challenge_subject(user)),
    )
    return str(row["subject"]) if row else None


async def last_ban(db: Db, subject: str) -> PastBan | None:
    """The subject's last ban that was not lifted."""
    row = await one(
        db,
        "SELECT level, until_ms FROM bans WHERE subject = ? AND lifted_ms IS NULL ORDER BY decision DESC LIMIT 1",
        (subject,),
    )
    return PastBan(row["level"], row["until_ms"]) if row else None


async def bans_in_force(db: Db, now_ms: int) -> list[bans.Ban]:
    """Every ban that holds now."""
    return [ban_of(row) for row in await rows_of(db, f"{_BAN} WHERE b.lifted_ms IS NULL AND b.until_ms > ?", (now_ms,))]


async def ban_in_force(db: Db, subject: str, now_ms: int) -> bans.Ban | None:
    """The subject's ban, where one holds now."""
    row = await one(
        db,
        f"{_BAN} WHERE b.subject = ? AND b.lifted_ms IS NULL AND b.until_ms > ? ORDER BY b.decision DESC LIMIT 1",
        (subject, now_ms),
    )
    return ban_of(row) if row else None


async def bans_made(db: Db, *, until_after_ms: int) -> list[Row]:
    """Every ban that ended, or would have, after a time, lifted or not: with the event that made it, in the order they were made."""
    return await rows_of(db, f"{_BAN} WHERE b.until_ms > ? ORDER BY b.decision", (until_after_ms,))


async def noted(db: Db, scenario: str, since_ms: int) -> list[Row]:
    """Which subjects a rule noted since a time, and when the event happened that crossed its line."""
    return await rows_of(
        db,
        "SELECT d.subject, e.at_ms, d.at_ms AS decided_ms FROM decisions d JOIN events e ON e.id = d.event"
        " WHERE d.scenario = ? AND d.at_ms > ? ORDER BY d.id",
        (scenario, since_ms),
    )


async def list_bans(db: Db, *, now_ms: int, ended: bool, before: int, limit: int) -> list[Row]:
    """Bans, newest first. Args: ended: also those that are over; before: only decisions below this."""
    return await rows_of(
        db,
        f"{_BAN} WHERE b.decision < ? AND (? OR (b.lifted_ms IS NULL AND b.until_ms > ?)) ORDER BY b.decision DESC LIMIT ?",
        (before, ended, now_ms, limit),
    )


async def find_ban(db: Db, decision: int) -> Row | None:
    """One ban."""
    return await one(db, f"{_BAN} WHERE b.decision = ?", (decision,))


async def find_decision(db: Db, decision: int) -> Row | None:
    """One decision."""
    return await one(db, "SELECT * FROM decisions WHERE id = ?", (decision,))


async def lift(db: Db, decision: int, *, reason: str, now_ms: int) -> str | None:
    """Lifts a ban that is in force and notes it in the audit log; its subject, or None where it is not in force."""
    row = await one(
        db,
        "UPDATE bans SET lifted_ms = ?, lifted_reason = ? WHERE decision = ? AND lifted_ms IS NULL AND until_ms > ? RETURNING subject",
        (now_ms, reason, decision, now_ms),
    )
    if row is None:
        return None
    subject = str(row["subject"])
    await db.execute(
        "INSERT INTO audit (at_ms, actor, action, decision, subject, reason) VALUES (?, 'operator', 'lift', ?, ?, ?)",
        (now_ms, decision, subject, reason),
    )
    return subject


async def audited(db: Db, limit: int) -> list[Row]:
    """What operators did, newest first."""
    return await rows_of(db, "SELECT * FROM audit ORDER BY id DESC LIMIT ?", (limit,))


async def note_sightings(db: Db, sightings: Sequence[Sighting]) -> None:
    """Writes who was seen where; a user's fifth unit of a day is not written."""
    await db.executemany(
        "INSERT INTO sightings (user, unit, day, last_ms) SELECT ?1, ?2, ?3, ?4 WHERE EXISTS"
        " (SELECT 1 FROM sightings WHERE user = ?1 AND day = ?3 AND unit = ?2)"
        " OR (SELECT count(*) FROM sightings WHERE user = ?1 AND day = ?3) < ?5"
        " ON CONFLICT (user, day, unit) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
        [(seen.user, seen.unit, seen.day, seen.at_ms, UNITS_A_DAY) for seen in sightings],
    )
    await db.executemany(
        "INSERT INTO accounts (user, since_ms) VALUES (?, ?) ON CONFLICT (user) DO UPDATE SET since_ms = excluded.since_ms",
        [(seen.user, seen.account_since_ms) for seen in sightings if seen.account_since_ms > 0],
    )


async def residents(db: Db, unit: str, recent_ms: int) -> list[Resident]:
    """Who was seen on an address since `recent_ms`."""
    found = await rows_of(
        db,
        "SELECT r.days, r.last_ms, coalesce(a.since_ms, 0) AS since_ms,"
        " EXISTS (SELECT 1 FROM bans b WHERE b.subject = 'user:' || r.user AND b.lifted_ms IS NULL) AS banned,"
        " coalesce((SELECT max(at_ms) FROM decisions d WHERE d.subject = 'user:' || r.user AND NOT EXISTS"
        "  (SELECT 1 FROM bans b WHERE b.decision = d.id AND b.lifted_ms IS NOT NULL)), 0) AS suspected_ms"
        " FROM (SELECT user, count(*) AS days, max(last_ms) AS last_ms FROM sightings WHERE unit = ? GROUP BY user"
        "  HAVING max(last_ms) > ? ORDER BY 3 DESC LIMIT ?) r LEFT JOIN accounts a ON a.user = r.user",
        (unit, recent_ms, MAX_RESIDENTS),
    )
    return [
        Resident(row["days"], row["last_ms"], row["since_ms"], bool(row["banned"]), row["suspected_ms"])
        for row in found
    ]


async def forget_sightings(db: Db, before_day: int) -> None:
    """Deletes the rows of earlier days."""
    await db.execute("DELETE FROM sightings WHERE day < ?", (before_day,))


def ban_of(row: Row) -> bans.Ban:
    """A row as the record that every service reads."""
    return bans.Ban(
        subject=row["subject"],
        since_ms=row["since_ms"],
        until_ms=row["until_ms"],
        reason=row["reason"],
        sentence=row["sentence"],
        appeal=row["appeal"],
        decision=row["decision"],
    )
