"""The two clocks: one that never goes back for lengths of time, one that says what time it is. Everything else gets them as an argument."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Clock:
    """Seconds of a monotonic clock, and Unix seconds."""

    monotonic: Callable[[], float] = time.monotonic
    unix: Callable[[], float] = time.time

    def unix_ms(self) -> int:
        """Unix milliseconds."""
        return int(self.unix() * 1000)
