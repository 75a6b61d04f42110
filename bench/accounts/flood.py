"""`python -m bench.accounts.flood`: what 500 parallel logins with wrong passwords do to the auth service.

Each comes from an address of its own, straight to the auth service and with its default settings; as soon as a wave is answered the next one comes.
What is held: memory grows by no more than the threads' hashes and 50 MiB, `/healthz` answers 99 of 100 times within 200 ms, what is too much gets 503
with Retry-After (or is asked for work or to wait, or is banned), and nothing gets a 500. The clients run at a lower priority than the stack, since here they share
its processors.

Exit status: 0 all hold, 1 one does not, 2 it could not be run.
"""

import argparse
import asyncio
import itertools
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import uvloop

from bench.accounts.looker import Health
from bench.accounts.stand import Answer, Caller, stand
from bench.load import processes
from bench.load.stand import source
from garita_local.stack import Stack
from garita_local.troubles import CannotStart

LOGINS = 500
SECONDS = 15.0
HASH_KIB = 19 * 1024
SPARE_KIB = 50 * 1024
WITHIN_MS = 200.0
NICE = 10


@dataclass
class Seen:
    """What a flood was answered."""

    statuses: Counter[int] = field(default_factory=Counter)
    without_retry: int = 0

    def count(self, answer: Answer) -> None:
        """One login's end."""
        self.statuses[answer.status] += 1
        if answer.status in (429, 503) and "Retry-After" not in answer.headers:
            self.without_retry += 1


async def _flood(stack: Stack, seen: Seen, logins: int, seconds: float) -> None:
    """Waves of logins, each of another name with another password."""
    numbers = itertools.count()
    callers = [Caller(stack, source(number)) for number in range(logins)]

    async def log_in(caller: Caller) -> None:
        number = next(numbers)
        body = {"identifier": f"nobody-{number}", "password": f"wrong wrong wrong {number}"}
        seen.count(await caller.post("/login", body))

    until_s = time.monotonic() + seconds
    try:
        while time.monotonic() < until_s:
            async with asyncio.TaskGroup() as tasks:
                for caller in callers:
                    tasks.create_task(log_in(caller))
    finally:
        for caller in callers:
            await caller.__aexit__()


async def run(logins: int, seconds: float) -> bool:
    """The flood; whether all holds.

    Raises:
        CannotStart: there is no stack.
    """
    seen = Seen()
    async with stand({}, loopback="public") as stack:
        pid = stack.pid("auth")
        before_kib = processes.resident_kib(pid)
        words = (sys.executable, "-m", "bench.accounts.looker", f"{stack.inner('auth')}/healthz", str(pid))
        looker = await asyncio.create_subprocess_exec(
            *words, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
        )
        os.nice(NICE)
        try:
            await _flood(stack, seen, logins, seconds)
        finally:
            told, _ = await looker.communicate(b"")  # ends its input, and so it
    return _told(seen, msgspec.json.decode(told, type=Health), before_kib)


def _told(seen: Seen, health: Health, before_kib: int) -> bool:
    workers = min(4, os.cpu_count() or 1)
    bound_kib, more_kib = workers * HASH_KIB + SPARE_KIB, health.most_kib - before_kib
    p50_ms, p99_ms, looks = health.percentile_ms(0.5), health.percentile_ms(0.99), len(health.health_ms)
    answered = ", ".join(f"{count} × {status}" for status, count in sorted(seen.statuses.items()))
    held = (
        (f"answers: {answered}", not set(seen.statuses) - {401, 403, 428, 429, 503} and seen.statuses[503] > 0),
        (f"503 and 429 without Retry-After: {seen.without_retry}", seen.without_retry == 0),
        (f"memory: {more_kib / 1024:+.1f} MiB of at most {bound_kib / 1024:.0f}", more_kib <= bound_kib),
        (f"/healthz: p50 {p50_ms:.1f} ms, p99 {p99_ms:.1f} ms of at most {WITHIN_MS:.0f}, {looks} asked", p99_ms < WITHIN_MS),
        (f"/healthz not 200: {health.unhealthy}", health.unhealthy == 0),
    )  # fmt: skip
    for said, is_held in held:
        print("yes " if is_held else "NO  ", said)
    return all(is_held for _, is_held in held)


def main(words: Sequence[str]) -> int:
    """The command; its exit status."""
    told = argparse.ArgumentParser(prog="python -m bench.accounts.flood", description=__doc__)
    told.add_argument("--logins", type=int, default=LOGINS, help="at once")
    told.add_argument("--seconds", type=float, default=SECONDS, help="how long waves come")
    arguments = told.parse_args(words)
    try:
        return 0 if uvloop.run(run(arguments.logins, arguments.seconds)) else 1
    except CannotStart as exc:
        print(exc)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
