"""How long to wait before a process that ended is started again.

A single death is mended at once; a process that dies again and again gets longer pauses, so that it does not take the
machine from the others. Never gives up.
"""

from __future__ import annotations

from dataclasses import dataclass

FIRST_DELAY_S = 0.2
MAX_DELAY_S = 5.0
HEALTHY_S = 10.0  # a process that lived this long did start well: its next death counts as the first


@dataclass
class Backoff:
    """The pause after each death; starts small, doubles, is forgotten after a healthy life."""

    delay_s: float = FIRST_DELAY_S

    def after_exit(self, lived_s: float) -> float:
        """The seconds to wait now, given how long the process lived."""
        if lived_s >= HEALTHY_S:
            self.delay_s = FIRST_DELAY_S
        now, self.delay_s = self.delay_s, min(self.delay_s * 2, MAX_DELAY_S)
        return now
