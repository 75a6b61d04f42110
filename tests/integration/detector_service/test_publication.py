"""detector_service.publication against a real Redis: the hash is a copy of the database, and heals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis.asyncio as redis

from detector_service.publication import Publisher
from garita_common.core import activity, bans
from garita_common.core.channels import BANS_GENERATION, BANS_HASH

from .conftest import Bench


def violation(bench: Bench, number: int) -> activity.ProtocolViolated:
    return activity.ProtocolViolated(
        ts_ms=bench.clock.now_ms,
        src="gateway",
        ip=f"10.1.{number // 250}.{number % 250}",
        kind="tcp_kind",
        byte=0x52,
        state="new",
        count=3,
    )


async def ban(bench: Bench, *numbers: int) -> dict[str, bans.Ban | None]:
    """Bans some addresses in the database."""
    judged = await bench.take(*(violation(bench, number) for number in numbers))
    return {made.subject: made for made, _ in judged.bans}


async def copy(client: redis.Redis) -> dict[str, bans.Ban]:
    """What readers see."""
    rows: Any = await client.hgetall(BANS_HASH)
    return {subject.decode(): bans.decode(data) for subject, data in rows.items()}


@pytest.fixture
def publisher(bench: Bench, client: redis.Redis) -> Publisher:
    return Publisher(client, bench.store, bench.metrics, now_ms=bench.clock, run_name="one")


@asynccontextmanager
async def at_work(publisher: Publisher) -> AsyncIterator[None]:
    """The publisher's own task runs."""
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(publisher.run())
        yield
        task.cancel()


async def until(client: redis.Redis, wanted: object) -> None:
    """Waits until the copy is what is wanted."""
    async with asyncio.timeout(20):
        while await copy(client) != wanted:
            await asyncio.sleep(0.02)


async def test_a_push_writes_the_ban_and_a_new_generation(
    bench: Bench, publisher: Publisher, client: redis.Redis
) -> None:
    """Each push moves the generation on."""
    await publisher.push(await ban(bench, 1))
    first = await client.get(BANS_GENERATION)
    await publisher.push(more := await ban(bench, 2))

    assert set(await copy(client)) == {"addr:10.1.0.1/32", *more}
    assert await client.get(BANS_GENERATION) not in {None, first}


async def test_a_push_into_a_copy_that_is_not_ours_writes_all_of_it(
    bench: Bench, publisher: Publisher, client: redis.Redis
) -> None:
    """Emptied, or written by another process: one ban alone, under a fresh generation, would free all others."""
    known = await ban(bench, *range(1200))
    await publisher.push(known)
    for harm in (client.flushall(), client.set(BANS_GENERATION, "another")):
        await harm
        known |= (fresh := await ban(bench, 1200 + len(known)))

        await publisher.push(fresh)

        assert await copy(client) == known


async def test_no_generation_is_written_without_its_bans(
    bench: Bench, publisher: Publisher, client: redis.Redis
) -> None:
    """A new process begins with the whole truth."""
    known = await ban(bench, 1, 2, 3)

    async with at_work(publisher):
        await until(client, known)
        assert await client.get(BANS_GENERATION)


@pytest.mark.parametrize(
    "command",
    [("FLUSHALL",), ("DEL", BANS_GENERATION), ("DEL", BANS_HASH), ("HDEL", BANS_HASH, "addr:10.1.0.1/32")],
    ids=["everything", "generation", "hash", "field"],
)
async def test_a_loss_heals_by_itself(
    bench: Bench, publisher: Publisher, client: redis.Redis, command: tuple[str, ...]
) -> None:
    """Within moments, whatever is missing."""
    known = await ban(bench, 1, 2, 3)
    async with at_work(publisher):
        await until(client, known)
        await client.execute_command(*command)  # type: ignore[no-untyped-call]  # redis-py has no types here

        await until(client, known)
        async with asyncio.timeout(20):
            while await client.get(BANS_GENERATION) is None:
                await asyncio.sleep(0.02)


async def test_bans_that_are_over_leave_the_hash(bench: Bench, publisher: Publisher, client: redis.Redis) -> None:
    """And the others stay."""
    await publisher.push(await ban(bench, 1))
    bench.clock.now_ms += 300_000
    await publisher.push(later := await ban(bench, 2))
    bench.clock.now_ms += 400_000

    async with at_work(publisher):
        await until(client, later)


async def test_a_lift_that_could_not_be_pushed_is_pushed_later(
    bench: Bench, publisher: Publisher, client: redis.Redis, redis_url: str
) -> None:
    """Redis is away at the wrong moment: the publisher owes it."""
    known = await ban(bench, 1, 2)
    await publisher.push(known)
    made = known["addr:10.1.0.1/32"]
    assert made is not None
    await bench.judge.lift(made.decision, "a mistake")
    await client.config_set("maxmemory", "1")
    try:
        with pytest.raises(redis.RedisError):
            await publisher.push({made.subject: None})
        assert made.subject in await copy(client)
    finally:
        await client.config_set("maxmemory", "0")

    async with at_work(publisher):
        await until(client, {"addr:10.1.0.2/32": known["addr:10.1.0.2/32"]})
