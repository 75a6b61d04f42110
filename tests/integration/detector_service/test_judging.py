"""detector_service.judging over a real database: batches become events, decisions and bans; a restart changes nothing."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detector_service import ledger
from detector_service.core.good_users import count_good
from garita_common.core import activity
from garita_common.core.addresses import Loopback

from .conftest import T0, Bench, entry, opened_bench

MIN, H, DAY = 60_000, 3_600_000, 86_400_000
IP, UNIT = "203.0.113.7", "addr:203.0.113.7/32"


def violation(at_ms: int = T0, **more: Any) -> activity.ProtocolViolated:
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "gateway",
        "ip": IP,
        "kind": "tcp_kind",
        "byte": 0x52,
        "state": "new",
    }
    return activity.ProtocolViolated(**(fields | {"before_frames": True} | more))


def login(at_ms: int, user: str, **more: Any) -> activity.LoggedIn:
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "auth",
        "ip": IP,
        "user": user,
        "account": user,
        "known_device": True,
    }
    return activity.LoggedIn(**(fields | {"account_since_ms": T0 - 30 * DAY} | more))


async def test_the_third_violation_bans_its_address_and_nobody_else(bench: Bench) -> None:
    """Two do not; another address with two of its own is not touched."""
    assert (
        await bench.take(violation(), violation(), violation(ip="203.0.113.8"), violation(ip="203.0.113.8"))
    ).bans == []

    judged = await bench.take(violation())

    assert [ban.subject for ban, _ in judged.bans] == [UNIT]
    assert [row["subject"] for row in await bench.rows("SELECT subject FROM bans")] == [UNIT]
    evidence = await bench.rows("SELECT e.unit FROM evidence v JOIN events e ON e.id = v.event")
    assert [row["unit"] for row in evidence] == [UNIT] * 3


async def test_an_entry_that_comes_again_changes_nothing(bench: Bench) -> None:
    """Neither a row nor a count: the same two violations ten times are two."""
    entries = [entry(violation()), entry(violation())]

    for _ in range(10):
        assert (await bench.judge.take(entries)).bans == []

    assert len(await bench.rows("SELECT id FROM events")) == 2
    assert bench.registry.get_sample_value("detector_repeated_entries_total") == 18


async def test_after_login_user_and_device_are_banned_and_the_address_is_not(bench: Bench) -> None:
    """Two decisions, by the same three events."""
    judged = await bench.take(*(violation(T0 + n, user="u1", device="d1", before_frames=False) for n in range(3)))

    assert sorted(ban.subject for ban, _ in judged.bans) == ["device:d1", "user:u1"]


async def test_thirty_violations_at_once_are_one_ban(bench: Bench) -> None:
    """What was under way when the ban fell does not escalate it."""
    judged = await bench.take(*(violation(T0 + n) for n in range(30)))

    assert len(judged.bans) == 1
    assert len(await bench.rows("SELECT id FROM events")) == 30


async def test_each_further_ban_is_longer(bench: Bench) -> None:
    """10 min, 40 min, 160 min; a lifted one does not count."""
    lengths = []
    for lifted in (False, True, False):
        (ban, _), *_ = (await bench.take(*(violation(bench.clock.now_ms) for _ in range(3)))).bans
        lengths.append((ban.until_ms - ban.since_ms) // MIN)
        if lifted:
            await bench.judge.lift(ban.decision, "a mistake")
        bench.clock.now_ms = ban.until_ms + H

    assert lengths == [10, 40, 40]


async def test_abuse_63_puppets_free_four_addresses_a_day_each(bench: Bench) -> None:
    """Five aged accounts log in from a hundred addresses on two days: four addresses of each gain a good user, and only what two of them share is spared."""
    addresses = [f"203.0.113.{number}" for number in range(100)]
    for day in (0, 1):
        bench.clock.now_ms = T0 + day * DAY
        for number in range(5):
            mine = addresses[number * 2 :] + addresses[: number * 2]
            await bench.take(*(login(bench.clock.now_ms, f"puppet-{number}", ip=address) for address in mine))
    freed = 0
    for address in addresses:
        found = await ledger.residents(bench.store.reading, f"addr:{address}/32", T0)
        freed += count_good(found, bench.clock.now_ms)
    assert freed == 5 * 4

    judged = await bench.take(*(violation(bench.clock.now_ms, ip=address) for address in addresses for _ in range(3)))
    spared = {f"addr:{address}/32" for address in addresses} - {ban.subject for ban, _ in judged.bans}
    assert spared == {f"addr:203.0.113.{number}/32" for number in range(2, 10)}


@pytest.mark.parametrize(("good_users", "banned"), [(1, True), (2, False)])
async def test_two_good_users_spare_their_address(bench: Bench, good_users: int, banned: bool) -> None:
    """Accounts of thirty days, seen there yesterday and today: two protect, one does not. The decision is kept either way."""
    users = [f"u{number}" for number in range(good_users)]
    await bench.take(*(login(T0 - DAY, user) for user in users), *(login(T0 - H, user) for user in users))

    judged = await bench.take(violation(), violation(), violation())

    assert bool(judged.bans) is banned
    (decision,) = await bench.rows("SELECT action, sentence FROM decisions")
    assert decision["action"] == ("ban" if banned else "spared")
    assert ("2 good users share the address" in decision["sentence"]) is not banned


@pytest.mark.parametrize("flaw", ["young", "one_day", "long_ago", "banned", "elsewhere"])
async def test_two_users_of_whom_one_is_not_good_spare_nothing(bench: Bench, flaw: str) -> None:
    """Each condition alone is enough to lose the protection."""
    since_ms = T0 - (13 if flaw == "young" else 30) * DAY
    more: dict[str, Any] = {"account_since_ms": since_ms, "ip": "203.0.113.9" if flaw == "elsewhere" else IP}
    days = {"one_day": (0, 0), "long_ago": (3, 2)}.get(flaw, (1, 0))
    await bench.take(
        login(T0 - DAY, "u1"), login(T0 - H, "u1"), *(login(T0 - day * DAY - H, "u2", **more) for day in days)
    )
    if flaw == "banned":
        await bench.take(*(violation(T0 - H + n, user="u2", ip="198.51.100.1") for n in range(3)))

    judged = await bench.take(violation(), violation(), violation())

    assert [ban.subject for ban, _ in judged.bans] == [UNIT]


async def test_private_loopback_is_never_banned(bench: Bench) -> None:
    """The event is stored, with its address; nothing follows."""
    judged = await bench.take(*(violation(T0 + n, ip="127.0.0.1") for n in range(9)))

    assert judged.bans == []
    assert len(await bench.rows("SELECT id FROM events WHERE unit = 'addr:127.0.0.1/32'")) == 9
    assert await bench.rows("SELECT id FROM decisions") == []


async def test_public_loopback_is_an_address_like_any_other(bench: Bench) -> None:
    """For drills."""
    bench.judge = bench.new_judge(loopback=Loopback.PUBLIC)

    judged = await bench.take(*(violation(T0 + n, ip="127.0.0.5") for n in range(3)))

    assert [ban.subject for ban, _ in judged.bans] == ["addr:127.0.0.5/32"]


async def test_messages_alone_ban_nobody(bench: Bench) -> None:
    """Two thousand messages in a second: noted once, no ban."""
    message = activity.MessageSent(ts_ms=T0, src="chat", ip=IP, user="u1", device="d1", room="r", len=1, bytes=1)

    for _ in range(10):
        assert (await bench.take(*([message] * 200))).bans == []

    assert [row["action"] for row in await bench.rows("SELECT action FROM decisions")] == ["watch"]


async def test_a_restart_between_any_two_violations_loses_no_count(bench: Bench) -> None:
    """The third bans, whoever saw the first two."""
    await bench.take(violation())
    bench.judge = bench.new_judge()
    await bench.take(violation())
    bench.judge = bench.new_judge()

    assert len((await bench.take(violation())).bans) == 1


async def test_a_restart_remembers_bans_and_lifts(bench: Bench) -> None:
    """After it, a banned subject's events count for nothing, a lifted one's from nothing on."""
    (ban, _), *_ = (await bench.take(violation(), violation(), violation())).bans
    bench.judge = bench.new_judge()
    assert (await bench.take(*[violation()] * 5)).bans == []
    await bench.judge.lift(ban.decision, "a mistake")
    bench.judge = bench.new_judge()

    later_ms = bench.clock.now_ms = T0 + MIN
    assert (await bench.take(violation(later_ms), violation(later_ms))).bans == []
    assert len((await bench.take(violation(later_ms))).bans) == 1


async def test_a_lift_is_possible_once(bench: Bench) -> None:
    """And never of a ban that is over or was none."""
    (ban, _), *_ = (await bench.take(violation(), violation(), violation())).bans

    assert await bench.judge.lift(ban.decision, "a mistake") == UNIT
    assert await bench.judge.lift(ban.decision, "again") is None
    assert await bench.judge.lift(99, "nothing there") is None


IPS = st.sampled_from([IP, "203.0.113.8", "2001:db8::1"])
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["violation", "login", "failure", "hit", "message"]),
        IPS,
        st.integers(0, 40 * MIN),
        st.integers(1, 90),
    ),
    min_size=1,
    max_size=40,
)


def made(kind: str, ip: str, at_ms: int, times: int) -> activity.Event:
    """One step of a history."""
    match kind:
        case "violation":
            return violation(at_ms, ip=ip, user="u1" if times % 5 == 0 else "", device="d1" if times % 5 == 0 else "")
        case "login":
            return login(at_ms, f"u{times % 3}", ip=ip)
        case "failure":
            return activity.LoginFailed(
                ts_ms=at_ms, src="auth", ip=ip, account=f"a{times % 6}", known_device=False, reason="password"
            )
        case "hit":
            return activity.RateHit(ts_ms=at_ms, src="gateway", ip=ip, limit="attempts_per_address", count=times)
        case _:
            return activity.MessageSent(
                ts_ms=at_ms, src="chat", ip=ip, user="u1", room="r", len=1, bytes=1, count=times
            )


async def decided(history: list[tuple[str, str, int, int]], *, restart_every: int) -> list[tuple[Any, ...]]:
    """The decisions of a history, with a restart before every so many events (0: never)."""
    with tempfile.TemporaryDirectory() as folder:
        async with opened_bench(Path(folder) / "detector.sqlite3") as bench:
            for number, (kind, ip, pause_ms, times) in enumerate(history):
                bench.clock.now_ms += pause_ms
                if restart_every and number % restart_every == 0:
                    bench.judge = bench.new_judge()
                await bench.take(made(kind, ip, bench.clock.now_ms, times))
            rows = await bench.rows(
                "SELECT scenario, subject, window_start_ms, action, event, numbers FROM decisions ORDER BY id"
            )
            return [tuple(row) for row in rows]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(STEPS, st.integers(1, 4))
async def test_restarts_change_no_decision(history: list[tuple[str, str, int, int]], restart_every: int) -> None:
    """Any history gives the same decisions, by the same events and with the same numbers, however often the detector is started anew."""
    assert await decided(history, restart_every=restart_every) == await decided(history, restart_every=0)
