"""Many commands in one round trip, for the paths that every message takes.

redis-py's own pipeline does the same for about 75 µs of CPU a round trip (locks of the pool, retries, a task for the deadline, events for observers, packing in
Python); here it is about 10. A pipe keeps one connection of the client's pool, made and authenticated by redis-py, writes finished bytes to it and hears
as many answers. It never repeats anything: after a failure nobody knows what was done, and the connection is dropped, since the answers still to come on
it are nobody's.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import hiredis
import redis.asyncio as redis

from .answers import Answers

Command = tuple[str | bytes | int, ...]


class Pipe:
    """One user's connection: one `run` at a time."""

    def __init__(self, client: "redis.Redis") -> None:
        """Args: client: of `bus.connect`; whoever closes it closes this."""
        self._pool: Any = client.connection_pool
        self._link: Any = None
        self._talk: _Talk | None = None

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Sends all commands, then hears all answers, in order.

        Raises:
            RedisError, OSError: something failed, or the client's deadline is over; whether any command was done is not known.
            ResponseError: Redis refused a command; those before it were done.
        """
        link = self._link
        if link is None:
            link = self._link = await self._pool.get_connection()
        try:
            async with asyncio.timeout(link.socket_timeout):
                if self._talk is None or self._talk.is_over:
                    self._talk = await self._begin(link)
                return await self._talk.say(commands)
        except (AttributeError, RuntimeError) as exc:  # another task has closed the link, or uvloop is just closing it
            await self._drop(link)
            raise redis.ConnectionError("The link was closed meanwhile.") from exc
        except BaseException:
            await self._drop(link)
            raise

    async def release(self) -> None:
        """Gives the connection back; the next `run` takes one again."""
        link, self._link = self._link, None
        if link is not None:
            if self._talk is not None:
                await self._drop(link)  # the next one to use it reads it by redis-py's own streams
            await self._pool.release(link)

    async def _begin(self, link: Any) -> "_Talk":
        if self._talk is not None or not link.is_connected:
            await link.disconnect(nowait=True)
            await link.connect()
        return _Talk(link)

    async def _drop(self, link: Any) -> None:
        self._talk = None
        await link.disconnect(nowait=True)


class _Talk:
    """Rounds on one connection, as long as it lasts. `is_over`: it is lost."""

    def __init__(self, link: Any) -> None:
        """Args: link: connected, with nothing under way."""
        self.is_over = False
        self._heard: list[Any] = []
        self._wanted = 0
        self._round: asyncio.Future[list[Any]] | None = None
        self._answers = Answers(link, self._take, self._end)

    async def say(self, commands: Sequence[Command]) -> list[Any]:
        """One round. Without commands there is nothing to wait for."""
        if not commands:
            return []
        pack: Any = hiredis.pack_command  # its own type says that a command has one word
        self._heard, self._wanted = [], len(commands)
        self._round = asyncio.get_running_loop().create_future()
        self._answers.transport.write(b"".join([pack(command) for command in commands]))
        answers = await self._round
        for answer in answers:
            if isinstance(answer, Exception):
                raise answer
        return answers

    def _take(self, answer: Any) -> None:
        self._heard.append(answer)
        if len(self._heard) == self._wanted and self._round is not None and not self._round.done():
            self._round.set_result(self._heard)

    def _end(self, exc: Exception) -> None:
        self.is_over = True
        if self._round is not None and not self._round.done():
            self._round.set_exception(exc)
