"""Ended sessions, from a real Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from garita_common import bus
from garita_common.core import channels, revocations
from garita_common.core.revocations import Revocation
from gateway.clock import Clock
from gateway.revocations_feed import RevocationsFeed

from .rig import eventually


class Fed:
    """A feed and what it told."""

    def __init__(self, redis_url: str) -> None:
        self.client = bus.connect(redis_url)
        self.told: list[str] = []
        self.feed = RevocationsFeed(self.client, self._take, Clock(), every_s=1000)

    def _take(self, found: object) -> None:
        assert isinstance(found, list)
        self.told += [each.sid for each in found]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fed]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.feed.run())
            yield self
            task.cancel()
        await self.client.aclose()

    async def write(self, sid: str, age_s: float = 0) -> bytes:
        at_ms = int((time.time() - age_s) * 1000)
        data = revocations.encode(Revocation("ua", sid, 0, at_ms))
        await self.client.zadd(channels.REVOKED_SET, {data: at_ms})
        return data


async def test_the_set_is_read_as_far_back_as_a_token_can_live(redis_url: str) -> None:
    """Older ones are of no use, unreadable ones hide no other."""
    it = Fed(redis_url)
    await it.write("old", age_s=400)
    await it.write("new", age_s=300)
    await it.client.zadd(channels.REVOKED_SET, {b"{": time.time() * 1000})
    async with it.running():
        await eventually(lambda: it.feed.loaded)

        assert it.told == ["new"]


async def test_a_message_counts_at_once_and_nonsense_reads_the_set(redis_url: str) -> None:
    """Without waiting for the next reading."""
    it = Fed(redis_url)
    async with it.running():
        await eventually(lambda: it.feed.loaded)
        it.feed.pushed(revocations.encode(Revocation("ua", "said", 0, 1)))
        assert it.told == ["said"]
        await it.write("written")

        it.feed.pushed(b"nonsense")

        await eventually(lambda: it.told == ["said", "written"])
