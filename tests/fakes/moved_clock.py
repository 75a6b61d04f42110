"""A clock that a test moves and that services in processes of their own read: the real time, and so many seconds more."""

from __future__ import annotations

import mmap
import os
import struct
import time
from pathlib import Path

NAME = "TEST_CLOCK"
"""The variable that names the clock's file."""
_SECONDS = struct.Struct("<d")


class MovedClock:
    """Unix seconds. What is added lies in a file that everybody maps, so that all see a move at once."""

    def __init__(self, path: Path) -> None:
        """Args: path: eight bytes; made if they are not there."""
        if not path.exists():
            path.write_bytes(_SECONDS.pack(0.0))
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _SECONDS.size)

    @classmethod
    def of_environment(cls) -> MovedClock:
        """The clock that the test has named to this process."""
        return cls(Path(os.environ[NAME]))

    @property
    def moved_s(self) -> float:
        """How far it has been moved."""
        found: tuple[float] = _SECONDS.unpack(self._map[:])
        return found[0]

    def __call__(self) -> float:
        """The time."""
        return time.time() + self.moved_s

    def pass_s(self, seconds: float) -> None:
        """Lets time pass for everybody."""
        self._map[:] = _SECONDS.pack(self.moved_s + seconds)
