"""The bans in force, as this service knows them: a snapshot at start and every 30 s, and single ones as soon as they are pushed.

Before the first snapshot nobody knows who is banned: the service is not ready then, and what opens something new (a registration) is refused. Whoever
already has an account can still log in, under the limits, for the detector being away must not lock everybody out.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.bus import Listener, Unlinked
from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_GENERATION, BANS_HASH

from .core.problems import Banned, Overloaded
from .parts import Caller

log = structlog.get_logger()

SNAPSHOT_S = 30.0
SHORT_S = 1.0
"""Between tries while there is no first snapshot."""
MAX_PUSHED = 10_000
"""Subjects that wait to be fetched; beyond that a snapshot is taken instead."""


class BanWatch:
    """Keeps the book. `run` and `listener.run` are its tasks."""

    def __init__(self, client: "redis.Redis", url: str, now_ms: Callable[[], int]) -> None:
        """Args: url: of Redis, for a listener of its own."""
        self._client = client
        self._now_ms = now_ms
        self._wake = asyncio.Event()
        self._pushed: deque[str] = deque()
        self._whole = True
        self.book = bans.BanBook()
        self.listener = Listener(url, self._heard, self._linked)

    async def run(self) -> None:
        """Keeps the book up to date, until cancelled."""
        await self._subscribe()
        while True:
            try:
                await self._catch_up()
            except (RedisError, OSError, TimeoutError) as exc:
                log.warning("bans_not_read", error=type(exc).__name__)
                self._whole = True
            try:
                async with asyncio.timeout(SNAPSHOT_S if self.book.loaded and not self._whole else SHORT_S):
                    await self._wake.wait()
            except TimeoutError:
                self._whole = True
            self._wake.clear()

    def refuse_address(self, caller: Caller) -> None:
        """Raises:
        Banned: the caller's address is.
        """
        if caller.counted:
            refuse(self.book.of_address(caller.address, self._now_ms()))

    def refuse_person(self, user: str, device: str) -> None:
        """Raises:
        Banned: the user or the device is.
        """
        refuse(self.book.of_person(user, device, self._now_ms()))

    def is_banned(self, user: str, device: str) -> bool:
        """Whether the user or the device is."""
        return self.book.of_person(user, device, self._now_ms()) is not None

    def demand_book(self) -> None:
        """Raises:
        Overloaded: nobody knows who is banned.
        """
        if not self.book.loaded:
            raise Overloaded(retry_after_s=5)

    async def _subscribe(self) -> None:
        try:
            await self.listener.subscribe([BAN_PUSH])
        except (Unlinked, TimeoutError):
            log.debug("bans_subscribed_later")  # the listener subscribes with its next link

    async def _linked(self) -> None:
        self._whole = True
        self._wake.set()

    def _heard(self, _: str, data: bytes) -> None:
        try:
            subjects = bans.decode_push(data)
        except msgspec.MsgspecError:
            log.warning("ban_push_unreadable")
            return
        if len(self._pushed) + len(subjects) > MAX_PUSHED:
            self._pushed.clear()
            self._whole = True
        else:
            self._pushed.extend(subjects)
        self._wake.set()

    async def _catch_up(self) -> None:
        if self._whole:
            await self._snapshot()
            return
        subjects = sorted(set(self._pushed))
        self._pushed.clear()
        if subjects:
            found = await self._known(lambda pipe: pipe.hmget(BANS_HASH, subjects))
            if found is None:
                self._whole = True
                return
            changed = {subject: _decoded(data) for subject, data in zip(subjects, found, strict=True)}
            self.book.update(changed, self._now_ms())

    async def _snapshot(self) -> None:
        rows = await self._known(lambda pipe: pipe.hgetall(BANS_HASH))
        if rows is None:
            return
        self._whole = False
        self._pushed.clear()
        found = (_decoded(data) for data in rows.values())
        self.book.replace((ban for ban in found if ban is not None), self._now_ms())

    async def _known(self, read: Callable[[Any], Any]) -> Any:
        """What Redis has, or None if it does not know: it was emptied, or written anew, before or while this was read."""
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.get(BANS_GENERATION)
            read(pipe)
            pipe.get(BANS_GENERATION)
            before, found, after = await pipe.execute()
        return found if before is not None and before == after else None


def _decoded(data: bytes | str | None) -> bans.Ban | None:
    if data is None:
        return None
    try:
        return bans.decode(data)
    except msgspec.MsgspecError:
        log.error("ban_unreadable")
        return None


def refuse(ban: bans.Ban | None) -> None:
    """Raises:
    Banned: there is a ban.
    """
    if ban is not None:
        raise Banned(reason=ban.sentence, until_ms=ban.until_ms, appeal=ban.appeal)
