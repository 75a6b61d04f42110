"""The other end of `worker`: processes that are told what to do, a line each way."""

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

ROOT = Path(__file__).parents[2]
MAX_LINE_BYTES = 1 << 26
END_S = 10.0


class LoadFailed(Exception):
    """A process of the load could not do what it was told; the text says why."""


class Child:
    """One such process. It does one thing at a time."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        """Use `children`."""
        self._process = process
        self.pid = process.pid

    async def ask(self, do: str, **words: Any) -> dict[str, Any]:
        """Has it do something, and waits for its figures.

        Raises:
            LoadFailed: it could not.
        """
        reader, writer = self._process.stdout, self._process.stdin
        assert reader is not None
        assert writer is not None
        writer.write(msgspec.json.encode({"do": do, **words}) + b"\n")
        await writer.drain()
        line = await reader.readline()
        if not line:
            raise LoadFailed(f"A process of the load ended while it was to {do}.")
        told: dict[str, Any] = msgspec.json.decode(line)
        if "failed" in told:
            raise LoadFailed(f"{do}: {told['failed']}")
        return told

    async def end(self) -> None:
        """Its input ends, so it does."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            async with asyncio.timeout(END_S):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def children(role: str, count: int = 1) -> AsyncIterator[list[Child]]:
    """So many processes while the block runs. Args: role: `crew`, `bare` or `nice`."""
    held: list[Child] = []
    try:
        for _ in range(count):
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bench.load.worker", role, cwd=ROOT,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=MAX_LINE_BYTES,
            )  # fmt: skip
            held.append(Child(process))
        yield held
    finally:
        for child in held:
            await child.end()


async def all_do(
    crews: Sequence[Child], do: str, words: Sequence[dict[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Has all of them do it at the same time, each with words of its own."""
    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(crew.ask(do, **(words[number] if words else {}))) for number, crew in enumerate(crews)
        ]
    return [task.result() for task in asked]
