"""One timer for everything that waits: a wheel of slots, each as wide as a tick.

An item stands in at most one slot. Moving and taking it out are two dictionary operations, so ten thousand connections cost nothing but the
slots that are due now; a timer per connection would be an object and a heap entry each.
"""

from typing import Generic, TypeVar

T = TypeVar("T")


class Wheel(Generic[T]):
    """Items by the time at which they are due; items are hashable."""

    def __init__(self, tick_s: float) -> None:
        """Args: tick_s: how exact it is, in seconds: an item comes up to one tick late, never early."""
        self._tick_s = tick_s
        self._slots: dict[int, dict[T, None]] = {}
        self._slot_of: dict[T, int] = {}
        self._next = -1

    def __len__(self) -> int:
        """How many items wait."""
        return len(self._slot_of)

    def schedule(self, item: T, at_s: float) -> None:
        """Makes `item` due at `at_s`, and not any more when it was due before."""
        slot = max(int(at_s / self._tick_s) + 1, self._next)
        old = self._slot_of.get(item)
        if old == slot:
            return
        if old is not None:
            self._remove(item, old)
        self._slots.setdefault(slot, {})[item] = None
        self._slot_of[item] = slot

    def cancel(self, item: T) -> None:
        """Takes `item` out, if it is in."""
        slot = self._slot_of.pop(item, None)
        if slot is not None:
            self._remove(item, slot)

    def due(self, now_s: float) -> list[T]:
        """Takes out and returns everything that is due; called with a clock that never goes back."""
        last = int(now_s / self._tick_s)
        if self._next < 0 or last - self._next > len(self._slots):
            slots = sorted(slot for slot in self._slots if slot <= last)
        else:
            slots = [slot for slot in range(self._next, last + 1) if slot in self._slots]
        self._next = last + 1
        items = [item for slot in slots for item in self._slots.pop(slot)]
        for item in items:
            del self._slot_of[item]
        return items

    def _remove(self, item: T, slot: int) -> None:
        held = self._slots[slot]
        del held[item]
        if not held:
            del self._slots[slot]
