"""A Redis of our own to be hurt, and the wire before it: a TCP proxy that cuts, delays and holds back.

Services connect to the wire's address, so that each connection of each service can be hurt alone. What is held back is not lost: it comes late and in order, as
after a network partition that heals.
"""

import asyncio
import contextlib
import random
import signal
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from garita_local.redis_server import find_programs

PIECE_BYTES = 64 * 1024
START_TIMEOUT_S = 30.0
HOST = "127.0.0.1"


class Wire:
    """The proxy; `running` serves it."""

    def __init__(self, target_port: int) -> None:
        """Args: target_port: where Redis listens. `delay_s` holds for both directions and may be changed at any time.

        A flow is known by the event that ends it, and has another that lets its bytes go on.
        """
        self._target_port = target_port
        self._flows: dict[asyncio.Event, asyncio.Event] = {}
        self._is_cut = False
        self.delay_s = 0.0
        self.port = 0

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Wire"]:
        """Listens on a free port while the block runs."""
        server = await asyncio.start_server(self._connected, HOST, 0)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            self.cut()
            while self._flows:
                await asyncio.sleep(0.01)

    def cut(self) -> None:
        """Ends every connection, and refuses new ones until `mend`."""
        self._is_cut = True
        for over in self._flows:
            over.set()

    def mend(self) -> None:
        """All is as it was; what was held back goes on."""
        self._is_cut = False
        self.delay_s = 0.0
        for free in self._flows.values():
            free.set()

    def hold(self, share: float, chance: random.Random) -> int:
        """Holds that share of the connections back until `mend`; how many they are."""
        held = [free for free in self._flows.values() if chance.random() < share]
        for free in held:
            free.clear()
        return len(held)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._is_cut:
            writer.transport.abort()
            return
        over, free = asyncio.Event(), asyncio.Event()
        self._flows[over] = free
        free.set()
        there: asyncio.StreamWriter | None = None
        try:
            answers, there = await asyncio.open_connection(HOST, self._target_port)
            async with asyncio.TaskGroup() as ways:
                ways.create_task(_until(over))
                ways.create_task(self._carry(reader, there, free))
                ways.create_task(self._carry(answers, writer, free))
        except* (OSError, _Ended):
            pass
        finally:
            del self._flows[over]
            for end in (writer, there):
                if end is not None:
                    end.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, free: asyncio.Event) -> None:
        while piece := await reader.read(PIECE_BYTES):
            if self.delay_s:
                await asyncio.sleep(self.delay_s)
            await free.wait()
            writer.write(piece)
            await writer.drain()
        raise _Ended


class _Ended(Exception):
    """One side has closed, or the wire is cut."""


async def _until(over: asyncio.Event) -> None:
    await over.wait()
    raise _Ended


class RedisServer:
    """A server process that may be killed, stopped and ended, and comes back by itself."""

    def __init__(self, folder: Path, port: int) -> None:
        """Use `redis_server`."""
        self._folder = folder
        self.port = port
        self.process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Keeps it alive until cancelled."""
        program = find_programs("")[0]
        words = [
            str(program.path), "--port", str(self.port), "--bind", HOST, "--dir", str(self._folder), "--save", "",
            "--appendonly", "yes", "--maxmemory-policy", "noeviction", "--logfile", str(self._folder / "redis.log"),
        ]  # fmt: skip
        try:
            while True:
                self.process = await asyncio.create_subprocess_exec(*words, stdin=asyncio.subprocess.DEVNULL)
                await self.process.wait()
        finally:
            if self.process is not None and self.process.returncode is None:
                self.process.send_signal(signal.SIGKILL)

    @property
    def pid(self) -> int | None:
        """Of the process that runs now."""
        return self.process.pid if self.process is not None and self.process.returncode is None else None

    async def ask(self, *words: str) -> str:
        """One command, straight to the server; the first line of its answer.

        Raises:
            OSError, TimeoutError: it does not answer.
        """
        async with asyncio.timeout(5):
            reader, writer = await asyncio.open_connection(HOST, self.port)
            try:
                writer.write((" ".join(words) + "\r\n").encode())
                return (await reader.readline()).decode().strip()
            finally:
                writer.close()

    async def is_up(self) -> bool:
        """Whether it answers."""
        with contextlib.suppress(OSError, TimeoutError):
            return await self.ask("PING") == "+PONG"
        return False


class _Over(Exception):
    """Ends the server's task."""


@asynccontextmanager
async def redis_server(free_port: Callable[[], int]) -> AsyncIterator[RedisServer]:
    """A running server; its data goes with it."""
    with tempfile.TemporaryDirectory(prefix="garita-redis-") as folder:
        server = RedisServer(Path(folder), free_port())
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(server.run())
                async with asyncio.timeout(START_TIMEOUT_S):
                    while not await server.is_up():
                        await asyncio.sleep(0.05)
                yield server
                raise _Over
        except* _Over:
            pass
