"""The one timer: wakes what is due on the wheel ten times a second, and does the chores that come round."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from .clock import Clock
from .core.wheel import Wheel
from .ground import Due

log = structlog.get_logger()

TICK_S = 0.1


@dataclass(slots=True)
class Chore:
    """Something to be done every `every_s` seconds; it neither waits nor raises."""

    name: str
    every_s: float
    do: Callable[[], None]
    next_s: float = 0.0


class Sweeper:
    """Turns the wheel; `run` is its one task."""

    def __init__(self, wheel: Wheel[Due], clock: Clock, chores: list[Chore]) -> None:
        """Args: chores: each is first done one round after the start."""
        self._wheel = wheel
        self._clock = clock
        self._chores = chores

    async def run(self) -> None:
        """Sweeps until cancelled."""
        start_s = self._clock.monotonic()
        for chore in self._chores:
            chore.next_s = start_s + chore.every_s
        while True:
            await asyncio.sleep(TICK_S)
            self.sweep(self._clock.monotonic())

    def sweep(self, now_s: float) -> None:
        """Does what is due at `now_s`."""
        for item in self._wheel.due(now_s):
            item.due(now_s)
        for chore in self._chores:
            if now_s >= chore.next_s:
                chore.next_s = now_s + chore.every_s
                try:
                    chore.do()
                except Exception:
                    log.exception("chore_failed", chore=chore.name)
