"""Limits of users over two gateways and one real Redis: at the limit, one past it, in the long run, and what deaths and losses leave behind."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from redis.exceptions import RedisError

from garita_common import bus
from garita_common.core import channels
from garita_common.core.buckets import Rate
from garita_common.core.errors import Busy
from gateway.app import Gateway
from gateway.clock import Clock
from gateway.core.enforcement import Enforcement
from gateway.core.limits import ShareLimits
from gateway.core.shared_bucket import SharedBucket
from gateway.shares import Shares
from tests.fakes.wire_clients import Client

from .rig import Rig, eventually, rig, token, user_id
from .test_presence import pair

ANA = user_id("ana")
STANDING = Rate(0.0001, 20)
"""Gives nothing back while a test runs, however slow the machine is."""
SET = channels.shared_limit("connections", ANA)


class Node:
    """One gateway's shares, with the channel on which it hears others."""

    def __init__(
        self, url: str, name: str, *, send: Rate = STANDING, on_trial: tuple[str, ...] = (), **limits: Any
    ) -> None:
        held = {"connections_per_user": 10, "connections_per_device": 8, "every_s": 0.01, **limits}
        self.client = bus.connect(url)
        self.enforcement = Enforcement(on_trial)
        self.gone: list[int] = []
        self.name = name
        self.living = {"one", "two"}
        self.shares = Shares(
            self.client, name, Clock(), ShareLimits(send=send, **held), self.enforcement, lambda: self.living
        )
        self.shares.on_make_room = lambda number, _: self.gone.append(number)
        self.listener = bus.Listener(url, lambda _, data: self.shares.heard(data), self.linked)

    async def linked(self) -> None:
        """Nothing was missed yet."""

    async def enter(self, number: int, device: str = "") -> SharedBucket:
        """A connection of ana's, on a device of its own unless one is named."""
        return await self.shares.enter(number, ANA, device or f"d{number}")

    def send(self, bucket: SharedBucket, times: int) -> int:
        """Sends at once; how many of them pass."""
        passed = sum(bucket.take(time.monotonic()) == 0.0 for _ in range(times))
        self.shares.spent(ANA)
        return passed


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[None]:
    """They hear each other, and report by themselves."""
    async with asyncio.TaskGroup() as tasks:
        held = [tasks.create_task(part) for node in nodes for part in (node.listener.run(), node.shares.run())]
        await eventually(lambda: all(node.listener.linked for node in nodes))
        for node in nodes:
            await node.listener.subscribe([channels.peer(node.name)])
        try:
            yield
        finally:
            for task in held:
                task.cancel()


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.Redis]:
    """An empty Redis."""
    held = bus.connect(redis_url)
    yield held
    await held.aclose()


async def members(client: redis.Redis) -> set[str]:
    """Ana's connections as Redis has them."""
    asked: Any = client.zrange(SET, 0, -1)
    return {name.decode() for name in await asked}


async def test_the_eleventh_connection_makes_the_oldest_go_wherever_it_is(redis_url: str, client: redis.Redis) -> None:
    """Ten over two gateways stay; one more, and the first that came is told at its own gateway."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    async with running(one, two):
        await one.enter(1)
        for number in range(9):
            await two.enter(number)
        assert (one.gone, two.gone, len(await members(client))) == ([], [], 10)

        await two.enter(9)

        await eventually(lambda: one.gone == [1])
        assert two.gone == []
        assert await members(client) == {f"two/{number}/d{number}" for number in range(10)}


async def test_a_device_s_ninth_connection_makes_the_device_s_oldest_go(redis_url: str) -> None:
    """Not another device's, though that came first."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    async with running(one, two):
        await one.enter(1, "phone")
        await one.enter(2, "laptop")
        for number in range(7):
            await two.enter(number, "laptop")
        assert one.gone == []

        await two.enter(7, "laptop")

        await eventually(lambda: one.gone == [2])


async def test_who_leaves_makes_room(redis_url: str, client: redis.Redis) -> None:
    """Once it is said, nobody has to go for the next; a set that nobody touches does not stay for ever."""
    one = Node(redis_url, "one")
    for number in range(10):
        await one.enter(number)
    one.shares.leave(0, ANA)
    one.shares.leave(0, ANA)
    await one.shares.flush()

    await one.enter(10)

    assert one.gone == []
    asked: Any = client.pttl(SET)
    assert 0 < await asked <= 1_800_000


async def test_what_a_dead_gateway_left_does_not_count(redis_url: str, client: redis.Redis) -> None:
    """An older connection of a living one does not go for it, and it is swept with the next connect; a gateway too young to be known counts."""
    one, now_ms = Node(redis_url, "one"), time.time() * 1000
    await one.enter(0)
    await client.zadd(SET, {"one/0/d0": now_ms - 120_000, "newcomer/1/d": now_ms})
    await client.zadd(SET, {f"dead/{number}/d": now_ms - 60_000 for number in range(9)})

    for number in range(1, 9):
        await one.enter(number)
    assert one.gone == []
    assert await members(client) == {"newcomer/1/d", *(f"one/{number}/d{number}" for number in range(9))}

    await one.enter(9)
    assert one.gone == [0]


async def test_a_lost_word_is_made_up_for_with_the_next_renewal(redis_url: str) -> None:
    """The one that should have gone enters again, and is named again."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    await one.enter(1)
    for number in range(10):
        await two.enter(number)
    assert one.gone == [], "nobody listened"

    one.shares.renewed(1, ANA)
    await one.shares.flush()

    assert one.gone == [1]
    assert two.gone == []


async def test_counts_on_trial_make_nobody_go(redis_url: str, client: redis.Redis) -> None:
    """All stay, and those who would have gone are counted."""
    one = Node(redis_url, "one", on_trial=("connections_per_user", "connections_per_device"))

    for number in range(12):
        await one.enter(number, "laptop")

    assert one.gone == []
    assert len(await members(client)) == 12
    assert one.enforcement.would_refuse == {"connections_per_user": 1 + 2, "connections_per_device": 1 + 2 + 3 + 4}


async def test_messages_are_twenty_over_two_gateways_and_not_one_more(redis_url: str) -> None:
    """Sent in turn, and all at once: what one has spent the other cannot spend again."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    async with running(one, two):
        buckets = await one.enter(1), await two.enter(1)
        await eventually(lambda: buckets[0].gateways == 2)

        first = one.send(buckets[0], 30) + two.send(buckets[1], 30)
        await one.shares.flush()
        await two.shares.flush()
        passed = first
        for _ in range(40):
            passed += one.send(buckets[0], 3)
            await one.shares.flush()
            passed += two.send(buckets[1], 3)
            await two.shares.flush()

        assert first == 20
        assert 20 <= passed <= 26, "no more than one report's share in excess"
        assert one.send(buckets[0], 5) + two.send(buckets[1], 5) == 0


async def test_the_rate_is_one_user_s_in_the_long_run(redis_url: str) -> None:
    """Both gateways send all they can for a second and a half: burst, rate, and no more than a message in excess for each."""
    rate = Rate(40, 10)
    nodes = Node(redis_url, "one", send=rate), Node(redis_url, "two", send=rate)
    async with running(*nodes):
        began = time.monotonic()
        buckets = [await node.enter(1) for node in nodes]
        await eventually(lambda: buckets[0].gateways == 2)
        passed = 0
        while time.monotonic() < began + 1.5:
            for node, bucket in zip(nodes, buckets, strict=True):
                passed += node.send(bucket, 3)
            await asyncio.sleep(0.002)
        elapsed_s = time.monotonic() - began

        assert rate.burst + 5 < passed <= rate.burst + rate.rate_per_s * elapsed_s + rate.burst / 2 + 1


async def test_a_level_survives_reconnecting_and_changing_gateways(redis_url: str) -> None:
    """A new socket resets nothing: not here, not there."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    assert one.send(await one.enter(1), 30) == 20

    one.shares.leave(1, ANA)
    again = one.send(await one.enter(2), 5)
    one.shares.leave(2, ANA)
    await one.shares.flush()

    assert again == 0
    assert two.send(await two.enter(1), 5) == 0
    assert len(one.shares) == 0


async def test_what_nobody_else_needs_is_told_late_or_never(redis_url: str, client: redis.Redis) -> None:
    """Alone with the user, and full again: no word to Redis. Once another gateway comes, what was spent is told at once."""
    one, two = Node(redis_url, "one", send=Rate(1000, 20)), Node(redis_url, "two")
    bucket = await one.enter(1)
    one.send(bucket, 5)
    await eventually(lambda: bucket.is_settled(time.monotonic()))
    await one.shares.flush()
    assert not await client.exists(channels.shared_limit("send", ANA))

    late = Node(redis_url, "one")
    async with running(late, two):
        bucket = await late.enter(2)
        late.send(bucket, 15)
        other = await two.enter(1)
        await eventually(lambda: bucket.gateways == 2)

        async def is_told() -> bool:
            return bool(await client.exists(channels.shared_limit("send", ANA)))

        await eventually(is_told)
        await eventually(lambda: other.report(time.monotonic()).level < 6)


async def test_an_emptied_redis_fills_nobody_s_bucket(redis_url: str, client: redis.Redis) -> None:
    """The gateway says again who is here and how much is left."""
    one, two = Node(redis_url, "one"), Node(redis_url, "two")
    buckets = [await one.enter(number) for number in range(10)]
    assert one.send(buckets[0], 15) == 15
    await one.shares.flush()

    await client.flushall()
    one.shares.relinked()
    await one.shares.flush()

    assert len(await members(client)) == 10
    assert two.send(await two.enter(1), 20) <= 5
    await eventually(lambda: two.gone == [])


async def test_without_redis_nobody_connects_and_who_is_there_goes_on(redis_url: str, tmp_path: Path) -> None:
    """Fail closed at the door; afterwards what was spent meanwhile is known."""
    path = tmp_path / "redis.sock"
    path.symlink_to(redis_url.removeprefix("unix://"))
    one, two = Node(f"unix://{path}", "one"), Node(redis_url, "two")
    bucket = await one.enter(1)

    path.unlink()
    await one.client.connection_pool.disconnect()
    with pytest.raises(Busy):
        await one.enter(2)
    assert one.send(bucket, 12) == 12
    with pytest.raises((RedisError, OSError)):
        await one.shares.flush()
    assert one.send(bucket, 12) == 8

    path.symlink_to(redis_url.removeprefix("unix://"))
    await one.shares.flush()
    assert two.send(await two.enter(1), 5) == 0


# Over real sockets

QUIET: dict[str, Any] = {"send_burst": 100, "device_send_burst": 100, "user_send_per_s": 0.0001, "refusals_burst": 500}


async def at(it: Rig, gateway: Gateway, device: str) -> Client:
    """Ana, connected to one of the gateways."""
    client = await type(await it.tcp()).open(gateway.tcp_port)
    it.clients.append(client)
    assert (await client.connect(token("ana", did=device)))["op"] == "ok"
    return client


async def test_over_two_gateways_the_oldest_is_told_4411(tmp_path: Path, redis_url: str) -> None:
    """The eleventh connects at the other gateway; those between go on."""
    async with pair(tmp_path, redis_url) as (it, other):
        clients = [await at(it, (it.gateway, other)[number % 2], f"d{number}") for number in range(10)]
        await clients[0].settle()

        await at(it, other, "d10")

        closed = await clients[0].end()
        assert closed.disconnect is not None
        assert (closed.disconnect["code"], closed.disconnect["reconnect"]) == (4411, True)
        for client in clients[1:]:
            await client.settle()


async def test_over_two_gateways_a_user_sends_twenty(tmp_path: Path, redis_url: str) -> None:
    """One after the other in turn, twenty pass and the next are refused with a time to wait, at both."""
    async with pair(tmp_path, redis_url, **QUIET) as (it, other):
        room = it.chat.room(ANA)
        clients = [await at(it, it.gateway, "d1"), await at(it, other, "d2")]
        answers: list[dict[str, Any]] = []
        for number in range(30):
            answers.append(await clients[number % 2].change("send", room=room.id, text="hola"))
            await asyncio.sleep(0.03)

        codes = [answer.get("code", "ok") for answer in answers]
        assert 20 <= codes.count("ok") <= 21
        assert codes[22:] == ["rate_limited"] * 8
        assert all(answer["retry_after_ms"] > 0 for answer in answers[22:])
        assert it.figure("gateway_refused_total", reason="user_send") >= 4


async def test_a_connect_that_ends_at_once_leaves_nothing(tmp_path: Path, redis_url: str) -> None:
    """Dropped in the middle of it, again and again: no connection stays counted."""
    async with rig(tmp_path, redis_url) as it:
        for _ in range(20):
            client = await it.tcp()
            client.send("connect", v=1, token=token("ana"))
            await client.writer.drain()
            client.abort()
        await eventually(lambda: not it.gateway.desk.connections)

        async def empty() -> bool:
            return await members(it.redis) == set()

        await eventually(empty)
