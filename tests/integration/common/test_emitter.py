"""garita_common.emitter against a real server."""

import asyncio
from typing import Any

from prometheus_client import CollectorRegistry

from garita_common.bus import connect
from garita_common.core import activity
from garita_common.core.channels import ACTIVITY_KEY_STREAM, ACTIVITY_STREAM
from garita_common.emitter import MAX_KEY, Emitter

VIOLATION = activity.ProtocolViolated(ts_ms=5, src="gateway", kind="tcp_kind", byte=0x52, state="new")
HIT = activity.RateHit(ts_ms=1000, src="gateway", connection="g/1", limit="send")


async def stream(url: str, name: str, count: int) -> list[activity.Event]:
    """The events of a stream, once it has `count` entries."""
    client = connect(url)
    try:
        async with asyncio.timeout(15):
            while await client.xlen(name) < count:
                await asyncio.sleep(0.01)
        entries: Any = await client.xrange(name)
        return [activity.decode(fields[b"e"]) for _, fields in entries]
    finally:
        await client.aclose()


async def test_key_events_and_noise_go_to_their_streams_and_equal_noise_is_folded(redis_url: str) -> None:
    """Five equal hits of one connection and second are one record with a count; each violation is its own."""
    client = connect(redis_url)
    emitter = Emitter(client, CollectorRegistry(), "gateway")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(emitter.run())
        for _ in range(5):
            emitter.emit(HIT)
        emitter.emit(VIOLATION)
        emitter.emit(VIOLATION)

        assert await stream(redis_url, ACTIVITY_KEY_STREAM, 2) == [VIOLATION, VIOLATION]
        noise = await stream(redis_url, ACTIVITY_STREAM, 1)
        assert [(event.count, activity.kind_of(event)) for event in noise] == [(5, "rate.hit")]
        task.cancel()
    await client.aclose()


async def test_what_is_left_is_written_at_the_end(redis_url: str) -> None:
    """A stop right after an event loses nothing."""
    client = connect(redis_url)
    emitter = Emitter(client, CollectorRegistry(), "gateway")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(emitter.run())
        await asyncio.sleep(0)
        emitter.emit(VIOLATION)
        task.cancel()

    assert await stream(redis_url, ACTIVITY_KEY_STREAM, 1) == [VIOLATION]
    await client.aclose()


async def test_without_a_server_the_buffer_is_bounded_and_losses_are_counted() -> None:
    """At the bound everything is kept; one past it is dropped and counted."""
    registry = CollectorRegistry()
    client = connect("unix:///nowhere/redis.sock")
    emitter = Emitter(client, registry, "gateway")

    for _ in range(MAX_KEY + 1):
        emitter.emit(VIOLATION)

    assert registry.get_sample_value("gateway_activity_dropped_total", {"stream": "key"}) == 1
    await client.aclose()
