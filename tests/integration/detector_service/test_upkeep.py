"""detector_service.upkeep: old rows go, evidence stays a month, unread losses are counted."""

from __future__ import annotations

import asyncio

import redis.asyncio as redis

from detector_service.upkeep import AT_MOST, Upkeep
from garita_common.core import activity
from garita_common.core.channels import ACTIVITY_GROUP, ACTIVITY_KEY_STREAM, ACTIVITY_STREAM

from .conftest import T0, Bench

DAY = 86_400_000


def upkeep(bench: Bench, client: redis.Redis) -> Upkeep:
    return Upkeep(
        client, bench.store, bench.judge, bench.metrics, now_ms=bench.clock, keep_events_days=7, keep_evidence_days=30
    )


async def test_plain_events_go_after_a_week_and_evidence_loses_its_content_after_a_month(
    bench: Bench, client: redis.Redis
) -> None:
    """The decision and its sentence stay."""
    hit = activity.RateHit(ts_ms=T0, src="gateway", ip="10.0.0.1", limit="attempts_per_node")
    violations = [
        activity.ProtocolViolated(ts_ms=T0, src="gateway", ip="10.0.0.1", kind="tcp_kind", byte=0x52, state="new")
        for _ in range(3)
    ]
    for _ in range(3):
        await bench.take(*([hit] * AT_MOST))
    await bench.take(*violations)

    bench.clock.now_ms = T0 + 8 * DAY
    await upkeep(bench, client).forget()
    after_a_week = await bench.rows("SELECT kind, body FROM events")
    bench.clock.now_ms = T0 + 31 * DAY
    await upkeep(bench, client).forget()
    after_a_month = await bench.rows("SELECT unit, body FROM events")

    assert [row["kind"] for row in after_a_week] == ["proto.violation"] * 3
    assert all(row["body"] for row in after_a_week)
    assert [(row["unit"], row["body"]) for row in after_a_month] == [("", b"")] * 3
    assert len(await bench.rows("SELECT sentence FROM decisions")) == 1


async def test_entries_that_redis_dropped_unread_are_counted_once(bench: Bench, client: redis.Redis) -> None:
    """Ten written, six dropped before anybody read them."""
    for stream in (ACTIVITY_KEY_STREAM, ACTIVITY_STREAM):
        await client.xgroup_create(stream, ACTIVITY_GROUP, id="0", mkstream=True)
    for _ in range(10):
        await client.xadd(ACTIVITY_STREAM, {"e": "x"})
    await client.xtrim(ACTIVITY_STREAM, maxlen=4, approximate=False)
    work = upkeep(bench, client)

    for _ in range(3):
        await work._measure(ACTIVITY_STREAM)

    told = bench.registry.get_sample_value
    assert told("detector_trimmed_entries_total", {"stream": "activity"}) == 6
    assert told("detector_unread_entries", {"stream": "activity"}) == 4


async def test_upkeep_goes_on_whatever_redis_says(bench: Bench, client: redis.Redis) -> None:
    """No stream, no group: the state is still swept and measured."""
    work = upkeep(bench, client)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work.run())
        await bench.take(activity.ConnectionOpened(ts_ms=T0, src="gateway", ip="10.0.0.1", transport="tcp", port=1))
        async with asyncio.timeout(20):
            while bench.registry.get_sample_value("detector_subjects_count") != 1:
                await asyncio.sleep(0.05)
        task.cancel()
