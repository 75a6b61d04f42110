"""Many commands in one round trip, for the paths that every message takes.

redis-py's own pipeline does the same for about 75 µs of CPU a round trip (locks of the pool, retries, a task for the deadline, events for observers, packing in
Python); here it is about 15. A pipe keeps one connection of the client's pool, made and authenticated by redis-py, writes finished bytes to it and reads
as many answers. It never repeats anything: after a failure nobody knows what was done, and the connection is dropped, since the answers still to come on
it are nobody's.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import hiredis
import redis.asyncio as redis

Command = tuple[str | bytes | int, ...]


class Pipe:
    """One user's connection: one `run` at a time."""

    def __init__(self, client: "redis.Redis") -> None:
        """Args: client: of `bus.connect`; whoever closes it closes this."""
        self._pool: Any = client.connection_pool
        self._link: Any = None

    async def run(self, commands: Sequence[Command]) -> list[Any]:
        """Sends all commands, then reads all answers, in order.

        Raises:
            RedisError, OSError: something failed, or the client's deadline is over; whether any command was done is not known.
            ResponseError: Redis refused a command; those before it were done.
        """
        link = self._link
        if link is None:
            link = self._link = await self._pool.get_connection()
        try:
            async with asyncio.timeout(link.socket_timeout):
                if (
                    not link.is_connected or link._reader.at_eof()
                ):  # has no public name: the other end has closed meanwhile
                    await link.disconnect(nowait=True)
                    await link.connect()
                return await _exchange(link, commands)
        except (AttributeError, RuntimeError) as exc:  # another task has closed the link, or uvloop is just closing it
            await link.disconnect(nowait=True)
            raise redis.ConnectionError("The link was closed meanwhile.") from exc
        except BaseException:
            await link.disconnect(nowait=True)
            raise

    async def release(self) -> None:
        """Gives the connection back; the next `run` takes one again."""
        link, self._link = self._link, None
        if link is not None:
            await self._pool.release(link)


async def _exchange(link: Any, commands: Sequence[Command]) -> list[Any]:
    writer, parser = link._writer, link._parser  # the ways around them cost a task per command
    pack: Any = hiredis.pack_command  # its own type says that a command has one word
    writer.write(b"".join([pack(command) for command in commands]))
    await writer.drain()
    answers = [await parser.read_response() for _ in commands]
    for answer in answers:
        if isinstance(answer, Exception):
            raise answer
    return answers
