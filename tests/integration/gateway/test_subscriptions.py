"""Subscribing through one owner, against a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from garita_common import bus
from garita_common.bus import Listener, Unlinked
from gateway.subscriptions import Subscriptions

from .rig import eventually


class Linked:
    """A listener with its subscriptions, and what was heard."""

    def __init__(self, redis_url: str) -> None:
        self.client = bus.connect(redis_url)
        self.heard: list[str] = []
        self.listener = Listener(redis_url, lambda channel, _: self.heard.append(channel), self._linked)
        self.subscriptions = Subscriptions(self.listener)

    async def _linked(self) -> None:
        pass

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Linked]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(self.listener.run()), tasks.create_task(self.subscriptions.run())]
            await eventually(lambda: self.listener.linked)
            yield self
            for task in running:
                task.cancel()
        await self.client.aclose()


async def test_what_is_confirmed_is_heard(redis_url: str) -> None:
    """From the moment that `ensure` returns."""
    async with Linked(redis_url).running() as it:
        await it.subscriptions.ensure(["room:a", "room:b"])

        assert await it.client.publish("room:a", b"x") == 1
        assert await it.client.publish("room:b", b"x") == 1
        await eventually(lambda: it.heard == ["room:a", "room:b"])


async def test_what_is_dropped_is_heard_no_more_but_by_whoever_came_meanwhile(redis_url: str) -> None:
    """Dropping and wanting again in one turn keeps the channel."""
    async with Linked(redis_url).running() as it:
        await it.subscriptions.ensure(["room:a", "room:b"])

        it.subscriptions.drop(["room:a", "room:b"])
        await it.subscriptions.ensure(["room:a"])

        assert await it.client.publish("room:a", b"x") == 1

        async def gone() -> bool:
            return await it.client.publish("room:b", b"x") == 0

        await eventually(gone)
        it.subscriptions.drop(["room:a"])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await it.subscriptions.ensure(["room:a"])
        assert await it.client.publish("room:a", b"x") == 1


async def test_without_a_link_nothing_is_promised(redis_url: str) -> None:
    """The asker is told at once."""
    it = Linked(redis_url)

    with pytest.raises(Unlinked):
        await it.subscriptions.ensure(["room:a"])
    await it.client.aclose()


async def test_a_thousand_askers_are_served_together(redis_url: str) -> None:
    """A reconnect storm is a few rounds, not a thousand."""
    async with Linked(redis_url).running() as it, asyncio.TaskGroup() as tasks:
        for number in range(1000):
            tasks.create_task(it.subscriptions.ensure([f"room:{number % 200}"]))

    assert len(it.subscriptions.confirmed) == 200
