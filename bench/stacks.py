"""The stack to measure: one that runs already, or one of our own in a folder of its own."""

import asyncio
import os
import signal
import socket
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path

import aiohttp
import msgspec

from bench.tally import Stored
from garita_client.core.run_file import RunFile, parse_run_file

START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0


class StackTrouble(Exception):
    """The stack could not be started or read; the text says why."""


class RunningStack:
    """A stack by its state folder. `facts` is read anew each time: processes that were started again have new pids."""

    def __init__(self, state: Path) -> None:
        """Args: state: the folder with run.json."""
        self.state = state

    @property
    def facts(self) -> RunFile:
        """What run.json says now."""
        return parse_run_file((self.state / "run.json").read_bytes())

    def stored(self, room: str) -> tuple[list[Stored], set[int], int]:
        """A room's messages, the seqs of all its events, and its head, from the database itself, read-only."""
        path = self.state / "chat" / "chat.sqlite3"
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=10)) as database:
            rows = database.execute("SELECT seq, frame FROM events WHERE room = ? ORDER BY seq", (room,)).fetchall()
            head = database.execute("SELECT head FROM rooms WHERE id = ?", (room,)).fetchone()
        frames = [(seq, msgspec.json.decode(frame)) for seq, frame in rows]
        messages = [
            Stored(seq, str(frame["cmid"]), str(frame["text"])) for seq, frame in frames if frame["op"] == "message"
        ]
        return messages, {seq for seq, _ in frames}, int(head[0]) if head else 0


@asynccontextmanager
async def own_stack(gateways: int, chats: int = 1, *, keep_redis: bool = False) -> AsyncIterator[RunningStack]:
    """A stack that is started for this run and stopped after it; its data goes with it. Args: keep_redis: use the one that REDIS_URL names."""
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        state = Path(folder) / "var"
        http, tcp = _free_ports()
        words = [
            sys.executable, "-P", "-m", "garita_local", "--state", str(state), "--http-port", str(http),
            "--tcp-port", str(tcp), "--gateways", str(gateways), "--chats", str(chats),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if keep_redis or name != "REDIS_URL"}
        process = await asyncio.create_subprocess_exec(
            *words, stdout=asyncio.subprocess.PIPE, stderr=None, env=environment, start_new_session=True
        )
        try:
            await _ready(process)
            yield RunningStack(state)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()


@asynccontextmanager
async def given_stack(state: Path) -> AsyncIterator[RunningStack]:
    """A stack that runs already."""
    if not (state / "run.json").exists():
        raise StackTrouble(f"{state / 'run.json'} is not there: start the stack with make run, or leave --state away.")
    yield RunningStack(state)


async def is_ready(session: aiohttp.ClientSession, inner: str | None) -> bool:
    """Whether a process says that it is ready; Redis, which says nothing, counts as ready."""
    if inner is None:
        return True
    try:
        async with session.get(f"{inner}/readyz", timeout=aiohttp.ClientTimeout(total=2)) as answer:
            return answer.status == 200
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False


async def _ready(process: asyncio.subprocess.Process) -> None:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            async for line in process.stdout:
                if line.startswith(b"garita ready"):
                    return
    except TimeoutError as exc:
        raise StackTrouble("The stack does not become ready.") from exc
    raise StackTrouble("The stack could not start; it says why above.")


def _free_ports() -> tuple[int, int]:
    """Two ports with room for a second gateway ten above."""
    while True:
        probes = [socket.socket() for _ in range(2)]
        try:
            for probe in probes:
                probe.bind(("127.0.0.1", 0))
            http, tcp = (probe.getsockname()[1] for probe in probes)
        finally:
            for probe in probes:
                probe.close()
        if max(http, tcp) < 65_000 and abs(http - tcp) not in (0, 10):
            return http, tcp
