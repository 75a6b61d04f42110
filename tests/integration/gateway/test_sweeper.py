"""The one timer: wakes what is due, does its chores, and survives a chore's fault."""

from __future__ import annotations

import asyncio

from gateway.clock import Clock
from gateway.core.wheel import Wheel
from gateway.ground import Due
from gateway.sweeper import Chore, Sweeper

from .rig import eventually


class Sleeper:
    """Something that wants to be woken."""

    def __init__(self) -> None:
        self.woken: list[float] = []

    def due(self, now_s: float) -> None:
        self.woken.append(now_s)


def test_a_chore_that_fails_is_done_again_and_stops_no_other() -> None:
    """In their rounds."""
    wheel: Wheel[Due] = Wheel(0.1)
    done: list[str] = []

    def fail() -> None:
        done.append("fail")
        raise RuntimeError

    sleeper = Sleeper()
    sweeper = Sweeper(wheel, Clock(), [Chore("a", 1.0, fail), Chore("b", 2.0, lambda: done.append("b"))])
    wheel.schedule(sleeper, 2.5)
    for now_s in (1.0, 2.0, 3.0):
        sweeper.sweep(now_s)

    assert (done.count("fail"), done.count("b")) == (3, 2)
    assert sleeper.woken == [3.0]


async def test_it_runs_by_itself() -> None:
    """Ten times a second."""
    rounds: list[int] = []
    sweeper = Sweeper(Wheel(0.1), Clock(), [Chore("a", 0.05, lambda: rounds.append(1))])
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(sweeper.run())
        await eventually(lambda: len(rounds) >= 3)
        task.cancel()
