"""One flush per turn of the loop: whatever a connection is told within a turn leaves in a single write at its end."""

import asyncio
from typing import Protocol


class Flushable(Protocol):
    """Something with output waiting."""

    def flush(self) -> None:
        """Writes what waits; never raises."""


class Outlet:
    """Collects whoever has something to write."""

    def __init__(self) -> None:
        """Nobody yet."""
        self._dirty: list[Flushable] = []

    def add(self, connection: Flushable) -> None:
        """Flushes `connection` at the end of this turn; called once per turn and connection."""
        if not self._dirty:
            asyncio.get_running_loop().call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()
