"""Keeps the book of ended sessions: what `auth:revoked` says at once, and the sorted set behind it at the start, after each new link and every 30 s."""

import asyncio
from collections.abc import Callable, Iterable
from typing import cast

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import revocations
from garita_common.core.channels import REVOKED_KEEP_S, REVOKED_SET
from garita_common.core.revocations import Revocation

from .clock import Clock

log = structlog.get_logger()

RETRY_S = 1.0


class RevocationsFeed:
    """Fills a book; `run` is its one task. `loaded` is false until the set was read once."""

    def __init__(
        self,
        client: "redis.Redis",
        on_revoked: Callable[[Iterable[Revocation]], None],
        clock: Clock,
        *,
        every_s: float,
    ) -> None:
        """Args: on_revoked: given all of them, known ones too."""
        self._client = client
        self._on_revoked = on_revoked
        self._clock = clock
        self._every_s = every_s
        self._wake = asyncio.Event()
        self.loaded = False

    def pushed(self, data: bytes) -> None:
        """Takes a message of `auth:revoked` in."""
        try:
            self._on_revoked([revocations.decode(data)])
        except msgspec.MsgspecError:
            self.reload()

    def reload(self) -> None:
        """Reads the set again, soon."""
        self._wake.set()

    async def run(self) -> None:
        """Reads until cancelled."""
        while True:
            pause_s = self._every_s
            try:
                await self._read()
            except (RedisError, OSError) as exc:
                log.warning("revocations_not_read", error=type(exc).__name__)
                pause_s = RETRY_S
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                pass
            self._wake.clear()

    async def _read(self) -> None:
        since_ms = self._clock.unix_ms() - REVOKED_KEEP_S * 1000
        found = []
        for value in await self._client.zrangebyscore(REVOKED_SET, since_ms, "+inf"):
            try:
                found.append(revocations.decode(cast("bytes", value)))  # no scores were asked for
            except msgspec.MsgspecError:
                log.error("revocation_undecodable")
        self._on_revoked(found)
        self.loaded = True
