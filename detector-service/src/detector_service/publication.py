"""Bans on their way to Redis, where gateways and the auth service read them.

The database is the truth, Redis a copy that can be lost. A change is written and pushed in one MULTI that holds only while `bans:generation` is the value
this process wrote last; if it is not (Redis was emptied, restarted without its data, or this process has just begun), the whole copy is written again.
Once a second the generation and the number of bans are looked at, so that a loss heals by itself, and bans that are over leave the hash.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping, Sequence

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError, WatchError

from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_GENERATION, BANS_HASH

from . import ledger
from .metrics import Metrics
from .store import Store

log = structlog.get_logger()

LOOK_EVERY_S = 1.0
CHUNK = 500
"""Subjects in one push, and fields in one HSET."""


class Publisher:
    """Owns the copy. `run` is its one task; `push` may be called beside it."""

    def __init__(
        self, client: "redis.Redis", store: Store, metrics: Metrics, *, now_ms: Callable[[], int], run_name: str
    ) -> None:
        """Args: run_name: what no other process's generations begin with."""
        self._client = client
        self._store = store
        self._metrics = metrics
        self._now_ms = now_ms
        self._run_name = run_name
        self._lock = asyncio.Lock()
        self._count = 0
        self._generation = b""
        self._published: dict[str, int] = {}
        self._owed: set[str] = set()

    async def run(self) -> None:
        """Keeps the copy right until cancelled."""
        while True:
            try:
                async with self._lock:
                    await self._look()
            except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
                self._generation = b""
                self._metrics.faults.labels("publication").inc()
                log.warning("bans_not_published", error=type(exc).__name__)
            await asyncio.sleep(LOOK_EVERY_S)

    async def push(self, changed: Mapping[str, bans.Ban | None]) -> None:
        """Writes these subjects' bans (None: no longer banned) and wakes every reader.

        Raises:
            RedisError, OSError, TimeoutError, sqlite3.Error: not now; `run` catches up.
        """
        async with self._lock:
            self._owed.update(changed)
            if not self._generation or not await self._change(changed):
                await self._rewrite()

    async def _look(self) -> None:
        if self._owed or not await self._is_ours():
            await self._rewrite()
        over = [subject for subject, until_ms in self._published.items() if until_ms <= self._now_ms()]
        if over:
            await self._client.hdel(BANS_HASH, *over)
            for subject in over:
                del self._published[subject]
        self._metrics.bans.set(len(self._published))

    async def _is_ours(self) -> bool:
        """Whether Redis still holds what this process wrote last."""
        if not self._generation or await self._client.get(BANS_GENERATION) != self._generation:
            return False
        return bool(await self._client.hlen(BANS_HASH) == len(self._published))

    async def _change(self, changed: Mapping[str, bans.Ban | None]) -> bool:
        """Whether the change was written; not where the copy is not ours."""
        generation = self._next()
        async with self._client.pipeline(transaction=True) as pipe:
            try:
                await pipe.watch(BANS_GENERATION)
                if await pipe.get(BANS_GENERATION) != self._generation:
                    return False
                pipe.multi()  # type: ignore[no-untyped-call]  # redis-py has no types here
                for subject, ban in changed.items():
                    if ban is None:
                        pipe.hdel(BANS_HASH, subject)
                    else:
                        pipe.hset(BANS_HASH, subject, bans.encode(ban))
                self._seal(pipe, generation, list(changed))
                await pipe.execute()
            except WatchError:
                return False
        for subject, ban in changed.items():
            self._published.pop(subject, None)
            if ban is not None:
                self._published[subject] = ban.until_ms
        self._written(generation)
        return True

    async def _rewrite(self) -> None:
        in_force = await ledger.bans_in_force(self._store.reading, self._now_ms())
        generation = self._next()
        async with self._client.pipeline(transaction=True) as pipe:
            pipe.delete(BANS_HASH)
            for at in range(0, len(in_force), CHUNK):
                pipe.hset(BANS_HASH, mapping={ban.subject: bans.encode(ban) for ban in in_force[at : at + CHUNK]})
            self._seal(pipe, generation, sorted({ban.subject for ban in in_force} | self._owed | set(self._published)))
            await pipe.execute()
        self._published = {ban.subject: ban.until_ms for ban in in_force}
        self._written(generation)
        self._metrics.rewrites.inc()
        log.info("bans_written", bans=len(in_force))

    def _seal(self, pipe: "redis.client.Pipeline", generation: bytes, subjects: Sequence[str]) -> None:
        pipe.set(BANS_GENERATION, generation)
        for at in range(0, len(subjects), CHUNK):
            pipe.publish(BAN_PUSH, bans.encode_push(list(subjects[at : at + CHUNK])))

    def _next(self) -> bytes:
        self._count += 1
        return f"{self._run_name}:{self._count}".encode()

    def _written(self, generation: bytes) -> None:
        self._generation = generation
        self._owed.clear()
        self._metrics.bans.set(len(self._published))
