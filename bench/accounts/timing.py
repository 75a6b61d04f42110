"""`python -m bench.accounts.timing`: whether the time of an answer tells who has an account.

For login, also of a name that is shut, for the beginning of a recovery and of a registration: 500 pairs of requests, one about somebody who has an
account and one about somebody who has none, in turn and in random order, on loopback. Once with nothing else going on, and once with more logins than
there are threads to hash for. What is held: the ranks do not differ (Mann-Whitney, p > 0.01) and the median of the differences is under 2 ms. One comparison in a
hundred fails by chance, so one that fails is made a second time with twice the pairs; a leak is there then too.

Exit status: 0 all hold, 1 one does not, 2 it could not be run.
"""

import argparse
import asyncio
import gc
import random
import secrets
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop

from bench.accounts.ranks import Comparison, compare
from bench.accounts.stand import FORM_S, Caller, Owner, solved, stand
from garita_local.stack import Stack
from garita_local.troubles import CannotStart

PAIRS = 500
MOST_APART_MS = 2.0
LEAST_P = 0.01
OWNERS = 4
BUSY = 4
"""Logins under way at once, for a pool of two threads: there is always a line, and never one that is too long."""
IDLE, FULL = "idle", "pool full"
MANY = "1000000"
_UNLIMITED = (
    "LOGIN_PROOF_AFTER", "LOGIN_PICTURE_AFTER", "LOGIN_SHUT_AFTER_PER_H", "CODES_PER_ACCOUNT_PER_DAY",
    "RECOVERIES_PER_ACCOUNT_PER_DAY", "REGISTRATIONS_PER_CONTACT_PER_DAY",
)  # fmt: skip
SETTINGS = {f"GARITA_AUTH_{name}": MANY for name in _UNLIMITED} | {
    "GARITA_AUTH_LOGIN_SHUT_IN_A_ROW": MANY,
    "GARITA_AUTH_PROOF_COST": "1",
    "GARITA_AUTH_HASH_WORKERS": "2",
}
"""Every request is to reach what it asks for; a proof of work is checked like any other but costs us nothing to make."""
SHUT = SETTINGS | {"GARITA_AUTH_LOGIN_SHUT_IN_A_ROW": "1"}

Pair = tuple[Any, Any]


@dataclass(frozen=True, slots=True)
class Probe:
    """What is compared: a path, how pairs of bodies are made, and the one status that both are answered with."""

    name: str
    path: str
    pairs: Callable[[Caller, Sequence[Owner], int], Awaitable[list[Pair]]]
    status: int


async def _logins(_: Caller, owners: Sequence[Owner], count: int) -> list[Pair]:
    """The same wrong password, another one for each pair, with a name that is there and with one that is not."""
    return [
        ({"identifier": owners[n % len(owners)].name, "password": word}, {"identifier": f"nobody-{n % len(owners)}", "password": word})
        for n, word in enumerate(secrets.token_urlsafe(12) for _ in range(count))
    ]  # fmt: skip


async def _passwords(_: Caller, owners: Sequence[Owner], count: int) -> list[Pair]:
    """The right password and a wrong one, with the same name."""
    chosen = [owners[n % len(owners)] for n in range(count)]
    return [
        ({"identifier": owner.name, "password": owner.password}, {"identifier": owner.name, "password": secrets.token_urlsafe(18)})
        for owner in chosen
    ]  # fmt: skip


async def _recoveries(caller: Caller, owners: Sequence[Owner], count: int) -> list[Pair]:
    names = [(owners[n % len(owners)].name, f"nobody-{n % len(owners)}") for n in range(count)]
    proofs = [[solved(await caller.challenge("recover")) for _ in range(2)] for _ in range(count)]
    return [
        ({"identifier": known, "captcha": first}, {"identifier": unknown, "captcha": second})
        for (known, unknown), (first, second) in zip(names, proofs, strict=True)
    ]  # fmt: skip


async def _registrations(caller: Caller, owners: Sequence[Owner], count: int) -> list[Pair]:
    proofs = [[solved(await caller.challenge("register")) for _ in range(2)] for _ in range(count)]
    await asyncio.sleep(FORM_S)
    return [
        (
            {"email": owners[n % len(owners)].email, "password": word, "captcha": first},
            {"email": f"x{secrets.token_hex(8)}@example.org", "password": word, "captcha": second},
        )
        for n, (word, (first, second)) in enumerate((secrets.token_urlsafe(18), two) for two in proofs)
    ]


PROBES = (
    Probe("login, wrong password", "/login", _logins, 401),
    Probe("recovery", "/recoveries", _recoveries, 202),
    Probe("registration", "/registrations", _registrations, 202),
)
SHUT_PROBES = (
    Probe("login of a shut name", "/login", _logins, 200),
    Probe("login of a shut name, right and wrong password", "/login", _passwords, 200),
)
PIECE = 100
"""Pairs made ready at a time: a challenge lives five minutes."""


class UnexpectedAnswer(Exception):
    """A request did not get where its time is of interest."""


async def measure(probe: Probe, caller: Caller, owners: Sequence[Owner], pairs: int, owner: Owner | None) -> Comparison:
    """The times of so many pairs, compared. Args: owner: who logs in in between; none of `owners`, whose names that would open again.

    Raises:
        UnexpectedAnswer: another status than the probe's.
    """
    taken_ms: tuple[list[float], list[float]] = ([], [])
    gc.collect()
    gc.disable()
    try:
        for begun in range(0, pairs, PIECE):
            for pair in await probe.pairs(caller, owners, min(PIECE, pairs - begun)):
                for side in random.sample((0, 1), 2):
                    answer = await caller.post(probe.path, pair[side])
                    if answer.status != probe.status:
                        raise UnexpectedAnswer(f"{probe.name}: {answer.status} {answer.body}")
                    taken_ms[side].append(answer.took_s * 1000)
                if owner is not None:
                    await _succeed(caller, owner)
    finally:
        gc.enable()
    return compare(probe.name, *taken_ms)


async def _succeed(caller: Caller, owner: Owner) -> None:
    """Two logins of a known device, so that not most logins fail: then everybody would be asked for work."""
    for _ in range(2):
        answer = await caller.post(
            "/login", {"identifier": owner.name, "password": owner.password, "device_hint": owner.device}
        )
        if answer.status not in (200, 503):
            raise UnexpectedAnswer(f"login of an owner: {answer.status} {answer.body}")


@asynccontextmanager
async def busy(stack: Stack, owner: Owner) -> AsyncIterator[None]:
    """Keeps the pool of hashing threads full while the block runs."""

    async def log_in() -> None:
        async with Caller(stack) as caller:
            while True:
                await _succeed(caller, owner)

    try:
        async with asyncio.TaskGroup() as tasks:
            for number in range(BUSY):
                tasks.create_task(log_in(), name=f"busy-{number}")
            yield
            raise _Done
    except* _Done:
        pass


class _Done(Exception):
    """Ends the load."""


def holds(found: Comparison) -> bool:
    """Whether nothing is told."""
    return found.p > LEAST_P and abs(found.apart_ms) < MOST_APART_MS


async def _compared(
    probe: Probe, caller: Caller, owners: Sequence[Owner], pairs: int, state: str, worker: Owner
) -> bool:
    owner = worker if state == IDLE and probe.path == "/login" else None
    found = await measure(probe, caller, owners, pairs, owner)
    _show(found, state)
    if not holds(found):
        found = await measure(probe, caller, owners, 2 * pairs, owner)
        _show(found, state + ", again")
    return holds(found)


def _show(found: Comparison, state: str) -> None:
    said = "yes" if holds(found) else "NO "
    print(
        f"{said}  {found.name}, {state}: {found.pairs} pairs, medians {found.first_ms:.2f} and {found.second_ms:.2f} ms,"
        f" {found.apart_ms:+.2f} ms within a pair, p = {found.p:.3f}",
        flush=True,
    )


async def run(pairs: int, only: str) -> bool:
    """Everything, or the probes with this word in their name; whether all hold.

    Raises:
        UnexpectedAnswer, CannotStart: it could not be run.
    """
    fine = True
    for settings, probes in ((SETTINGS, PROBES), (SHUT, SHUT_PROBES)):
        chosen = [probe for probe in probes if only in probe.name]
        if not chosen:
            continue
        async with stand(settings) as stack, Caller(stack) as caller:
            owners = [await caller.register(f"owner-{number}") for number in range(OWNERS)]
            worker = await caller.register("worker")
            if probes is SHUT_PROBES:
                for pair in await _logins(caller, owners, 3 * OWNERS):
                    for body in pair:
                        await caller.post("/login", body)
            for probe in chosen:
                fine &= await _compared(probe, caller, owners, pairs, IDLE, worker)
                async with busy(stack, worker):
                    fine &= await _compared(probe, caller, owners, pairs, FULL, worker)
    return fine


def main(words: Sequence[str]) -> int:
    """The command; its exit status."""
    told = argparse.ArgumentParser(prog="python -m bench.accounts.timing", description=__doc__)
    told.add_argument("--pairs", type=int, default=PAIRS, help="of requests for each comparison")
    told.add_argument("--only", default="", help="a word in the names of the comparisons to make")
    arguments = told.parse_args(words)
    try:
        return 0 if uvloop.run(run(arguments.pairs, arguments.only)) else 1
    except (CannotStart, UnexpectedAnswer) as exc:
        print(exc)
        return 2
    except ExceptionGroup as exc:
        print(*(str(one) for one in exc.exceptions), sep="\n")
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
