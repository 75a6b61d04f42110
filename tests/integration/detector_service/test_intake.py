"""detector_service.intake: a real process on a real Redis; nothing lost, nothing doubled, whatever is killed."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis

from detector_service.events import Entry
from detector_service.intake import CLAIM_IDLE_MS, DEAD_STREAM, Intake
from detector_service.judging import Judge, Judged
from detector_service.publication import Publisher
from garita_common.core import activity
from garita_common.core.addresses import Loopback
from garita_common.core.channels import ACTIVITY_GROUP, ACTIVITY_KEY_STREAM, ACTIVITY_STREAM

from .conftest import Bench
from .running import Detector, detector, now_ms, until, violation

KILLS = int(os.environ.get("GARITA_TEST_KILLS", "10"))


def message(number: int) -> activity.MessageSent:
    return activity.MessageSent(
        ts_ms=now_ms(), src="chat", ip="203.0.113.1", user=f"u{number}", room="r", len=1, bytes=1
    )


def test_the_third_violation_bans_within_moments_and_another_address_goes_on(running: Detector) -> None:
    """Two do not; the ban stands in Redis as gateways read it."""
    running.emit(*(violation(ip, number) for number, ip in enumerate(["127.0.0.5", "127.0.0.6"] * 2)))
    running.settled()
    assert running.bans() == {}

    running.emit(violation("127.0.0.5", 9))

    found = until(running.bans, "the ban is published")
    assert list(found) == ["addr:127.0.0.5/32"]
    ban = found["addr:127.0.0.5/32"]
    assert ban.reason == "protocol_violation"
    assert ban.until_ms > now_ms()
    assert len(running.rows("SELECT id FROM events")) == 5


def test_what_no_rule_can_read_goes_to_the_dead_stream(running: Detector) -> None:
    """Counted by reason, acknowledged, and the entries around it are stored."""
    running.emit(message(1))
    running.redis.xadd(ACTIVITY_KEY_STREAM, {"e": b"\xc1 no msgpack"})
    running.redis.xadd(ACTIVITY_KEY_STREAM, {"other": b"field"})
    running.redis.xadd(ACTIVITY_STREAM, {"e": activity.encode(message(2))[:-3]})
    running.emit(message(3))
    running.settled()

    assert len(running.rows("SELECT id FROM events")) == 2
    dead: Any = running.redis.xrange(DEAD_STREAM)
    assert sorted(fields[b"error"].decode() for _, fields in dead) == ["no_field", "undecodable", "undecodable"]
    assert 'detector_dead_entries_total{reason="undecodable"} 2.0' in running.metrics()


def test_what_another_consumer_left_behind_is_taken_over(tmp_path: Path, redis_url: str) -> None:
    """Read by a consumer that is gone, idle for over 30 s: claimed and stored, once."""
    with detector(tmp_path, redis_url, start=False) as it:
        it.emit(*(message(number) for number in range(20)))
        it.redis.xgroup_create(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, id="0")
        reply: Any = it.redis.xreadgroup(ACTIVITY_GROUP, "gone", {ACTIVITY_KEY_STREAM: ">"}, count=20)
        names = [name for name, _ in reply[0][1]]
        it.redis.xclaim(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, "gone", 0, names, idle=CLAIM_IDLE_MS + 1000)

        it.start()
        it.settled()

        assert len(it.rows("SELECT id FROM events")) == 20


def test_entries_that_were_stored_but_not_acknowledged_are_not_stored_again(tmp_path: Path, redis_url: str) -> None:
    """The group is moved back to the beginning: every entry is delivered anew, none counts anew."""
    with detector(tmp_path, redis_url) as it:
        it.emit(*(violation("127.0.0.5", number) for number in range(2)), *(message(number) for number in range(300)))
        it.settled()
        for _ in range(3):
            it.redis.xgroup_setid(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, "0")
            it.settled()

        assert len(it.rows("SELECT id FROM events")) == 302
        assert it.rows("SELECT id FROM decisions") == []
        assert it.bans() == {}


def test_trimmed_entries_are_counted(tmp_path: Path, redis_url: str) -> None:
    """Pending ones that Redis no longer has."""
    with detector(tmp_path, redis_url, start=False) as it:
        it.emit(*(message(number) for number in range(10)))
        it.redis.xgroup_create(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, id="0")
        it.redis.xreadgroup(ACTIVITY_GROUP, "worker-1", {ACTIVITY_KEY_STREAM: ">"}, count=10)
        it.redis.xtrim(ACTIVITY_KEY_STREAM, maxlen=4, approximate=False)

        it.start()
        it.settled()

        assert len(it.rows("SELECT id FROM events")) == 4
        assert 'detector_trimmed_entries_total{stream="activity:key"} 6.0' in it.metrics()


def test_an_emptied_redis_gets_its_group_and_its_bans_back(running: Detector) -> None:
    """FLUSHALL under a running detector: bans and generation are written again, events go on being stored."""
    running.emit(*(violation("127.0.0.5", number) for number in range(3)))
    before = until(running.bans, "the ban is published")

    running.redis.flushall()

    assert until(running.bans, "the ban is written again") == before
    assert running.redis.get("bans:generation")
    running.emit(*(violation("127.0.0.6", number) for number in range(3)))
    until(lambda: "addr:127.0.0.6/32" in running.bans(), "a ban by events after the loss")


def test_a_restart_writes_bans_into_an_emptied_redis(tmp_path: Path, redis_url: str) -> None:
    """The database is the truth."""
    with detector(tmp_path, redis_url) as it:
        it.emit(*(violation("127.0.0.5", number) for number in range(3)))
        before = until(it.bans, "the ban is published")
        it.kill()
        it.redis.flushall()

        it.start()

        assert until(it.bans, "the ban is written again") == before


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_kills_in_the_middle_of_batches_lose_and_double_nothing(tmp_path: Path, redis_url: str) -> None:
    """kill -9 while entries are pending, again and again; afterwards every event is stored once and every address with three violations has one ban."""
    chance = random.Random(7)
    hostile, sent, mid_batch = 0, 0, 0
    with detector(tmp_path, redis_url) as it:
        it.kill()
        for _ in range(KILLS):
            events: list[activity.Event] = [message(sent + number) for number in range(1500)]
            for _ in range(20):
                hostile += 1
                ip = f"127.0.{hostile // 250 + 1}.{hostile % 250 + 1}"
                events += [violation(ip, 10 * hostile + number) for number in range(3)]
            chance.shuffle(events)
            it.emit(*events)
            sent += len(events)
            progress = chance.choice(
                [_delivered, _stored]
            )  # the second also sees it busy with what the last kill left behind
            before = progress(it)
            it.start(ready=False)
            until(lambda: progress(it) != before, f"the detector works; {it.log()}")  # noqa: B023  asked before the loop goes on
            time.sleep(chance.uniform(0, 0.03))
            it.kill()
            mid_batch += _pending(it) > 0
        it.start()
        it.settled()

        assert mid_batch >= KILLS // 3
        assert it.rows("SELECT count(*), count(DISTINCT stream_id) FROM events") == [(sent, sent)]
        assert it.rows("SELECT count(*), count(DISTINCT subject) FROM decisions WHERE action = 'ban'") == [
            (hostile, hostile)
        ]
        assert it.rows("SELECT count(*) FROM bans") == [(hostile,)]
        assert it.rows("SELECT count(*) FROM evidence") == [(3 * hostile,)]
        assert until(lambda: len(it.bans()) == hostile, "every ban is published")
        assert it.redis.xlen(DEAD_STREAM) == 0


def _pending(it: Detector) -> int:
    groups: Any = it.redis.xinfo_groups(ACTIVITY_KEY_STREAM) if it.redis.exists(ACTIVITY_KEY_STREAM) else []
    return sum(group["pending"] for group in groups)


def _delivered(it: Detector) -> Any:
    groups: Any = it.redis.xinfo_groups(ACTIVITY_KEY_STREAM)
    return groups[0]["last-delivered-id"] if groups else b"0-0"


def _stored(it: Detector) -> Any:
    return (
        it.rows("SELECT count(*) FROM events")
        if it.rows("SELECT 1 FROM sqlite_master WHERE name = 'events'")
        else [(0,)]
    )


class Stumbling(Judge):
    """A judge whose rules stumble over the messages of one user; all else goes its usual way."""

    async def take(self, entries: Sequence[Entry]) -> Judged:
        bad = {entry.stream_id: "ValueError" for entry in entries if entry.event.user == "u13"}
        judged = await super().take([entry for entry in entries if entry.stream_id not in bad])
        return Judged(judged.bans, bad)


@pytest.mark.parametrize(
    ("deliveries", "left", "reason"), [(1, 1, None), (4, 1, None), (5, 0, b"not_judged"), (51, 0, b"crashes")]
)
async def test_what_no_rule_can_judge_is_kept_pending_and_buried_at_the_fifth_delivery(
    bench: Bench, client: redis.Redis, deliveries: int, left: int, reason: bytes | None
) -> None:
    """The entries around it are stored; one that keeps ending the process is not even tried."""
    judge = Stumbling(
        bench.store, bench.metrics, loopback=Loopback.PRIVATE, max_subjects=100, now_ms=bench.clock, luck=lambda: 0.5,
        new_appeal=lambda: "a",
    )  # fmt: skip
    publisher = Publisher(client, bench.store, bench.metrics, now_ms=bench.clock, run_name="one")
    intake = Intake(client, judge, publisher, bench.metrics, bench.clock)
    names = [await client.xadd(ACTIVITY_KEY_STREAM, {"e": activity.encode(message(number))}) for number in (12, 13, 14)]
    await client.xgroup_create(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, id="0")
    await client.xreadgroup(ACTIVITY_GROUP, "worker-1", {ACTIVITY_KEY_STREAM: ">"})
    # Reading it again is the delivery that is meant, so one less stands there before.
    await client.xclaim(
        ACTIVITY_KEY_STREAM, ACTIVITY_GROUP, "worker-1", 0, [names[1]], retrycount=deliveries - 1, justid=True
    )

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(intake.run())
        async with asyncio.timeout(20):
            while not intake.linked:
                await asyncio.sleep(0.01)
        task.cancel()

    pending: Any = await client.xpending(ACTIVITY_KEY_STREAM, ACTIVITY_GROUP)
    dead: Any = await client.xrange(DEAD_STREAM)
    assert pending["pending"] == left
    assert [fields[b"error"] for _, fields in dead] == ([reason] if reason else [])
    assert [row["user"] for row in await bench.rows("SELECT user FROM events ORDER BY id")] == ["user:u12", "user:u14"]
