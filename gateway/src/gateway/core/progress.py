"""Whether a peer reads what is written to it: every byte has so long to leave.

The transport is looked at now and then. One that holds nothing is left alone and costs nothing. Where something waits, writes are counted from then on; at
the next look, so many seconds later, no more may wait than was written in between. So one byte a second is not enough, and whoever reads is never late.
"""


class Progress:
    """One connection's output; `is_watched` while its writes are to be told to `wrote`."""

    __slots__ = ("_due_at_s", "_written", "is_watched")

    def __init__(self) -> None:
        """Nothing waits."""
        self.is_watched = False
        self._written = 0
        self._due_at_s = 0.0

    def wrote(self, size: int) -> None:
        """Notes a write of `size` bytes, as at least as much as TLS may make of it: 22 bytes for each 16 KiB begun."""
        self._written += size + (size >> 8) + 64

    def is_stuck(self, waiting: int, now_s: float, timeout_s: float) -> bool:
        """Whether something still waits that waited at the last look, at least `timeout_s` ago. Args: waiting: bytes in the transport now."""
        if self.is_watched and now_s < self._due_at_s:
            return False
        stuck = self.is_watched and waiting > self._written
        self.is_watched, self._written, self._due_at_s = waiting > 0, 0, now_s + timeout_s
        return stuck
