"""Questions to the chat service that wait for their answer, oldest first.

All wait equally long, so the order of asking is the order of expiry: looking for what is over costs nothing when nothing is. The table is bounded;
when it is full, asking is refused rather than waited for.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Pending(Generic[K, V]):
    """Waiting questions by key."""

    def __init__(self, timeout_s: float, max_waiting: int) -> None:
        """Args: timeout_s: how long each waits; max_waiting: how many may wait at a time."""
        self._timeout_s = timeout_s
        self._max_waiting = max_waiting
        self._waiting: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        """How many wait."""
        return len(self._waiting)

    def __contains__(self, key: K) -> bool:
        """Whether a question of this key waits."""
        return key in self._waiting

    @property
    def is_full(self) -> bool:
        """Whether no further question can be asked now."""
        return len(self._waiting) >= self._max_waiting

    def add(self, key: K, value: V, now_s: float) -> None:
        """Lets a question wait; a key that waits already begins anew."""
        self._waiting.pop(key, None)
        self._waiting[key] = (now_s + self._timeout_s, value)

    def get(self, key: K) -> V | None:
        """What waits under a key, left where it is."""
        row = self._waiting.get(key)
        return None if row is None else row[1]

    def pop(self, key: K) -> V | None:
        """Takes a question out; None if none waits (any more)."""
        row = self._waiting.pop(key, None)
        return None if row is None else row[1]

    def expire(self, now_s: float) -> list[tuple[K, V]]:
        """Takes out all whose time is over."""
        over: list[tuple[K, V]] = []
        while self._waiting:
            key = next(iter(self._waiting))
            until_s, value = self._waiting[key]
            if until_s > now_s:
                break
            del self._waiting[key]
            over.append((key, value))
        return over
