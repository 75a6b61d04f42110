"""One flush per turn of the loop: whatever a connection is told within a turn leaves in a single write at its end."""

import asyncio
from collections.abc import Iterable
from typing import Protocol


class Flushable(Protocol):
    """Something with output waiting."""

    pending: list[bytes]
    """Finished frames, in order."""

    @property
    def closed(self) -> bool:
        """Whether nothing is sent any more."""

    @property
    def slot(self) -> int:
        """Which form of a frame its transport takes."""

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

    def broadcast(self, members: Iterable[Flushable], framed: tuple[bytes, ...]) -> None:
        """Queues the same frames for many, each in its transport's form. In a large room this loop is what a message costs, so it calls nothing."""
        dirty = self._dirty
        was_clean = not dirty
        for member in members:
            if not member.closed:
                pending = member.pending
                if not pending:
                    dirty.append(member)
                pending.append(framed[member.slot])
        if was_clean and dirty:
            asyncio.get_running_loop().call_soon(self._flush)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            connection.flush()
