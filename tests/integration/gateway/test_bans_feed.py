"""The book of bans, filled from a real Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from garita_common import bus
from garita_common.core import bans, channels
from garita_common.core.bans import Ban, BanBook
from gateway.bans_feed import MAX_PUSHED, BansFeed
from gateway.clock import Clock

from .rig import eventually

UNTIL_MS = 10**14


def ban(subject: str) -> Ban:
    """A ban without end."""
    return Ban(subject, 0, UNTIL_MS, "flood", "x", "a")


class Fed:
    """A feed with its book and what it told."""

    def __init__(self, redis_url: str) -> None:
        self.client = bus.connect(redis_url)
        self.book = BanBook()
        self.new: list[str] = []
        self.feed = BansFeed(self.client, self.book, self._told, Clock(), every_s=1000)

    def _told(self, new: list[Ban]) -> None:
        self.new += [each.subject for each in new]

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fed]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(self.feed.run())
            yield self
            task.cancel()
        await self.client.aclose()

    async def write(self, *subjects: str) -> None:
        rows = {subject: bans.encode(ban(subject)) for subject in subjects}
        await self.client.hset(channels.BANS_HASH, mapping=rows)  # type: ignore[arg-type]


async def test_nothing_is_known_before_there_is_a_generation(redis_url: str) -> None:
    """And then it is read without being told."""
    async with Fed(redis_url).running() as it:
        await it.write("user:a")
        await asyncio.sleep(0.2)
        assert not it.book.loaded

        await it.client.set(channels.BANS_GENERATION, "1")

        await eventually(lambda: it.book.loaded)
        assert it.new == ["user:a"]


async def test_only_what_a_push_names_is_fetched_and_only_news_are_told(redis_url: str) -> None:
    """A lifted ban goes out of the book."""
    it = Fed(redis_url)
    await it.client.set(channels.BANS_GENERATION, "1")
    await it.write("user:a")
    async with it.running():
        await eventually(lambda: it.book.loaded)
        await it.write("user:b", "user:c")
        await it.client.hdel(channels.BANS_HASH, "user:a")

        it.feed.pushed(bans.encode_push(["user:a", "user:b"]))

        await eventually(lambda: it.new == ["user:a", "user:b"])
        assert it.book.of_person("a", "", 0) is None
        assert it.book.of_person("c", "", 0) is None


async def test_a_push_that_is_none_or_too_long_reads_everything(redis_url: str) -> None:
    """Nonsense costs one reading, and memory stays bounded."""
    it = Fed(redis_url)
    await it.client.set(channels.BANS_GENERATION, "1")
    async with it.running():
        await eventually(lambda: it.book.loaded)
        await it.write("user:a")
        it.feed.pushed(b"nonsense")
        await eventually(lambda: it.new == ["user:a"])
        await it.write("user:b")

        it.feed.pushed(bans.encode_push([f"user:{n}" for n in range(MAX_PUSHED + 1)]))

        await eventually(lambda: it.new == ["user:a", "user:b"])


async def test_a_record_that_cannot_be_read_hides_no_other(redis_url: str) -> None:
    """It is skipped."""
    it = Fed(redis_url)
    await it.client.set(channels.BANS_GENERATION, "1")
    await it.client.hset(channels.BANS_HASH, "user:x", b"{")
    await it.write("user:a")
    async with it.running():
        await eventually(lambda: it.new == ["user:a"])


async def test_a_push_after_redis_was_emptied_lifts_nothing(redis_url: str) -> None:
    """What it names is not there, and that means nothing; once the detector has written again, it is read."""
    it = Fed(redis_url)
    await it.client.set(channels.BANS_GENERATION, "1")
    await it.write("user:a", "user:b")
    async with it.running():
        await eventually(lambda: it.book.loaded)
        await it.client.delete(channels.BANS_HASH, channels.BANS_GENERATION)

        it.feed.pushed(bans.encode_push(["user:a"]))
        it.feed.pushed(b"nonsense")
        await asyncio.sleep(0.3)
        assert len(it.book) == 2

        await it.write("user:b", "user:c")
        await it.client.set(channels.BANS_GENERATION, "2")
        await eventually(lambda: it.new == ["user:a", "user:b", "user:c"])
        assert it.book.of_person("a", "", 0) is None
