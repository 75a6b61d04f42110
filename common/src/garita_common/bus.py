"""Redis as the bus: one way to connect, and a listener that never gives up.

`connect` makes a client without retries (a repeated PUBLISH would double a batch). `Listener` owns one pub/sub link at a time, made anew after
every loss. It sends itself a beat every 2 s over Redis and takes 6 s without hearing one as a loss, for a dead link can look alive. After each
(re)connection it subscribes to everything wanted, waits for Redis's own confirmation, and then calls `on_linked`: whatever was published in
between is lost and is the owner's to repair.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import redis.asyncio as redis
import structlog
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from .answers import Answers

log = structlog.get_logger()

BEAT_S = 2.0
SILENCE_S = 6.0
CONFIRM_S = 5.0
RETRY_S = (0.1, 2.0)

OnMessage = Callable[[str, bytes], None]
OnLinked = Callable[[], Awaitable[None]]


class Unlinked(Exception):
    """There is no link to Redis now, or it was lost while waiting."""


def connect(url: str, *, timeout_s: float = 5.0, max_connections: int = 32) -> "redis.Redis":
    """A client for commands: no retries, deadlines on every call, bytes in and out."""
    client = redis.from_url(
        url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
        max_connections=max_connections,
        protocol=2,
        health_check_interval=0,
    )
    client.connection_pool.connection_class = _heeding(client.connection_pool.connection_class)
    return client


def _heeding(connection: type) -> type:
    """A connection class that heeds every cancellation, and says `ConnectionError` for whatever happens to a link that another task has closed.

    redis-py sends through `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes as the send is done (bpo-37658). A task that loops
    over Redis would then outlive its TaskGroup for ever. A link that was closed between the check and the write has no writer any more
    (AttributeError); one that is just closing is refused by uvloop (RuntimeError).
    """

    async def send_packed_command(self: Any, command: Any, check_health: bool = True) -> None:
        task = asyncio.current_task()
        before = task.cancelling() if task else 0
        try:
            await connection.send_packed_command(self, command, check_health)  # type: ignore[attr-defined]  # redis-py's own
        except (AttributeError, RuntimeError) as exc:
            raise redis.ConnectionError("The link was closed meanwhile.") from exc
        if task and task.cancelling() > before:
            await self.disconnect(nowait=True)  # the answer to what was sent is nobody's
            raise asyncio.CancelledError

    return type(connection.__name__, (connection,), {"send_packed_command": send_packed_command})


class Listener:
    """Hears channels for ever; `run` is its one task."""

    def __init__(self, url: str, on_message: OnMessage, on_linked: OnLinked) -> None:
        """Args: on_message: called for each message, without awaiting; on_linked: called after each (re)subscription, in a task of its own."""
        self._client = connect(url, timeout_s=SILENCE_S + 2)
        self._on_message = on_message
        self._on_linked = on_linked
        self._beat_channel = f"beat:{os.urandom(8).hex()}"
        self._wanted: dict[str, None] = {}
        self._confirmed: set[str] = set()
        self._waiting: dict[str, list[asyncio.Future[None]]] = {}
        self._leaving: dict[str, asyncio.Future[None]] = {}
        self._link: Any = None
        self._heard_s = 0.0
        self.linked = False

    async def run(self) -> None:
        """Listens until cancelled."""
        delay_s = RETRY_S[0]
        try:
            while True:
                try:
                    await self._serve()
                except* (RedisError, OSError, TimeoutError, Unlinked) as group:
                    if self.linked:
                        log.warning("bus_link_lost", error=type(group.exceptions[0]).__name__)
                        delay_s = RETRY_S[0]
                finally:
                    self._lost()
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise asyncio.CancelledError  # TaskGroup drops a cancellation that meets its children's errors
                await asyncio.sleep(delay_s)
                delay_s = min(delay_s * 2, RETRY_S[1])
        finally:
            await self._client.aclose()

    async def subscribe(self, channels: Iterable[str]) -> None:
        """Wants these channels from now on, and returns when Redis has confirmed them.

        Raises:
            Unlinked: there is no link now; the channels stay wanted and are subscribed with the next one.
            TimeoutError: no confirmation within 5 s.
        """
        names = [name for name in channels if name not in self._confirmed]
        self._wanted.update(dict.fromkeys(names))
        if names:
            await self._ask(names)

    async def unsubscribe(self, channels: Iterable[str]) -> None:
        """Does not want these channels any more; a message that is already under way may still come."""
        names = [name for name in channels if self._wanted.pop(name, name) is None]
        self._confirmed.difference_update(names)
        if names and self._link is not None:
            try:
                await self._link.execute_command("UNSUBSCRIBE", *names)
            except (RedisError, OSError) as exc:
                log.debug("bus_unsubscribe_failed", error=type(exc).__name__)

    async def leave(self, channels: Iterable[str]) -> None:
        """Like `unsubscribe`, and returns when Redis has confirmed it: then everything that it had for these channels before was heard.

        Returns as well when the link is lost, for then nothing more can come, or after 5 s without a confirmation.
        """
        loop = asyncio.get_running_loop()
        leaving = {name: loop.create_future() for name in channels if name in self._wanted}
        self._leaving |= leaving
        await self.unsubscribe(leaving)
        if leaving and self._link is not None:
            await asyncio.wait(leaving.values(), timeout=CONFIRM_S)
        for name in leaving:
            self._leaving.pop(name, None)

    async def _ask(self, names: list[str]) -> None:
        link = self._link
        if link is None:
            raise Unlinked
        loop = asyncio.get_running_loop()
        futures = []
        for name in names:
            future: asyncio.Future[None] = loop.create_future()
            self._waiting.setdefault(name, []).append(future)
            futures.append(future)
        try:
            async with asyncio.timeout(CONFIRM_S):
                await link.execute_command("SUBSCRIBE", *names)
                for future in futures:
                    await future
        except (RedisError, OSError) as exc:
            raise Unlinked from exc
        finally:
            for future in futures:
                if not future.cancel() and not future.cancelled():
                    future.exception()  # looked at, so that it is not reported as forgotten

    async def _serve(self) -> None:
        """One link, from its connection to its loss.

        The tasks of a link report its loss instead of raising it: a TaskGroup whose child fails cancels the task that waits in it, and before Python 3.13 that
        could not be told from a cancellation from outside.

        Raises:
            Unlinked: always, in the end (inside an exception group).
        """
        link: Any = self._client.pubsub()
        lost = asyncio.Event()
        try:
            await link.connect()
            self._link = link
            self._heard_s = asyncio.get_running_loop().time()
            end = self._hear(link)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._report(lost, end), name="bus-end")
                await self._ask([self._beat_channel, *self._wanted])
                self.linked = True
                tasks.create_task(self._report(lost, self._beat()), name="bus-beat")
                tasks.create_task(self._report(lost, self._on_linked()), name="bus-linked")
                await lost.wait()
                raise Unlinked
        finally:
            self._link = None
            await link.aclose()

    async def _report(self, lost: asyncio.Event, work: Awaitable[None]) -> None:
        """Does a link's work; where that fails for want of the link, says so to everybody who waits for it."""
        try:
            await work
        except (RedisError, OSError, TimeoutError, Unlinked) as exc:
            log.debug("bus_link_broken", error=type(exc).__name__)
            self._fail_waiting()
            lost.set()

    def _hear(self, link: Any) -> "asyncio.Future[None]":
        """Hears a link from now on. Its end is the future's exception: the link's loss, or what `on_message` raised."""
        end: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def over(exc: Exception) -> None:
            if not end.done():
                end.set_exception(exc)

        Answers(link.connection, self._take, over)
        return end

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Exception):
            raise answer
        kind, channel, data = answer
        if kind == b"message":
            name = channel.decode()
            if name == self._beat_channel:
                self._heard_s = asyncio.get_running_loop().time()
            else:
                self._on_message(name, data)
        elif kind == b"subscribe":
            self._confirm(channel.decode())
        elif kind == b"unsubscribe" and channel is not None:
            self._left(channel.decode())

    async def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._client.publish(self._beat_channel, b"")
            await asyncio.sleep(BEAT_S)
            if loop.time() - self._heard_s > SILENCE_S:
                raise Unlinked

    def _confirm(self, name: str) -> None:
        if name in self._wanted:
            self._confirmed.add(name)
        for future in self._waiting.pop(name, ()):
            if not future.done():
                future.set_result(None)

    def _left(self, name: str) -> None:
        future = self._leaving.get(name)
        if future is not None and not future.done():
            future.set_result(None)

    def _lost(self) -> None:
        self.linked = False
        self._confirmed.clear()
        for name in self._leaving:
            self._left(name)
        self._fail_waiting()

    def _fail_waiting(self) -> None:
        waiting, self._waiting = self._waiting, {}
        for futures in waiting.values():
            for future in futures:
                if not future.done():
                    future.set_exception(Unlinked())
