"""Heartbeats: who is alive, who clears up after the dead, and what a lost Redis means. Real Redis, a clock that tests turn."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count

import pytest
import redis.asyncio as redis
from redis.exceptions import RedisError

from garita_common import bus
from garita_common.core import channels
from gateway.alive import Alive
from gateway.clock import Clock

UNIX_MS = count(1_700_000_000_000)


class Node:
    """One gateway's heartbeat, with a clock of its own."""

    def __init__(self, client: redis.Redis, name: str) -> None:
        self.now_s = 100.0
        clock = Clock(monotonic=lambda: self.now_s, unix=lambda: next(UNIX_MS) / 1000)
        self.alive = Alive(client, name, clock, every_s=2, gone_s=10)
        self.dead: list[str] = []
        self.anew: list[bool] = []
        self.alive.on_dead.append(self.dead.append)
        self.alive.on_beat.append(self.anew.append)

    async def beats(self, seconds: float) -> None:
        """Time passes, with a beat every 2 s."""
        for _ in range(int(seconds / 2)):
            self.now_s += 2
            await self.alive.beat()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.Redis]:
    """An empty Redis."""
    held = bus.connect(redis_url)
    yield held
    await held.aclose()


async def test_the_living_see_each_other(client: redis.Redis) -> None:
    """From the second's first beat on."""
    one, two = Node(client, "one"), Node(client, "two")

    await one.alive.beat()
    assert one.alive.ids == {"one"}
    await two.alive.beat()
    await one.alive.beat()

    assert one.alive.ids == two.alive.ids == {"one", "two"}


async def test_exactly_one_of_the_living_clears_up_after_a_death(client: redis.Redis) -> None:
    """Ten seconds without a beat, not one sooner; then the dead one's entry is gone for all."""
    nodes = [Node(client, name) for name in ("one", "two", "three")]
    for node in nodes:
        await node.alive.beat()
    living = nodes[:2]

    for node in living:
        await node.beats(10)
    assert [node.dead for node in living] == [[], []]
    for node in living:
        await node.beats(2)

    assert sorted(name for node in living for name in node.dead) == ["three"]
    assert [node.alive.ids for node in living] == [{"one", "two"}] * 2


async def test_one_that_was_taken_for_dead_learns_of_it(client: redis.Redis) -> None:
    """It finds its entry missing, and says so once."""
    one, two = Node(client, "one"), Node(client, "two")
    await one.alive.beat()
    await two.alive.beat()
    await two.beats(14)

    assert two.dead == ["one"]
    await one.beats(4)

    assert one.anew == [True, True, False]
    assert one.alive.ids == {"one", "two"}


async def test_an_emptied_redis_kills_nobody(client: redis.Redis) -> None:
    """Everybody's entry comes back with their next beat, and everybody writes anew."""
    one, two = Node(client, "one"), Node(client, "two")
    await one.alive.beat()
    await two.alive.beat()
    await one.alive.beat()

    await client.delete(channels.GATEWAYS_ALIVE)
    await one.beats(2)
    assert one.alive.ids == {"one", "two"}
    await two.beats(2)

    assert (one.dead, two.dead) == ([], [])
    assert (one.anew, two.anew) == ([True, False, True], [True, True])


async def test_who_could_not_beat_itself_declares_nobody_dead(client: redis.Redis) -> None:
    """After Redis was away, or the host stood still, everybody has all the time again."""
    one, two = Node(client, "one"), Node(client, "two")
    await one.alive.beat()
    await two.alive.beat()
    await one.beats(2)

    one.now_s += 3600
    await one.beats(10)
    assert one.dead == []
    await one.beats(4)

    assert one.dead == ["two"]


async def test_a_redis_that_is_away_is_an_error_and_nothing_changes(client: redis.Redis, redis_url: str) -> None:
    """`run` logs it and beats on."""
    one = Node(client, "one")
    await one.alive.beat()
    broken = Node(bus.connect("redis://127.0.0.1:1/0"), "two")

    with pytest.raises((RedisError, OSError)):
        await broken.alive.beat()

    assert broken.alive.ids == {"two"}
    assert broken.anew == []
