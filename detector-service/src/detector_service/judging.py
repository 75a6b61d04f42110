"""A batch of events becomes stored rows, decisions and bans in one transaction; and the state in memory is rebuilt from those rows.

Invariant: the state is the fold (core/observing.py) of exactly what is committed. Where a commit fails, or is left in the middle, the state may hold
more than the database, so it is thrown away and rebuilt before the next batch.
"""

from collections import Counter, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import structlog

from garita_common.core import activity
from garita_common.core.addresses import Loopback
from garita_common.core.bans import Ban, challenge_subject, user_subject

from . import events, ledger
from .core.facts import Fact, Unreadable, decode, fact_of
from .core.flood_lane import NOTED_FOR_MS
from .core.good_users import RECENT_MS, SightingBook, count_good
from .core.observing import Observer
from .core.rulings import is_address, rule
from .core.scenarios import MESSAGE_FLOOD, OPERATOR_CHALLENGE, Action, Finding
from .events import OPERATOR_STREAM, Entry
from .ledger import Decision
from .metrics import Metrics
from .store import Db, Row, Store

log = structlog.get_logger()

HISTORY_MS = 48 * 3_600_000
"""How far back bans are replayed, as far as the longest-lived events are (events.HORIZONS_MS)."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What became of a batch. `bans` are those just made, each with when the event happened that made it; `failed` by stream id."""

    bans: list[tuple[Ban, int]] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    passed: list[str] = field(default_factory=list)
    """The subjects of challenges that were passed."""


class Judge:
    """Owns the state and the one path by which events and decisions are written. `ready` is whether the state has been rebuilt."""

    def __init__(
        self,
        store: Store,
        metrics: Metrics,
        *,
        loopback: Loopback,
        max_subjects: int,
        now_ms: Callable[[], int],
        luck: Callable[[], float],
        new_appeal: Callable[[], str],
    ) -> None:
        """Args: luck: draws evenly from 0 to 1; new_appeal: makes an id nobody can guess."""
        self._store = store
        self._metrics = metrics
        self._loopback = loopback
        self._max_subjects = max_subjects
        self._now_ms = now_ms
        self._luck = luck
        self._new_appeal = new_appeal
        self._observer = Observer(max_subjects)
        self._sightings = SightingBook()
        self._whole = False
        self.ready = False

    async def rebuild(self) -> None:
        """Makes the state anew from the database."""
        self._whole = self.ready = False
        count = 0
        async with self._store.writing() as db:  # nothing may change between the events and the bans that are read
            observer = Observer(self._max_subjects)
            # What the next event may be counted with depends on the last one, not on how long the process was away in between.
            reference_ms = await events.last_seen_ms(db)
            bans_made = await ledger.bans_made(db, until_after_ms=reference_ms - HISTORY_MS)
            made = deque(bans_made)
            async for page in events.that_count(db, reference_ms):
                for row in page:
                    while made and made[0]["event"] < row["id"]:
                        _ban_again(observer, made.popleft())
                    self._replay(observer, row)
                count += len(page)
            for ban in made:
                _ban_again(observer, ban)
            for row in await ledger.noted(db, MESSAGE_FLOOD.name, reference_ms - 2 * NOTED_FOR_MS):
                observer.noted(row["subject"], row["at_ms"] + NOTED_FOR_MS, row["decided_ms"])
        self._forget_lifted(observer, bans_made)
        self._observer = observer
        self._sightings = SightingBook()
        self._whole = self.ready = True
        log.info("state_rebuilt", events=count, subjects=len(observer.table), bans=len(bans_made))

    async def take(self, entries: Sequence[Entry]) -> Judged:
        """Stores, judges and commits a batch. Entries that are stored already change nothing."""
        if not self._whole:
            await self.rebuild()
        if not entries:
            return Judged()
        self._whole = False
        async with self._store.writing() as db:
            new = await events.insert(db, entries, seen_ms := self._now_ms())
            judged, decisions = await self._judge(db, new, seen_ms)
        self._whole = True
        self._count(entries, new, judged, decisions)
        return judged

    async def lift(self, decision: int, reason: str) -> str | None:
        """Lifts a ban, with the operator's reason in the audit log; its subject, or None where it is not in force."""
        now_ms = self._now_ms()
        async with self._store.writing() as db:
            subject = await ledger.lift(db, decision, reason=reason, now_ms=now_ms)
            if subject is None:
                return None
            event = activity.BanLifted(ts_ms=now_ms, src="detector", subject=subject)
            name = f"lift-{decision}"
            await events.insert(db, [Entry(OPERATOR_STREAM, name, event, activity.encode(event))], now_ms)
        self._observer.lifted(subject, now_ms)
        self._metrics.lifted.inc()
        return subject

    async def challenge(self, user: str, reason: str) -> Ban | None:
        """An operator has a user challenged; None where that user is already."""
        now_ms = self._now_ms()
        subject = user_subject(user)
        event = activity.ChallengeAsked(ts_ms=now_ms, src="detector", subject=subject)
        async with self._store.writing() as db:
            if await ledger.ban_in_force(db, challenge_subject(user), now_ms) is not None:
                return None
            name = f"challenge-{now_ms}-{user}"
            [(number, _)] = await events.insert(
                db, [Entry(OPERATOR_STREAM, name, event, activity.encode(event))], now_ms
            )
            finding = Finding(OPERATOR_CHALLENGE, subject, now_ms, (number,), {}, f"an operator asked for it: {reason}")
            decision = await self._decide(db, finding, fact_of(number, event, now_ms, self._loopback))
        return decision.ban if decision is not None else None

    def tidy(self) -> None:
        """Drops subjects of which nothing counts any more, and shows the state's size."""
        self._observer.table.sweep(self._now_ms())
        self._metrics.subjects.set(len(self._observer.table))
        self._metrics.shed.set(self._observer.table.shed)

    def _replay(self, observer: Observer, row: Row) -> None:
        try:
            event = decode(row["body"])
        except Unreadable:
            return  # of a kind that this version does not know
        if isinstance(event, activity.BanLifted):
            if row["stream"] == OPERATOR_STREAM:  # anybody who may write a stream could say so
                observer.lifted(event.subject, row["seen_ms"])
            return
        try:
            observer.observe(fact_of(row["id"], event, row["seen_ms"], self._loopback))
        except Exception as exc:  # edge: as in _judge; a stored event must never keep the service from starting
            log.error("event_not_replayed", event_id=row["id"], exc_info=exc)

    def _forget_lifted(self, observer: Observer, bans_made: Iterable[Row]) -> None:
        """A lift whose event is older than what was replayed is known from its ban."""
        last = {row["subject"]: row for row in bans_made}
        for subject, row in last.items():
            held = observer.table.find(subject)
            if row["lifted_ms"] is not None and held is not None and held.banned_until_ms == row["until_ms"]:
                observer.lifted(subject, row["lifted_ms"])

    async def _judge(self, db: Db, new: Sequence[tuple[int, Entry]], seen_ms: int) -> tuple[Judged, list[Decision]]:
        judged, decisions, sightings, unjudged = Judged(), [], [], []
        for number, entry in new:
            fact = fact_of(number, entry.event, seen_ms, self._loopback)
            try:
                findings = self._observer.observe(fact)
            except Exception as exc:  # edge: one event that a rule stumbles over must not hold up the others
                log.error("event_not_judged", kind=activity.kind_of(entry.event), exc_info=exc)
                judged.failed[entry.stream_id] = type(exc).__name__
                unjudged.append(number)
                continue
            if isinstance(entry.event, activity.CaptchaPassed) and entry.event.action == "chat":
                passed = await ledger.end_challenge(db, entry.event.user, seen_ms)
                judged.passed.extend([passed] if passed else [])
            sighting = self._sightings.see(fact)
            if sighting is not None:
                sightings.append(sighting)
            for finding in findings:
                decision = await self._decide(db, finding, fact)
                if decision is not None:
                    decisions.append(decision)
                    if decision.ban is not None:
                        judged.bans.append((decision.ban, fact.at_ms))
        if unjudged:
            await events.remove(db, unjudged)
        if sightings:
            await ledger.note_sightings(db, sightings)
        return judged, decisions

    async def _decide(self, db: Db, finding: Finding, fact: Fact) -> Decision | None:
        now_ms, good_users, past = fact.seen_ms, 0, None
        if finding.scenario.action is Action.BAN:
            past = await ledger.last_ban(db, finding.subject)
            if is_address(finding.subject):
                good_users = count_good(await ledger.residents(db, finding.subject, now_ms - RECENT_MS), now_ms)
        ruling = rule(finding, good_users=good_users, past=past, now_ms=now_ms, luck=self._luck())
        decision = await ledger.decide(
            db, finding, ruling, event=fact.id, good_users=good_users, now_ms=now_ms, appeal=self._new_appeal()
        )
        if decision is not None and decision.ban is not None and decision.action is Action.BAN:
            self._observer.banned(finding.subject, decision.ban.until_ms, now_ms)
        return decision

    def _count(
        self, entries: Sequence[Entry], new: Sequence[tuple[int, Entry]], judged: Judged, decisions: Iterable[Decision]
    ) -> None:
        self._metrics.repeated.inc(len(entries) - len(new))
        for kind, count in Counter(activity.kind_of(entry.event) for _, entry in new).items():
            self._metrics.events.labels(kind).inc(count)
        self._metrics.unjudged.inc(len(judged.failed))
        for decision in decisions:
            self._metrics.decisions.labels(decision.scenario, decision.action.value).inc()
            if decision.ban is not None:
                log.info(
                    "banned" if decision.action is Action.BAN else "challenged",
                    decision=decision.id,
                    scenario=decision.scenario,
                )


def _ban_again(observer: Observer, ban: Row) -> None:
    observer.banned(ban["subject"], ban["until_ms"], ban["since_ms"])
