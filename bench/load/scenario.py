"""What all scenarios share: how large they are, how progress is told, and what CPU a piece of work has cost."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bench.load import processes
from bench.load.children import Child, LoadFailed
from bench.load.results import Result
from bench.load.stand import Stand

T = TypeVar("T")
Progress = Callable[[str], None]
"""Told what is done next; once per step of `steps`."""


@dataclass(frozen=True)
class Sizes:
    """How much of everything; the defaults are those of `make bench`. `seconds` is how long one measured case lasts."""

    seconds: float = 5.0
    warm_s: float = 1.0
    rounds: int = 3
    idle_connections: int = 10_000
    senders: tuple[int, ...] = (1, 100, 500)
    in_flight: tuple[int, ...] = (1, 10)
    members: int = 1_000
    busy_per_s: int = 600
    busy_speakers: int = 50
    rooms: tuple[int, ...] = (10, 100, 1_000, 10_000)
    stored: tuple[int, ...] = (0, 100_000, 1_000_000)
    pairs: int = 100
    storm_clients: int = 1_000
    attack_s: float = 60.0
    attack_sockets: int = 300


TINY = Sizes(
    seconds=0.2, warm_s=0.1, rounds=1, idle_connections=40, senders=(4,), in_flight=(2,), members=20, busy_per_s=100,
    busy_speakers=4, rooms=(8,), stored=(50,), pairs=4, storm_clients=20, attack_s=0.8, attack_sockets=16,
)  # fmt: skip
"""Shows that everything runs; its figures mean nothing."""


@dataclass(frozen=True)
class Scenario:
    """One of them. `steps`: how often its work tells progress."""

    name: str
    title: str
    steps: Callable[[Sizes], int]
    work: Callable[[Sizes, Progress], Awaitable[Result]]


def answered(told: dict[str, Any]) -> dict[str, Any]:
    """Figures of messages that the stack has answered.

    Raises:
        LoadFailed: it refused more than a tenth of them, so they are figures of refusing.
    """
    if told["errors"] * 10 > told["total"] or not told["total"]:
        raise LoadFailed(f"{told['total']} messages were acknowledged, {told['errors']} refused: {told['refused']}")
    return told


async def costed(stand: Stand, work: Awaitable[T]) -> tuple[T, dict[str, float]]:
    """Does a piece of work, and what CPU each process of the stack used for it, in seconds."""
    before = stand.cpu_s()
    done = await work
    return done, processes.used_s(before, stand.cpu_s())


async def bare_costed(bare: Child, work: Awaitable[T]) -> tuple[T, float]:
    """The same with the bare server."""
    before = processes.cpu_s(bare.pid)
    done = await work
    return done, processes.cpu_s(bare.pid) - before


def stack_cpu_s(used: dict[str, float]) -> float:
    """The CPU of all processes that a message passes; auth has no part in one."""
    return sum(cpu_s for name, cpu_s in used.items() if name != "auth")


async def in_pieces(crew: Child, seats: Sequence[dict[str, Any]], **words: Any) -> dict[str, Any]:
    """Brings many clients in with one command."""
    return await crew.ask("connect", seats=list(seats), **words)
