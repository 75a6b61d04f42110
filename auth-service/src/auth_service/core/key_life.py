"""The life of a signing key: published → signing → published only → gone.

A verifier must know a key before the first token that it signed, and for as long as the last one lives. So a key is published some time before it signs, and stays
some time after the next one has taken over; tokens of a key that is gone are refused, at the latest a day after it signed its last.
"""

from collections.abc import Sequence
from dataclasses import dataclass

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


@dataclass(frozen=True, slots=True)
class Key:
    """A key's times in Unix ms. `retires_ms` None: nobody follows it yet."""

    kid: str
    published_ms: int
    signs_ms: int
    retires_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a key signs, and how long it is known before and after."""

    signing_ms: int
    overlap_ms: int


def living(keys: Sequence[Key], now_ms: int) -> list[Key]:
    """The keys whose tokens are accepted."""
    return [key for key in keys if key.retires_ms is None or now_ms < key.retires_ms]


def signing(keys: Sequence[Key], now_ms: int) -> Key | None:
    """The key that signs now: the newest whose time has come; of keys that are all too young, the oldest."""
    candidates = living(keys, now_ms)
    due = [key for key in candidates if key.signs_ms <= now_ms]
    if due:
        return max(due, key=lambda key: (key.signs_ms, key.kid))
    return min(candidates, key=lambda key: (key.signs_ms, key.kid), default=None)


def successor_signs_ms(keys: Sequence[Key], schedule: Schedule, now_ms: int) -> int | None:
    """When a key that is to be made now would begin to sign; None while none is due."""
    newest = max(living(keys, now_ms), key=lambda key: key.signs_ms, default=None)
    if newest is None:
        return now_ms
    ends_ms = newest.signs_ms + schedule.signing_ms
    return None if now_ms < ends_ms - schedule.overlap_ms else max(ends_ms, now_ms + schedule.overlap_ms)
