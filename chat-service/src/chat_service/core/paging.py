"""Pages of history and lists, and whether a cursor can be made good: every bound on how much one answer may hold.

A frame from the server has at most 64 KiB (docs/protocol.md §6), so a page is bounded in bytes as well as in items; it always has at least one
item, since a single event never exceeds `MAX_EVENT_BYTES`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from garita_common.core.errors import BadRequest, CursorInvalid

PAGE_BYTES = 60 * 1024
MAX_EVENT_BYTES = 60 * 1024
"""64 KiB less what surrounds the events in an answer. Only a text full of control characters, escaped sixfold, comes near."""

RECOVER_EVENTS = 300
RECOVER_BYTES = 256 * 1024
"""More than this is read as history instead of being pushed: half of the outgoing queue (512 KiB) must stay free for live events."""


@dataclass(frozen=True, slots=True)
class Window:
    """A range of seqs, both ends included, to be read from its upper end (`newest_first`) or its lower one."""

    low: int
    high: int
    newest_first: bool


def history_window(head: int, before: int | None, after: int | None) -> Window:
    """The range that a history request speaks of; `low > high` is an empty one.

    Raises:
        BadRequest: both ends are given.
        CursorInvalid: a cursor beyond the room's head.
    """
    if before is not None and after is not None:
        raise BadRequest("Give before or after, not both.")
    if after is not None:
        if after > head:
            raise CursorInvalid
        return Window(after + 1, head, newest_first=False)
    if before is None:
        return Window(1, head, newest_first=True)
    if before > head + 1:
        raise CursorInvalid
    return Window(1, before - 1, newest_first=True)


def fit(sizes: Sequence[int], limit_bytes: int = PAGE_BYTES) -> int:
    """How many of these items, each followed by a comma, fit: at least one, if there is one."""
    left = limit_bytes
    for count, size in enumerate(sizes):
        left -= size + 1
        if left < 0:
            return max(count, 1)
    return len(sizes)


def is_in_reach(head: int, seq: int, limit: int) -> bool:
    """Whether all events after `seq` may be sent as pushes, as far as their number goes."""
    return 0 <= seq <= head and head - seq <= min(limit, RECOVER_EVENTS)


def fits_recovery(total_bytes: int, max_bytes: int) -> bool:
    """Whether so many bytes of missed events may be sent as pushes."""
    return total_bytes <= min(max_bytes, RECOVER_BYTES)
