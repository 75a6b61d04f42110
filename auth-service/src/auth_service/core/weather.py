"""Guessing that no single name shows: how much work a login from an unknown device is asked for, by what goes on around it.

Each sign is cheap to look at and none refuses anybody: work is asked, from people a moment's, from a machine that tries many names a multiple of its price.
"""

from collections import deque
from dataclasses import dataclass

NAMES_PER_PREFIX = 15
"""Names that one address tries in 10 minutes; an office or a family has fewer people who mistype at a time."""
NAMES_PER_PASSWORD = 10
"""Names that one password is tried on in 10 minutes: zxcvbn lets hardly two people choose the same."""
WINDOW_S = 600
ALARM_S = 600
STORM_WINDOW_S = 300
STORM_RATE_PER_S = 10
STORM_RATIO = 0.6
USUAL, MUCH = 1, 16
"""How many times the usual work."""


@dataclass(frozen=True, slots=True)
class Signs:
    """What is seen around one login. `names`: tried by its address, `sprayed`: names that its password was tried on."""

    names: int
    sprayed: int
    alarm: bool
    storm: bool


def work(signs: Signs) -> int:
    """How many times the usual work is asked for; 0: none."""
    if signs.names > NAMES_PER_PREFIX:
        return MUCH
    return USUAL if signs.alarm or signs.storm or is_spray(signs.sprayed) else 0


def is_spray(sprayed: int) -> bool:
    """Whether one password goes round."""
    return sprayed > NAMES_PER_PASSWORD


class Storm:
    """Counts outcomes of the last five minutes, by the second."""

    def __init__(self) -> None:
        """Nothing has happened yet."""
        self._seconds: deque[tuple[int, int, int]] = deque()
        self._tries = self._failures = 0

    def count(self, now_s: float, *, failed: bool) -> None:
        """A login has ended."""
        second = int(now_s)
        self._forget(second)
        if not self._seconds or self._seconds[-1][0] != second:
            self._seconds.append((second, 0, 0))
        at, tries, failures = self._seconds[-1]
        self._seconds[-1] = (at, tries + 1, failures + failed)
        self._tries += 1
        self._failures += failed

    def rages(self, now_s: float) -> bool:
        """Whether more than ten a second were tried, and most of them failed."""
        self._forget(int(now_s))
        many = self._tries > STORM_RATE_PER_S * STORM_WINDOW_S
        return many and self._failures > STORM_RATIO * self._tries

    def _forget(self, second: int) -> None:
        while self._seconds and self._seconds[0][0] <= second - STORM_WINDOW_S:
            _, tries, failures = self._seconds.popleft()
            self._tries -= tries
            self._failures -= failures
