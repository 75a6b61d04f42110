"""Random bytes for ids, drawn from the system in large pieces.

Every call of the system gives the interpreter lock away, and the database's thread then waits for the event loop's turn: an id of ten bytes cost more
in waiting than the whole message took.
"""

import os
from collections.abc import Callable

PIECE_BYTES = 10_240


class EntropyPool:
    """As many random bytes as asked for; no byte is given twice. For one thread."""

    def __init__(self, draw: Callable[[int], bytes] = os.urandom) -> None:
        """Args: draw: gives so many random bytes."""
        self._draw = draw
        self._piece = b""
        self._at = 0

    def __call__(self, count: int) -> bytes:
        """Args: count: of bytes, at most `PIECE_BYTES`."""
        start = self._at
        self._at = end = start + count
        if end > len(self._piece):
            self._piece = self._draw(PIECE_BYTES)
            start, self._at = 0, count
        return self._piece[start : self._at]
