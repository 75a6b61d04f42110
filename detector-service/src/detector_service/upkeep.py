"""What is done on the side: old events are deleted, the state swept, unread and trimmed entries counted."""

import asyncio
import sqlite3
from collections.abc import Callable
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core.channels import ACTIVITY_GROUP

from . import events, ledger
from .core.good_users import DAY_MS, KEEP_DAYS
from .intake import STREAMS
from .judging import Judge
from .metrics import Metrics
from .store import Store

log = structlog.get_logger()

LOOK_EVERY_S = 2.0
FORGET_EVERY_S = 600.0
AT_MOST = 500
"""Rows in one deleting transaction: it takes a few milliseconds, and the next batch of events waits no longer."""


class Upkeep:
    """`run` is its one task."""

    def __init__(
        self,
        client: "redis.Redis",
        store: Store,
        judge: Judge,
        metrics: Metrics,
        *,
        now_ms: Callable[[], int],
        keep_events_days: int,
        keep_evidence_days: int,
    ) -> None:
        """Args: keep_events_days, keep_evidence_days: see the settings of the same names."""
        self._client = client
        self._store = store
        self._judge = judge
        self._metrics = metrics
        self._now_ms = now_ms
        self._keep_events_ms = keep_events_days * DAY_MS
        self._keep_evidence_ms = keep_evidence_days * DAY_MS
        self._gaps: dict[str, tuple[bytes, int]] = {}

    async def run(self) -> None:
        """Looks and tidies until cancelled."""
        loop, forget_at_s = asyncio.get_running_loop(), 0.0
        while True:
            self._judge.tidy()
            try:
                for stream in STREAMS:
                    await self._measure(stream)
                if loop.time() >= forget_at_s:
                    await self.forget()
                    forget_at_s = loop.time() + FORGET_EVERY_S
            except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
                log.debug("upkeep_put_off", error=type(exc).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def forget(self) -> None:
        """Deletes what is too old, a few rows at a time."""
        now_ms, rows = self._now_ms(), AT_MOST
        while rows >= AT_MOST:
            async with self._store.writing() as db:
                rows = await events.forget(
                    db,
                    plain_ms=now_ms - self._keep_events_ms,
                    evidence_ms=now_ms - self._keep_evidence_ms,
                    at_most=AT_MOST,
                )
        async with self._store.writing() as db:
            await ledger.forget_sightings(db, now_ms // DAY_MS - KEEP_DAYS)

    async def _measure(self, stream: str) -> None:
        """How many entries wait, and how many Redis has dropped between the last one read and the first one left."""
        groups: Any = await self._client.xinfo_groups(stream)
        group = next((group for group in groups if group["name"] == ACTIVITY_GROUP.encode()), None)
        if group is None:
            return
        info: Any = await self._client.xinfo_stream(stream)
        last = group["last-delivered-id"]
        position = 0 if last == b"0-0" else group.get("entries-read")
        gap = 0 if position is None else max(0, int(info["entries-added"]) - int(info["length"]) - int(position))
        self._metrics.unread.labels(stream).set(min(int(group.get("lag") or 0), int(info["length"])))
        before, known = self._gaps.get(stream, (b"", 0))
        known = known if before == last else 0
        if gap > known:
            self._metrics.trimmed.labels(stream).inc(gap - known)
        self._gaps[stream] = (last, max(gap, known))
