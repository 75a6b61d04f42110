"""What every connection stands on, from its arrival to its end: clock, timer, figures and the numbers it is held to."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .clock import Clock
from .core.limits import SessionLimits
from .core.wheel import Wheel
from .metrics import Metrics


class Due(Protocol):
    """Something that the wheel wakes."""

    def due(self, now_s: float) -> None:
        """Its time has come; never raises."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What every connection stands on."""

    clock: Clock
    wheel: Wheel[Due]
    metrics: Metrics
    limits: SessionLimits
    queue_bytes: int
    sndbuf_bytes: int
    close_s: float
    write_timeout_s: float
    draw_jitter: Callable[[], float]
    next_id: Callable[[], int]
