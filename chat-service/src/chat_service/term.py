"""One term of office: everything that serves while this copy owns the database, made anew each time it takes it over.

A term ends in one of two ways. Told to stop, it gives up in order: the channels are left and what Redis still had for them is read, then what was read is
committed, then what was committed is said, then the database is released, so that a standby goes on at once. Overtaken (`FenceLost`), it ends where it
stands: nothing of it was committed or answered since, and what it had read its gateways ask again.
"""

import asyncio
from collections.abc import Callable

import structlog

from garita_common import bus
from garita_common.core import channels

from .committer import Committer
from .database import FenceLost
from .indexer import Indexer
from .intake import Intake
from .ownership import Ownership
from .publisher import Publisher
from .searcher import Searcher
from .upkeep import Life, Sweep

log = structlog.get_logger()

DRAIN_S = 2.5
CHANNELS = tuple(channels.shard_in(shard) for shard in range(channels.SHARDS))


class _Over(Exception):
    """Ends a term's tasks once everything is said."""


class Term:
    """The parts of one term; `serve` is its whole life. `is_open`: the shards are subscribed, or will be with the next link."""

    def __init__(
        self,
        *,
        ownership: Ownership,
        listener: bus.Listener,
        intake: Intake,
        committer: Committer,
        publisher: Publisher,
        searcher: Searcher,
        indexer: Indexer,
        life: Life,
        sweep: Sweep,
    ) -> None:
        """Args: listener: the process's; this term subscribes and leaves the shards."""
        self._ownership = ownership
        self._listener = listener
        self._committer = committer
        self._searcher = searcher
        self._indexer = indexer
        self._life = life
        self._sweep = sweep
        self.intake = intake
        self.publisher = publisher
        self.is_writable: Callable[[], bool] = life.is_writable
        self.is_open = False

    async def serve(self, stop: asyncio.Event) -> bool:
        """Serves until `stop`, then gives up in order; False if another copy has taken over before."""
        served = False
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._life.run(), name="life")
                tasks.create_task(self._sweep.run(), name="sweep")
                tasks.create_task(self._indexer.run(), name="index")
                searching = tasks.create_task(self._searcher.run(), name="search")
                committing = tasks.create_task(self._committer.run(), name="commit")
                saying = tasks.create_task(self.publisher.run(), name="publish")
                await self._want_shards()
                self.is_open = True
                await stop.wait()
                try:
                    async with asyncio.timeout(DRAIN_S):
                        await self._drain(committing, searching, saying)
                except TimeoutError:
                    log.warning("drain_cut_short")
                await self._ownership.release()
                raise _Over
        except* _Over:
            served = True
        except* FenceLost:
            await self._listener.leave(CHANNELS)
        return served

    async def _want_shards(self) -> None:
        try:
            await self._listener.subscribe(CHANNELS)
        except (bus.Unlinked, TimeoutError):
            return  # wanted now, subscribed with the next link

    async def _drain(
        self, committing: asyncio.Task[None], searching: asyncio.Task[None], saying: asyncio.Task[None]
    ) -> None:
        await self._listener.leave(CHANNELS)
        self.intake.close()
        await committing
        self._searcher.close()
        await searching
        self.publisher.close()
        await saying
        await self._life.show()
