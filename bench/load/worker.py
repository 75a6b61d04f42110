"""A process of the load: reads commands as JSON lines from its standard input, does one after another, answers each with a line.

`bare` in the first argument makes it the server that is compared with, `nice` an attacker that gives way to everybody else.
"""

import asyncio
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import uvloop

from bench.load.attackers import Attackers
from bench.load.bare import Bare
from bench.load.crew import Crew

MAX_LINE_BYTES = 1 << 26
Command = Callable[..., Awaitable[dict[str, Any]]]


async def attack(
    kind: str, ports: list[int], sources: list[str], tokens: list[str], seconds: float, per_s: float
) -> dict[str, Any]:
    """One attack to its end."""
    tcp, http = ports
    return await Attackers(kind, (tcp, http), sources, tokens).run(seconds, per_s)


def commands(role: str) -> dict[str, Command]:
    """What a process of this role can be told."""
    if role == "bare":
        bare = Bare()
        return {"listen": bare.listen, "say": bare.say}
    crew = Crew()
    return {
        "connect": crew.connect, "renew": crew.renew, "send": crew.send, "pace": crew.pace, "drop": crew.drop, "come_back": crew.come_back,
        "settle": crew.settle, "count": crew.count, "close": crew.close, "attack": attack,
    }  # fmt: skip


async def main(role: str) -> None:
    """Works until its input ends."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, hard), hard))
    if role == "nice":
        os.nice(10)
    known = commands(role)
    reader = asyncio.StreamReader(limit=MAX_LINE_BYTES)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        words = msgspec.json.decode(line)
        try:
            told = await known[words.pop("do")](**words)
        except (OSError, TimeoutError, ExceptionGroup) as exc:
            told = {"failed": f"{type(exc).__name__}: {_first(exc)}"}
        sys.stdout.buffer.write(msgspec.json.encode(told) + b"\n")
        sys.stdout.buffer.flush()


def _first(exc: BaseException) -> BaseException:
    """The first fault of a group."""
    while isinstance(exc, ExceptionGroup):
        exc = exc.exceptions[0]
    return exc


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
