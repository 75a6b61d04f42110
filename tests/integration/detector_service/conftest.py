"""Parts of the detector over a real database in a temporary folder, with a clock that tests turn."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import pytest
import redis.asyncio as redis
from prometheus_client import CollectorRegistry

from detector_service import store as database
from detector_service.events import Entry
from detector_service.judging import Judge, Judged
from detector_service.metrics import Metrics
from detector_service.store import Row, Store, rows_of
from garita_common.bus import connect
from garita_common.core import activity
from garita_common.core.addresses import Loopback
from garita_common.core.channels import ACTIVITY_KEY_STREAM

from .running import Detector, detector

T0 = 1_800_000_000_000
_stream_ids = count(1)


class Clock:
    """The time, in Unix milliseconds, as the test says."""

    def __init__(self, now_ms: int = T0) -> None:
        self.now_ms = now_ms

    def __call__(self) -> int:
        return self.now_ms


@dataclass
class Bench:
    """A judge over its database. `take` hands it events as new entries."""

    store: Store
    judge: Judge
    metrics: Metrics
    registry: CollectorRegistry
    clock: Clock

    async def take(self, *events: activity.Event) -> Judged:
        return await self.judge.take([entry(event) for event in events])

    async def rows(self, sql: str) -> list[Row]:
        return await rows_of(self.store.reading, sql)

    def new_judge(self, *, loopback: Loopback = Loopback.PRIVATE, luck: float = 0.5) -> Judge:
        """Another judge over the same database, as after a restart."""
        return Judge(
            self.store, self.metrics, loopback=loopback, max_subjects=1_000, now_ms=self.clock, luck=lambda: luck,
            new_appeal=lambda: secrets.token_hex(8),
        )  # fmt: skip


def entry(event: activity.Event, stream_id: str = "") -> Entry:
    """The event as an entry that has not been there before, or as the one that is named."""
    name = stream_id or f"{next(_stream_ids)}-0"
    return Entry(ACTIVITY_KEY_STREAM, name, event, activity.encode(event))


@asynccontextmanager
async def opened_bench(path: Path) -> AsyncIterator[Bench]:
    """A bench over the database at `path`."""
    async with database.opened(path) as store:
        registry = CollectorRegistry()
        bench = Bench(store, None, Metrics(registry), registry, Clock())  # type: ignore[arg-type]  # set in the next line
        bench.judge = bench.new_judge()
        yield bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with opened_bench(tmp_path / "detector.sqlite3") as made:
        yield made


@pytest.fixture
async def client(redis_url: str) -> AsyncIterator[redis.Redis]:
    """A client of the private Redis, as services make it."""
    made = connect(redis_url)
    yield made
    await made.aclose()


@pytest.fixture
def running(tmp_path: Path, redis_url: str) -> Iterator[Detector]:
    """A real detector process, ready, with loopback addresses counted."""
    with detector(tmp_path, redis_url) as it:
        yield it
