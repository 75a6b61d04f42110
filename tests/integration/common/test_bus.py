"""garita_common.bus against a real server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import chain, repeat

import pytest
import redis.asyncio as redis

from garita_common.bus import Listener, Unlinked, connect


class Ear:
    """What a listener heard and how often it was linked."""

    def __init__(self, url: str) -> None:
        """A listener on the server at `url`."""
        self.heard: list[tuple[str, bytes]] = []
        self.links = 0
        self.listener = Listener(url, lambda channel, data: self.heard.append((channel, data)), self._linked)

    async def _linked(self) -> None:
        self.links += 1

    async def until(self, count: int) -> None:
        """Waits until so many messages were heard."""
        async with asyncio.timeout(15):
            while len(self.heard) < count:
                await asyncio.sleep(0.01)

    async def until_linked(self, links: int) -> None:
        """Waits for the n-th link."""
        async with asyncio.timeout(15):
            while self.links < links:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Ear]:
    """A running listener that is linked."""
    ear = Ear(url)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ear.listener.run())
        await ear.until_linked(1)
        yield ear
        task.cancel()


async def test_a_subscription_is_confirmed_before_it_is_reported(redis_url: str) -> None:
    """What is published right after `subscribe` returned is heard."""
    client = connect(redis_url)
    async with listening(redis_url) as ear:
        await ear.listener.subscribe(["a", "b"])

        assert await client.publish("a", b"1") == 1
        assert await client.publish("c", b"2") == 0
        await ear.until(1)

    assert ear.heard == [("a", b"1")]
    await client.aclose()


async def test_a_killed_link_comes_back_with_all_its_channels(redis_url: str) -> None:
    """And its owner is told, for what was published in between is lost."""
    client = connect(redis_url)
    async with listening(redis_url) as ear:
        await ear.listener.subscribe(["a"])

        await client.client_kill_filter(_type="pubsub")
        await ear.until_linked(2)

        assert await client.publish("a", b"1") == 1
        await ear.until(1)
    await client.aclose()


async def test_what_is_unsubscribed_is_not_heard(redis_url: str) -> None:
    """The channel has no listener any more."""
    client = connect(redis_url)
    async with listening(redis_url) as ear:
        await ear.listener.subscribe(["a"])
        await ear.listener.unsubscribe(["a"])

        async with asyncio.timeout(10):
            while await client.publish("a", b"1"):
                await asyncio.sleep(0.01)
    await client.aclose()


async def test_without_a_link_a_subscription_is_refused_but_remembered(redis_url: str) -> None:
    """The owner can say busy at once; the next link has the channel."""
    client = connect(redis_url)
    ear = Ear(redis_url)

    with pytest.raises(Unlinked):
        await ear.listener.subscribe(["a"])

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ear.listener.run())
        await ear.until_linked(1)
        assert await client.publish("a", b"1") == 1
        task.cancel()
    await client.aclose()


async def test_a_listener_keeps_trying_while_the_server_is_away() -> None:
    """It neither ends nor claims a link."""
    ear = Ear("unix:///nowhere/redis.sock")
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ear.listener.run())
        await asyncio.sleep(0.5)

        assert not task.done()
        assert not ear.listener.linked
        task.cancel()


async def test_a_link_that_another_task_has_closed_is_a_lost_one(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer may be gone between the client's check and its write: that is no fault of ours, and must end nothing but the link."""
    link = connect(redis_url).connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    await link.connect()
    await link.disconnect()
    seen_open = chain([True], repeat(False))
    monkeypatch.setattr(type(link), "is_connected", property(lambda _: next(seen_open)))

    with pytest.raises(redis.ConnectionError, match="closed meanwhile"):
        await link.send_command("UNSUBSCRIBE", "a")


async def test_leaving_returns_when_all_before_it_was_heard(redis_url: str) -> None:
    """What was published while Redis still listed us has been heard by then; nothing after it is."""
    client = connect(redis_url)
    async with listening(redis_url) as ear:
        await ear.listener.subscribe(["a", "b"])
        sent = [await client.publish("a", str(number).encode()) for number in range(200)]
        await ear.listener.leave(["a", "b", "never-wanted"])

        assert sent == [1] * 200
        assert len(ear.heard) == 200
        assert await client.publish("a", b"late") == 0
    await client.aclose()


async def test_leaving_without_a_link_is_done_at_once() -> None:
    """There is nothing that could still come."""
    listener = Listener("unix:///nowhere", lambda *_: None, lambda: asyncio.sleep(0))
    with pytest.raises(Unlinked):
        await listener.subscribe(["a"])
    async with asyncio.timeout(3):
        await listener.leave(["a"])
