"""Keeps the book of bans: a whole reading at the start, after each new link to Redis and every 30 s; named ones as soon as `ban:push` says so.

A push carries no ban: the named fields are fetched, so whoever could publish there would ban nobody. Without `bans:generation` Redis does not know (it
was emptied, and the detector has not written again): what is known is kept, and a gateway that knows nothing yet is not ready.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import bans
from garita_common.core.bans import Ban, BanBook
from garita_common.core.channels import BANS_GENERATION, BANS_HASH

from .clock import Clock

log = structlog.get_logger()

MAX_PUSHED = 10_000
DECODE_STEP = 500
RETRY_S = 1.0


class BansFeed:
    """Fills a book; `run` is its one task."""

    def __init__(
        self,
        client: "redis.Redis",
        book: BanBook,
        on_new: Callable[[list[Ban]], None],
        clock: Clock,
        *,
        every_s: float,
    ) -> None:
        """Args: on_new: told about bans that were not in the book before."""
        self._client = client
        self._book = book
        self._on_new = on_new
        self._clock = clock
        self._every_s = every_s
        self._pushed: dict[str, None] = {}
        self._whole = True
        self._wake = asyncio.Event()

    def pushed(self, data: bytes) -> None:
        """Takes a `ban:push` in."""
        try:
            subjects = bans.decode_push(data)
        except msgspec.MsgspecError:
            self._whole = True
        else:
            self._pushed.update(dict.fromkeys(subjects))
            if len(self._pushed) > MAX_PUSHED:
                self._pushed, self._whole = {}, True
        self._wake.set()

    def reload(self) -> None:
        """Reads everything again, soon."""
        self._whole = True
        self._wake.set()

    async def run(self) -> None:
        """Reads until cancelled."""
        while True:
            try:
                await self._read()
            except (RedisError, OSError) as exc:
                log.warning("bans_not_read", error=type(exc).__name__)
                self._whole = True
                await asyncio.sleep(RETRY_S)
                continue
            pause_s = RETRY_S if self._whole else self._every_s
            try:
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()
            except TimeoutError:
                self._whole = True
            self._wake.clear()

    async def _read(self) -> None:
        if self._whole:
            self._whole = False
            self._pushed.clear()
            await self._read_all()
        elif self._pushed:
            subjects, self._pushed = list(self._pushed), {}
            values = await self._known(lambda pipe: pipe.hmget(BANS_HASH, subjects))
            if values is None:
                self._whole = True
                return
            changed = {subject: _decode(value) for subject, value in zip(subjects, values, strict=True)}
            self._tell(self._book.update(changed, self._clock.unix_ms()))

    async def _read_all(self) -> None:
        rows = await self._known(lambda pipe: pipe.hgetall(BANS_HASH))
        if rows is None:
            self._whole = True
            return
        values = list(rows.values())
        found: list[Ban] = []
        for start in range(0, len(values), DECODE_STEP):
            found += [ban for value in values[start : start + DECODE_STEP] if (ban := _decode(value)) is not None]
            await asyncio.sleep(0)
        self._tell(self._book.replace(found, self._clock.unix_ms()))

    async def _known(self, read: Callable[[Any], Any]) -> Any:
        """What Redis has, or None if it does not know: it was emptied, or written anew, before or while this was read."""
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.get(BANS_GENERATION)
            read(pipe)
            pipe.get(BANS_GENERATION)
            before, found, after = await pipe.execute()
        return found if before is not None and before == after else None

    def _tell(self, new: Iterable[Ban]) -> None:
        fresh = list(new)
        if fresh:
            self._on_new(fresh)


def _decode(value: bytes | str | None) -> Ban | None:
    if value is None:
        return None
    try:
        return bans.decode(value)
    except msgspec.MsgspecError:
        log.error("ban_undecodable")
        return None
