"""Looks at one process until its standard input ends: how long `/healthz` takes, and how much memory it holds. A process of its own, so that what a flood costs its
senders is in no figure: `python -m bench.accounts.looker URL PID`.
"""

import asyncio
import sys
import time
from dataclasses import dataclass, field

import aiohttp
import msgspec
import uvloop

from bench.load import processes

LOOK_S = 0.02
PATIENCE_S = 30.0


@dataclass
class Health:
    """What was seen."""

    health_ms: list[float] = field(default_factory=list)
    unhealthy: int = 0
    most_kib: int = 0

    def percentile_ms(self, share: float) -> float:
        """The time within which this share of the answers came."""
        ordered = sorted(self.health_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


async def look(url: str, pid: int, over: asyncio.Event) -> Health:
    """Fifty times a second."""
    seen = Health()
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=PATIENCE_S)) as http:
        while not over.is_set():
            begun_s = time.perf_counter()
            async with http.get(url) as answer:
                await answer.read()
                seen.unhealthy += answer.status != 200
            seen.health_ms.append((time.perf_counter() - begun_s) * 1000)
            seen.most_kib = max(seen.most_kib, processes.resident_kib(pid))
            await asyncio.sleep(LOOK_S)
    return seen


async def _until_input_ends(url: str, pid: int) -> Health:
    over = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), over.set)
    return await look(url, pid, over)


if __name__ == "__main__":
    found = uvloop.run(_until_input_ends(sys.argv[1], int(sys.argv[2])))
    sys.stdout.buffer.write(msgspec.json.encode(found))
