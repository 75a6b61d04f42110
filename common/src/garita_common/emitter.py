"""Activity records on their way to the detector: gathered without awaiting, written by one task.

Equal events of one connection and second become one record with a `count`. Key events are kept before noise: when Redis is away and the buffer is
full, noise is dropped first and counted. A record that was handed to Redis may have arrived although the answer was lost; it is then written again,
so a doubled record is possible and a lost one is not (but for the buffer's bound).
"""

import asyncio
from collections import deque
from typing import Final

import msgspec
import redis.asyncio as redis
import structlog
from prometheus_client import CollectorRegistry, Counter
from redis.exceptions import RedisError

from .core import activity
from .core.channels import ACTIVITY_KEY_STREAM, ACTIVITY_MAXLEN, ACTIVITY_STREAM
from .pipe import Pipe

log = structlog.get_logger()

MAX_KEY: Final = 50_000
MAX_NOISE: Final = 10_000
BATCH: Final = 500
NOISE_WAIT_S: Final = 0.25
GATHER_S: Final = 0.01
"""From an event to its writing: one write, and one transaction of the detector, for all that happens meanwhile. A fifth of what a ban may take."""


class Emitter:
    """Takes events in with `emit`; `run` is its one task."""

    def __init__(self, client: "redis.Redis", registry: CollectorRegistry, service: str) -> None:
        """Args: client: a client without retries; service: the metric's prefix, such as "gateway"."""
        self._pipe = Pipe(client)
        self._key: deque[activity.Event] = deque()
        self._noise: dict[tuple[object, ...], activity.Event] = {}
        self._wake = asyncio.Event()
        self._dropped = Counter(
            f"{service}_activity_dropped_total", "Activity records that found no room.", ["stream"], registry=registry
        )

    def emit(self, event: activity.Event) -> None:
        """Takes one event in; never waits."""
        if activity.is_key(event):
            if len(self._key) >= MAX_KEY:
                self._dropped.labels("key").inc()
                return
            self._key.append(event)
            self._wake.set()
            return
        fold = (type(event), event.connection or event.ip_prefix, event.ts_ms // 1000, getattr(event, "limit", None))
        held = self._noise.get(fold)
        if held is not None:
            self._noise[fold] = msgspec.structs.replace(held, count=held.count + event.count)
        elif len(self._noise) >= MAX_NOISE:
            self._dropped.labels("noise").inc()
        else:
            self._noise[fold] = event

    async def run(self) -> None:
        """Writes until cancelled; what is left then gets one last try of 1 s."""
        try:
            while True:
                try:
                    async with asyncio.timeout(NOISE_WAIT_S):
                        await self._wake.wait()
                        await asyncio.sleep(GATHER_S)
                except TimeoutError:
                    pass
                self._wake.clear()
                try:
                    await self._flush()
                except (RedisError, OSError) as exc:
                    log.warning("activity_not_written", error=type(exc).__name__, waiting=len(self._key))
                    await asyncio.sleep(1.0)
                    self._wake.set()
        finally:
            try:
                async with asyncio.timeout(1.0):
                    await self._flush()
            except (TimeoutError, RedisError, OSError):
                log.warning("activity_left_behind", waiting=len(self._key))

    async def _flush(self) -> None:
        while self._key:
            batch = [self._key[i] for i in range(min(BATCH, len(self._key)))]
            await self._write(ACTIVITY_KEY_STREAM, batch)
            for _ in batch:
                self._key.popleft()
        if self._noise:
            noise, self._noise = list(self._noise.values()), {}
            await self._write(ACTIVITY_STREAM, noise)

    async def _write(self, stream: str, events: list[activity.Event]) -> None:
        await self._pipe.run([
            ("XADD", stream, "MAXLEN", "~", ACTIVITY_MAXLEN, "*", activity.FIELD, activity.encode(event)) for event in events
        ])  # fmt: skip
