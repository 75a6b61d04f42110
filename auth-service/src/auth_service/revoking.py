"""Telling the gateways which sessions have ended.

An end is stored in the transaction that ends the session, then said: into the sorted set that gateways read again, and on the channel that wakes them. What could
not be said (Redis away, this process killed in between) is said by `run`, which also writes the last 330 s anew, for a Redis that came back empty.
"""

import asyncio
import sqlite3

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import revocations
from garita_common.core.channels import REVOKED_CHANNEL, REVOKED_KEEP_S, REVOKED_SET
from garita_common.core.revocations import Revocation

from . import store_sessions
from .parts import Parts

log = structlog.get_logger()

EVERY_S = 2.0
"""How soon an end that could not be said is tried again, and how long an emptied Redis may lack them."""


class Revoking:
    """Says what has ended."""

    def __init__(self, parts: Parts, client: "redis.Redis") -> None:
        """Args: client: for the set and the channel."""
        self._parts = parts
        self._client = client
        self._wake = asyncio.Event()

    async def say(self, ended: list[Revocation]) -> None:
        """Says these at once. Called after the commit; a failure is not the caller's: they are stored, and will be said."""
        if not ended:
            return
        try:
            await self._write(ended, publish=ended)
        except (RedisError, OSError, TimeoutError) as exc:
            log.warning("revocation_waits", error=type(exc).__name__)
        self._wake.set()

    async def run(self) -> None:
        """Says what is left unsaid, until cancelled."""
        while True:
            try:
                await self._catch_up()
            except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
                log.warning("revocations_wait", error=type(exc).__name__)
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _catch_up(self) -> None:
        since_ms = self._parts.now_ms() - REVOKED_KEEP_S * 1000
        rows = await store_sessions.revocations_since(self._parts.store.reading, since_ms)
        unsaid = [row for row, said, _ in rows if not said]
        self._parts.metrics.revocations_waiting.set(len(unsaid))
        if not rows:
            return
        await self._write([entry for _, _, entry in rows], publish=[entry for _, said, entry in rows if not said])
        if unsaid:
            async with self._parts.store.writing() as tx:
                await store_sessions.revocations_said(tx, unsaid)
            self._parts.metrics.revocations_waiting.set(0)

    async def _write(self, entries: list[Revocation], publish: list[Revocation]) -> None:
        now_ms = self._parts.now_ms()
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zadd(REVOKED_SET, {revocations.encode(entry): entry.at_ms for entry in entries})
            pipe.zremrangebyscore(REVOKED_SET, "-inf", now_ms - REVOKED_KEEP_S * 1000)
            for entry in publish:
                pipe.publish(REVOKED_CHANNEL, revocations.encode(entry))
            await pipe.execute()
