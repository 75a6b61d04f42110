"""Searches beside the transactions: a thread and a connection of their own, a bounded queue, a deadline each.

Searches are handed over after the commit of the batch they came in and answered one after another. Above the bound, or the third one of a user at a
time, they are refused as busy at once. So they cost at most one thread, and nobody's message waits for one.
"""

import asyncio
import contextlib
import sqlite3
import time
from collections import Counter, deque
from collections.abc import Callable
from pathlib import Path

import structlog

from garita_common.core.errors import AppError, Busy, Internal
from garita_common.core.records import Answered, Reply

from . import commands, store_search
from .batch import Committed
from .core import speech
from .database import Link
from .metrics import Metrics
from .publisher import Publisher
from .search import search
from .turn import Asked

log = structlog.get_logger()

MAX_PER_USER = 2


class Searcher:
    """`put` and `close` are the committer's side, `run` is its one task."""

    def __init__(
        self,
        *,
        index: Path,
        database: Path,
        publisher: Publisher,
        metrics: Metrics,
        clock_ms: Callable[[], int],
        deadline_s: float,
        max_waiting: int,
    ) -> None:
        """Args: deadline_s: for one search; max_waiting: searches."""
        self._paths = (index, database)
        self._publisher = publisher
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._deadline_s = deadline_s
        self._max_waiting = max_waiting
        self._waiting: deque[Asked] = deque()
        self._of_user: Counter[str] = Counter()
        self._wake = asyncio.Event()
        self._is_closed = False
        self._link: Link | None = None

    def put(self, asked: Asked) -> Reply | None:
        """Takes a search in; gives the refusal if it cannot."""
        user = asked.command.user
        if self._is_closed or len(self._waiting) >= self._max_waiting or self._of_user[user] >= MAX_PER_USER:
            return self._counted(commands.refusal(asked.command, Busy()))
        self._of_user[user] += 1
        self._waiting.append(asked)
        self._wake.set()
        return None

    def close(self) -> None:
        """No more will come: `run` refuses what waits and returns."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Searches until closed."""
        try:
            while await self._next():
                asked = self._waiting[0]
                reply = await self._answer(asked)
                self._forget(asked)
                if reply is not None:
                    await self._publisher.put(Committed(replies=[(asked.gateway, reply)]))
        finally:
            await self._close_link()

    async def _next(self) -> bool:
        """Waits for a search; whether there is one."""
        while not self._waiting:
            if self._is_closed:
                return False
            self._wake.clear()
            await self._wake.wait()
        return True

    async def _answer(self, asked: Asked) -> Reply | None:
        """The reply to one search; nothing if its gateway does not wait for it any more."""
        command = asked.command
        if command.expires_ms <= self._clock_ms():
            self._metrics.dropped.labels("expired").inc()
            return None
        if self._is_closed:
            return self._counted(commands.refusal(command, Busy()))
        started_s = time.perf_counter()
        late_s = started_s + self._deadline_s
        try:
            link = self._link or await self._open_link()
            body = await link.work(
                lambda reader: search(reader, command.user, asked.op, lambda: time.perf_counter() > late_s)
            )
            reply: Reply = Answered(command.connection, command.user, command.request, speech.ok(command.request, body))
        except AppError as exc:
            reply = commands.refusal(command, exc)
        except sqlite3.Error as exc:
            log.warning("index_unreadable", error=type(exc).__name__)
            await self._close_link()
            reply = commands.refusal(command, Busy())
        except Exception:
            log.exception("command_failed", op="search")
            reply = commands.refusal(command, Internal())
        self._metrics.search_seconds.observe(time.perf_counter() - started_s)
        return self._counted(reply)

    async def _open_link(self) -> Link:
        link = Link(lambda: store_search.connect_reader(*self._paths), iter_chunk_size=64)
        try:
            await link
        except BaseException:
            await link.give_up()
            raise
        self._link = link
        return link

    async def _close_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            with contextlib.suppress(sqlite3.Error):
                await link.close()

    def _forget(self, asked: Asked) -> None:
        self._waiting.popleft()
        self._of_user[asked.command.user] -= 1
        if not self._of_user[asked.command.user]:
            del self._of_user[asked.command.user]

    def _counted(self, reply: Reply) -> Reply:
        self._metrics.commands.labels("search", commands.code_of(reply)).inc()
        return reply
