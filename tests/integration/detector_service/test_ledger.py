"""detector_service.ledger: decisions once, sightings bounded, residents as they are."""

from __future__ import annotations

from detector_service import ledger
from detector_service.core.good_users import Sighting
from detector_service.core.rulings import Ruling
from detector_service.core.scenarios import PROTOCOL_VIOLATION, Action, Finding
from garita_common.core import activity

from .conftest import T0, Bench

DAY = 86_400_000
UNIT = "addr:203.0.113.7/32"


async def test_a_finding_is_decided_once(bench: Bench) -> None:
    """The same rule, subject and window give no second decision, ban or evidence."""
    await bench.take(activity.RateHit(ts_ms=T0, src="gateway", limit="send"))
    finding = Finding(PROTOCOL_VIOLATION, UNIT, T0, (1, 1), {"violations": 3}, "it did")
    ruling = Ruling(Action.BAN, 0, 600_000, 600_000)

    made = []
    for appeal in ("a", "b"):
        async with bench.store.writing() as db:
            made.append(await ledger.decide(db, finding, ruling, event=1, good_users=0, now_ms=T0, appeal=appeal))

    assert made[0] is not None
    assert made[0].ban is not None
    assert made[0].ban.appeal == "a"
    assert made[1] is None
    counts = "SELECT (SELECT count(*) FROM decisions), (SELECT count(*) FROM bans), (SELECT count(*) FROM evidence)"
    assert [tuple(row) for row in await bench.rows(counts)] == [(1, 1, 1)]


async def test_a_users_fifth_unit_of_a_day_is_not_written(bench: Bench) -> None:
    """The four known ones go on being updated, and the next day begins anew."""
    seen = [Sighting("u1", f"addr:10.0.0.{number}/32", 7, T0 + number, 0) for number in range(9)]
    async with bench.store.writing() as db:
        await ledger.note_sightings(db, seen)
        await ledger.note_sightings(
            db, [Sighting("u1", "addr:10.0.0.0/32", 7, T0 + 99, 0), Sighting("u1", "addr:10.0.0.8/32", 8, T0, 5)]
        )

    rows = await bench.rows("SELECT unit, day, last_ms FROM sightings ORDER BY day, unit")
    assert [(row["unit"][-4], row["day"]) for row in rows] == [("0", 7), ("1", 7), ("2", 7), ("3", 7), ("8", 8)]
    assert rows[0]["last_ms"] == T0 + 99
    assert [row["since_ms"] for row in await bench.rows("SELECT since_ms FROM accounts")] == [5]


async def test_residents_are_told_with_their_days_age_and_past(bench: Bench) -> None:
    """A lifted ban is no past; who was not seen lately is not told."""
    async with bench.store.writing() as db:
        for user, days in (("u1", (7, 8)), ("u2", (8,)), ("gone", (1,))):
            await ledger.note_sightings(db, [Sighting(user, UNIT, day, day * DAY, 5) for day in days])
    bench.clock.now_ms = 8 * DAY
    event = {"src": "gateway", "kind": "tcp_kind", "byte": 0x52, "state": "connected", "ip": "10.0.0.1", "count": 3}
    judged = await bench.take(*(activity.ProtocolViolated(ts_ms=8 * DAY, user=user, **event) for user in ("u1", "u2")))  # type: ignore[arg-type]
    await bench.judge.lift(judged.bans[0][0].decision, "a mistake")

    found = await ledger.residents(bench.store.reading, UNIT, 7 * DAY)

    assert sorted((one.days, one.account_since_ms, one.ever_banned, one.suspected_ms) for one in found) == [
        (1, 5, True, 8 * DAY),
        (2, 5, False, 0),
    ]
