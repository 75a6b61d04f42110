"""What the service does by itself: signs of life of the owner, and the end of uploads that nobody finishes."""

import asyncio
import sqlite3
import time
from collections.abc import Callable

import structlog

from . import store_files, store_outbox
from .blobs import Blobs
from .database import Database, show_life
from .metrics import Metrics
from .publisher import Publisher

log = structlog.get_logger()

SIGNS_PER_SILENCE = 5
"""Signs of life in the time after which a silent owner is taken over from: one that is late, or lost, is no reason."""


class Life:
    """The owner's sign of life, written whether there is anything else to write or not; it carries the marks of a service that has nothing else."""

    def __init__(
        self, database: Database, publisher: Publisher, clock_ms: Callable[[], int], *, takeover_s: float
    ) -> None:
        """Args: clock_ms: Unix milliseconds; takeover_s: silence after which a standby takes over, so this is also when readiness ends."""
        self._database = database
        self._publisher = publisher
        self._clock_ms = clock_ms
        self._takeover_s = takeover_s
        self._written_s = time.monotonic()

    async def run(self) -> None:
        """Shows life for ever.

        Raises:
            FenceLost: another copy has taken the database over.
        """
        while True:
            await self.show()
            await asyncio.sleep(self._takeover_s / SIGNS_PER_SILENCE)

    async def show(self) -> None:
        """Writes one sign of life, and the marks."""
        marks = self._publisher.take_marks()
        now_ms = self._clock_ms()

        def write(db: sqlite3.Connection) -> None:
            show_life(db, now_ms)
            store_outbox.mark(db, marks)

        try:
            await self._database.transact(write)
        except sqlite3.Error as exc:
            self._publisher.give_back(marks)
            log.warning("database_not_writable", error=type(exc).__name__)
        else:
            self._written_s = time.monotonic()

    def is_writable(self) -> bool:
        """Whether the database has taken a write lately."""
        return time.monotonic() - self._written_s < self._takeover_s


class Sweep:
    """Closes uploads that are too old and deletes what is left of them."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        metrics: Metrics,
        clock_ms: Callable[[], int],
        *,
        keep_s: float,
        every_s: float,
    ) -> None:
        """Args: keep_s: how long an unfinished upload is kept; every_s: the time between two looks."""
        self._database = database
        self._blobs = blobs
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._keep_ms = int(keep_s * 1000)
        self._every_s = every_s

    async def run(self) -> None:
        """Sweeps for ever."""
        while True:
            try:
                await self.sweep()
            except (OSError, sqlite3.Error) as exc:
                log.warning("sweep_failed", error=type(exc).__name__)
            await asyncio.sleep(self._every_s)

    async def sweep(self) -> int:
        """Clears away what is due now; gives how many uploads.

        An upload is closed before its bytes go, so nothing can be recorded that is half gone; it is marked as cleared after,
        so that a crash in between only repeats the deletion.
        """
        before_ms = self._clock_ms() - self._keep_ms
        due = await self._database.transact(lambda db: store_files.expire_uploads(db, before_ms))
        for upload in due:
            await self._blobs.clear(upload)
        if due:
            await self._database.transact(lambda db: store_files.mark_cleared(db, due))
            self._metrics.uploads_swept.inc(len(due))
            log.info("uploads_swept", uploads=len(due))
        return len(due)
