"""The search index follows the rooms, after the commit and beside it: a thread, a connection and a file of its own.

What is to be indexed is what lies between a room's mark in the index and its head, so nothing is lost by a crash in between: at the start every room
with something above its mark is due. While there is work the thread rests three times as long as it worked, and twenty times while many
commands share a transaction: under full load a twentieth of one core goes into it, and the index comes after.

What was taken out of the index stays in its segments until they are written anew. So once a minute, if there was such a thing, they are, step by
step, and the logs of both files are emptied: then a deleted text is in neither of them.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import structlog

from . import store_search
from .database import Database, Link, empty_log
from .metrics import Metrics

log = structlog.get_logger()

SLICE_EVENTS = 100
"""About 10 ms of work."""
REST = 3.0
REST_WHEN_BUSY = 20.0
BUSY_COMMANDS = 50
"""So many in one transaction are many at once, and so for the next second."""
BUSY_S = 1.0
RETRY_S = 2.0
PURGE_EVERY_S = 60.0


class Indexer:
    """`moved` is the committer's side, `run` is its one task."""

    def __init__(
        self, *, index: Path, path: Path, database: Database, metrics: Metrics, purge_every_s: float = PURGE_EVERY_S
    ) -> None:
        """Args: path: of the database; purge_every_s: the least time from one purge to the next."""
        self._paths = (index, path)
        self._database = database
        self._metrics = metrics
        self._purge_every_s = purge_every_s
        self._due: dict[str, None] = {}
        self._wake = asyncio.Event()
        self._next_purge_s = 0.0
        self._busy_until_s = 0.0

    def moved(self, rooms: Iterable[str], commands: int = 0) -> None:
        """Says that these rooms have new events. Args: commands: how many were in the transaction."""
        for room in rooms:
            self._due[room] = None
        if commands >= BUSY_COMMANDS:
            self._busy_until_s = time.monotonic() + BUSY_S
        self._wake.set()

    async def run(self) -> None:
        """Follows for ever; a file that cannot be used is opened again, and made again if it must be."""
        while True:
            try:
                await self._follow()
            except (sqlite3.Error, OSError) as exc:
                log.warning("index_not_writable", error=type(exc).__name__)
            await asyncio.sleep(RETRY_S)

    async def _follow(self) -> None:
        link = Link(lambda: store_search.connect(*self._paths), iter_chunk_size=64)
        try:
            await link
            self.moved(await link.work(store_search.unindexed))
            while True:
                await self._step(link)
        finally:
            await link.give_up()

    async def _step(self, link: Link) -> None:
        if not self._due:
            await self._idle(link)
            return
        rooms = list(self._due)[:SLICE_EVENTS]
        for room in rooms:
            del self._due[room]
        started_s = time.monotonic()
        self.moved(await link.work(lambda db: store_search.follow(db, rooms, SLICE_EVENTS)))
        self._metrics.rooms_unindexed.set(len(self._due))
        await self._rest(started_s)

    async def _idle(self, link: Link) -> None:
        """Waits for work; purges meanwhile, when it is time."""
        wanted = await link.work(store_search.wanted_purge)
        left_s = self._next_purge_s - time.monotonic()
        if wanted and left_s <= 0:
            await self._purge(link, wanted)
            return
        if self._due:
            return
        self._wake.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(left_s if wanted else None):
                await self._wake.wait()

    async def _purge(self, link: Link, wanted: int) -> None:
        work, is_last = partial(store_search.merge, first=True), False
        while not is_last:
            started_s = time.monotonic()
            is_last = await link.work(work)
            work = partial(store_search.merge, first=False)
            await self._rest(started_s)
            if self._due:
                await self._step(link)
        self._next_purge_s = time.monotonic() + self._purge_every_s
        if await link.work(empty_log) and await self._database.run(empty_log):
            await link.work(lambda db: store_search.purged(db, wanted))
            self._metrics.purges.inc()

    async def _rest(self, started_s: float) -> None:
        now_s = time.monotonic()
        await asyncio.sleep((REST_WHEN_BUSY if now_s < self._busy_until_s else REST) * (now_s - started_s))
