"""When a copy that stands by may take the database over.

The owner's row says under which fence it writes and when it last showed life; beside it the operating system knows whether the process that took that fence
still lives. From these: an owner that has released its row, or whose process is gone, is followed at once. One whose process lives but has been
silent for `takeover_s` is followed too (it stands still, or hangs). Silence is measured by the watcher's own clock, as the time in which the row did not change:
no two clocks are compared, and a watcher that stood still itself begins anew.
"""

from dataclasses import dataclass
from enum import Enum

RELEASED_MS = 0
"""A sign of life that says: nobody owns it."""


class Reason(Enum):
    """Why a copy may take over."""

    FREE = "free"
    DEAD = "dead"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Sign:
    """What the owner's row says. `seen_ms` 0: released."""

    fence: int
    seen_ms: int


class Watch:
    """One watcher's memory of the owner."""

    def __init__(self, takeover_s: float) -> None:
        """Args: takeover_s: silence after which an owner is followed."""
        self._takeover_s = takeover_s
        self._sign: Sign | None = None
        self._since_s = 0.0
        self._looked_s = 0.0

    def judge(self, sign: Sign, lives: bool, now_s: float) -> Reason | None:
        """Takes one look in; gives the reason to take over, or None. Args: lives: whether the owner's process does; now_s: of a monotonic clock."""
        stood_still = now_s - self._looked_s > self._takeover_s / 2
        if sign != self._sign or stood_still:
            self._sign, self._since_s = sign, now_s
        self._looked_s = now_s
        if sign.seen_ms == RELEASED_MS:
            return Reason.FREE
        if not lives:
            return Reason.DEAD
        return Reason.SILENT if now_s - self._since_s >= self._takeover_s else None
