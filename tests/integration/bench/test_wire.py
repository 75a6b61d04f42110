"""The wire before Redis hurts what goes over it, and nothing else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bench.wire import HOST, Wire


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Stands in for Redis: says everything again."""
    while line := await reader.readline():
        writer.write(line)
    writer.close()


@asynccontextmanager
async def wired() -> AsyncIterator[Wire]:
    """A wire before an echo."""
    server = await asyncio.start_server(echo, HOST, 0)
    async with server, Wire(server.sockets[0].getsockname()[1]).running() as wire:
        yield wire


class Line:
    """One connection over the wire."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def over(cls, wire: Wire) -> Line:
        """A new connection that works."""
        line = cls(*await asyncio.open_connection(HOST, wire.port))
        assert await line.say("here") == "here"
        return line

    async def say(self, word: str) -> str:
        """A word there and back; empty when the connection has ended."""
        self._writer.write(f"{word}\n".encode())
        return await self.hear()

    async def hear(self) -> str:
        """The next word that comes back."""
        async with asyncio.timeout(10):
            try:
                return (await self._reader.readline()).decode().strip()
            except ConnectionResetError:
                return ""

    def close(self) -> None:
        """Ends it."""
        self._writer.transport.abort()


async def test_what_is_held_back_comes_later_and_in_order() -> None:
    """A new connection is not held."""
    async with wired() as wire:
        held = await Line.over(wire)
        assert wire.hold(1.0, random.Random(1)) == 1
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await held.say("one")
        other = await Line.over(wire)
        held._writer.write(b"two\n")

        wire.mend()

        assert [await held.hear(), await held.hear()] == ["one", "two"]
        held.close()
        other.close()


async def test_a_cut_ends_all_and_lets_nobody_in_until_mended() -> None:
    """Everybody is told."""
    async with wired() as wire:
        line = await Line.over(wire)
        wire.cut()
        assert await line.hear() == ""
        refused = Line(*await asyncio.open_connection(HOST, wire.port))
        assert await refused.hear() == ""

        wire.mend()

        (await Line.over(wire)).close()


async def test_a_delay_holds_for_both_ways() -> None:
    """Until it is mended."""
    async with wired() as wire:
        line = await Line.over(wire)
        began = asyncio.get_running_loop().time()
        wire.delay_s = 0.1
        assert await line.say("slow") == "slow"
        assert asyncio.get_running_loop().time() - began >= 0.2
        line.close()
