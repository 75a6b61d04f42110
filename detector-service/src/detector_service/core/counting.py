"""Three ways to count what a subject does over time, each bounded and each remembering which events it counted.

`Window` keeps single events of the last span. `Leak` is a bucket that empties at a steady rate: what comes no faster than it leaks never fills it.
`Walk` is a random walk of log-likelihoods (Jung et al., threshold random walk): a failure is four times as likely from a guesser as from an owner,
so each adds ln 4; the sum decays by half in an hour, so that old slips are forgiven. Times are Unix milliseconds; an event may come late, and one that
is older than the span counts for nothing.
"""

import math
from bisect import insort
from typing import NamedTuple

MAX_EVIDENCE = 16
"""Events that a decision names: enough for a person to judge by."""


class Entry(NamedTuple):
    """One counted event: when, its row, how many it stands for, and what tells it from others (a connection, an account, a byte)."""

    at_ms: int
    id: int
    times: int = 1
    tag: str = ""


class Window:
    """The entries of the last `span_ms` before the newest one, at most `max_entries` of them."""

    __slots__ = ("_entries", "_max_entries", "_span_ms")

    def __init__(self, span_ms: int, max_entries: int = 64) -> None:
        """Args: max_entries: the oldest go first; above any line that is held against it."""
        self._span_ms = span_ms
        self._max_entries = max_entries
        self._entries: list[Entry] = []

    def add(self, entry: Entry) -> None:
        """Takes one in, in order of time."""
        insort(self._entries, entry)
        self.forget(self._entries[-1].at_ms)
        del self._entries[: -self._max_entries]

    def forget(self, now_ms: int) -> None:
        """Drops what is older than the span."""
        horizon = now_ms - self._span_ms
        if self._entries and self._entries[0].at_ms <= horizon:
            self._entries = [entry for entry in self._entries if entry.at_ms > horizon]

    @property
    def total(self) -> int:
        """How many events the entries stand for."""
        return sum(entry.times for entry in self._entries)

    @property
    def start_ms(self) -> int:
        """When the oldest entry happened."""
        return self._entries[0].at_ms

    @property
    def tags(self) -> list[str]:
        """The different tags, in order of first appearance."""
        return list(dict.fromkeys(entry.tag for entry in self._entries))

    @property
    def evidence(self) -> tuple[int, ...]:
        """The newest entries' rows, oldest first."""
        return tuple(entry.id for entry in self._entries[-MAX_EVIDENCE:])

    def holds(self, at_ms: int, tag: str) -> bool:
        """Whether an entry of this time and tag is there already."""
        return any(entry.at_ms == at_ms and entry.tag == tag for entry in self._entries)


class Leak:
    """A bucket of `burst` that loses `leak_per_s`; it is over its line above `burst`."""

    __slots__ = ("_burst", "_evidence", "_leak_per_s", "_updated_ms", "level", "start_ms")

    def __init__(self, burst: float, leak_per_s: float) -> None:
        """An empty bucket."""
        self._burst = burst
        self._leak_per_s = leak_per_s
        self._updated_ms = 0
        self._evidence: list[int] = []
        self.level = 0.0
        self.start_ms = 0

    def add(self, entry: Entry) -> bool:
        """Pours an event in; whether the bucket is over its line."""
        elapsed_s = max(0, entry.at_ms - self._updated_ms) / 1000
        self.level = max(0.0, self.level - elapsed_s * self._leak_per_s)
        self._updated_ms = max(self._updated_ms, entry.at_ms)
        if self.level == 0.0:
            self.start_ms = entry.at_ms
            self._evidence.clear()
        self.level += entry.times
        self._evidence.append(entry.id)
        del self._evidence[:-MAX_EVIDENCE]
        return self.level > self._burst

    @property
    def evidence(self) -> tuple[int, ...]:
        """The newest rows that were poured in."""
        return tuple(self._evidence)


STEP = math.log(4)
"""ln(0.8 / 0.2): four of five tries of a guesser fail, one of five of an owner."""
HALF_LIFE_MS = 3_600_000
WALK_FLOOR = 0.01


class Walk:
    """A sum of log-likelihoods, never below 0, half of it gone in an hour."""

    __slots__ = ("_evidence", "_updated_ms", "start_ms", "steps", "value")

    def __init__(self) -> None:
        """A walk at 0; `steps` counts the failures since it last was there."""
        self.steps = 0
        self._updated_ms = 0
        self._evidence: list[int] = []
        self.value = 0.0
        self.start_ms = 0

    def fail(self, entry: Entry) -> float:
        """Steps up once for each event the entry stands for; returns where the walk is."""
        self._decay(entry.at_ms)
        if self.value < WALK_FLOOR:
            self.start_ms = entry.at_ms
            self.steps = 0
            self._evidence.clear()
        self.steps += entry.times
        self.value += STEP * entry.times
        self._evidence.append(entry.id)
        del self._evidence[:-MAX_EVIDENCE]
        return self.value

    def succeed(self, at_ms: int) -> None:
        """Steps down once."""
        self._decay(at_ms)
        self.value = max(0.0, self.value - STEP)

    def _decay(self, at_ms: int) -> None:
        elapsed_ms = max(0, at_ms - self._updated_ms)
        if self.value:
            self.value *= 0.5 ** (elapsed_ms / HALF_LIFE_MS)
        self._updated_ms = max(self._updated_ms, at_ms)

    @property
    def evidence(self) -> tuple[int, ...]:
        """The newest failures' rows."""
        return tuple(self._evidence)
