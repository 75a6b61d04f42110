"""auth_service.limits against a real server, and without one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from auth_service.core.attempts import Policy, Verdict
from auth_service.core.problems import TooMany
from auth_service.limits import Limit, Limiter
from auth_service.metrics import Metrics
from garita_common import bus
from tests.integration.auth_service.conftest import Clock

LIMIT = Limit("test", 4, 60)
POLICY = Policy(proof_after=2, shut_after_15_min=None, shut_after_hour=4, shut_ms=600_000)


@asynccontextmanager
async def limiter(url: str, clock: Clock) -> AsyncIterator[Limiter]:
    """A limiter on a Redis."""
    client = bus.connect(url, timeout_s=1.0, max_connections=200)
    try:
        yield Limiter(client, Metrics(CollectorRegistry()), clock)
    finally:
        await client.aclose()


@pytest.fixture
def away(tmp_path: Path) -> str:
    """The address of a Redis that is not there."""
    return f"unix://{tmp_path}/nobody.sock"


async def taken(limits: Limiter, times: int, key: str = "k") -> int:
    """How many of so many tokens are given, asked for at once."""

    async def take() -> bool:
        try:
            await limits.take(LIMIT, key)
        except TooMany:
            return False
        return True

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(take()) for _ in range(times)]
    return sum(task.result() for task in asked)


async def test_a_bucket_gives_what_it_holds_and_fills_again(redis_url: str) -> None:
    """Also when all ask at once; keys do not share; the wait that is told is enough."""
    clock = Clock()
    async with limiter(redis_url, clock) as limits:
        assert await taken(limits, 20) == 4
        assert await taken(limits, 20, "other") == 4
        with pytest.raises(TooMany) as refused:
            await limits.take(LIMIT, "k")
        assert refused.value.retry_after_s is not None
        clock.pass_s(refused.value.retry_after_s)
        assert await taken(limits, 20) == 1
        clock.pass_s(3600)
        assert await taken(limits, 20) == 4


async def test_a_clock_set_back_opens_nothing(redis_url: str) -> None:
    """An hour back and forth gives no token."""
    clock = Clock()
    async with limiter(redis_url, clock) as limits:
        assert await taken(limits, 4) == 4
        clock.pass_s(-3600)
        assert await taken(limits, 4) == 0
        clock.pass_s(3600)
        assert await taken(limits, 4) == 0


async def test_without_redis_half_is_given_and_never_all(away: str) -> None:
    """Stricter, not open."""
    async with limiter(away, Clock()) as limits:
        assert await taken(limits, 20) == 2
        assert limits.redis_is_away


async def test_a_redis_that_comes_back_is_asked_again(redis_url: str, away: str) -> None:
    """After a second without it."""
    clock = Clock()
    async with limiter(redis_url, clock) as limits, limiter(away, clock) as without:
        limits._redis_failed(OSError())
        assert limits.redis_is_away
        await asyncio.sleep(1.1)
        assert not limits.redis_is_away
        assert await taken(limits, 20) == 4
        assert await taken(without, 1) == 1


async def verdicts(limits: Limiter, times: int, key: str = "name") -> list[Verdict]:
    """The verdicts of so many tries, one after the other."""
    return [(await limits.reserve(key, f"{key}-{n}", POLICY)).judged.verdict for n in range(times)]


async def test_tries_are_counted_until_they_shut(redis_url: str) -> None:
    """Two free, two with a proof, then shut; knocking does not prolong it; afterwards it counts anew."""
    clock = Clock()
    async with limiter(redis_url, clock) as limits:
        assert await verdicts(limits, 6) == [
            Verdict.FREE, Verdict.FREE, Verdict.PROOF, Verdict.PROOF, Verdict.SHUT, Verdict.SHUT,
        ]  # fmt: skip
        clock.pass_s(599)
        assert await verdicts(limits, 1, "name") == [Verdict.SHUT]
        clock.pass_s(1)
        assert await verdicts(limits, 1, "name") == [Verdict.FREE]


async def test_parallel_tries_count_as_many(redis_url: str) -> None:
    """Fifty at once: four get a chance."""
    async with limiter(redis_url, Clock()) as limits:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(limits.reserve("name", str(n), POLICY)) for n in range(50)]

        found = [task.result().judged.verdict for task in asked]
        assert found.count(Verdict.SHUT) == 46


@pytest.mark.parametrize("where", ["redis", "nowhere"])
async def test_what_was_forgiven_does_not_count(redis_url: str, away: str, where: str) -> None:
    """A right password is no try."""
    async with limiter(redis_url if where == "redis" else away, Clock()) as limits:
        for number in range(10):
            reserved = await limits.reserve("name", str(number), Policy(None, None, 4, 600_000))
            assert reserved.judged.verdict is Verdict.FREE
            await limits.forgive(reserved)


async def test_tries_without_redis_are_stricter(away: str) -> None:
    """Work from the first, shut after half; and it opens again."""
    clock = Clock()
    async with limiter(away, clock) as limits:
        assert await verdicts(limits, 4) == [Verdict.PROOF, Verdict.PROOF, Verdict.SHUT, Verdict.SHUT]
        clock.pass_s(3601)
        assert await verdicts(limits, 1) == [Verdict.PROOF]
