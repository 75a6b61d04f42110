"""What is held in memory about each subject, and the table that keeps it bounded.

A subject has only the lanes that something has happened in. The table holds a fixed number of subjects in ten levels, by how far each has come towards
a line. When it is full, the lowest level goes first and in it whoever has been silent the longest; a subject with a ban in force stays. What has been
silent for so long that nothing it did counts any more goes before everybody else, whatever its level, so that nobody fills the table for good.
"""

from collections import OrderedDict

from .flood_lane import AddressFloodLane, PersonFloodLane
from .login_lane import AccountLoginLane, AddressLoginLane
from .protocol_lane import ProtocolLane

MAX_SUBJECTS = 200_000
LEVELS = 10
"""The last level is that of the banned."""
FRESH_MS = 3_600_000 + 60_000
"""The longest window, an hour, and a minute for records that come late."""
WALK_FRESH_MS = 10 * 3_600_000
"""In ten half-lives a walk just under its line has come down to less than a hundredth of a step."""


class Subject:
    """One address, user, device or account."""

    __slots__ = ("account", "address_flood", "banned_until_ms", "level", "login", "person_flood", "protocol", "seen_ms")

    def __init__(self) -> None:
        """Nothing known."""
        self.protocol: ProtocolLane | None = None
        self.address_flood: AddressFloodLane | None = None
        self.person_flood: PersonFloodLane | None = None
        self.login: AddressLoginLane | None = None
        self.account: AccountLoginLane | None = None
        self.banned_until_ms = 0
        self.seen_ms = 0
        self.level = 0

    @property
    def progress(self) -> float:
        """How far on the way to a ban: 0 to 1."""
        lanes = (self.protocol, self.address_flood, self.person_flood, self.login, self.account)
        return min(1.0, max((lane.progress for lane in lanes if lane is not None), default=0.0))

    def is_banned(self, now_ms: int) -> bool:
        """Whether a ban of it is in force."""
        return now_ms < self.banned_until_ms

    def is_stale(self, now_ms: int) -> bool:
        """Whether nothing that it did counts any more."""
        fresh_ms = FRESH_MS if self.login is None and self.account is None else WALK_FRESH_MS
        return now_ms >= self.banned_until_ms and now_ms - self.seen_ms > fresh_ms

    def forget(self) -> None:
        """Drops everything that was counted; a ban stays."""
        self.protocol = self.address_flood = self.person_flood = self.login = self.account = None


class SubjectTable:
    """At most `max_subjects` subjects by name."""

    def __init__(self, max_subjects: int = MAX_SUBJECTS) -> None:
        """An empty table."""
        self._max_subjects = max_subjects
        self._subjects: dict[str, Subject] = {}
        self._levels: list[OrderedDict[str, None]] = [OrderedDict() for _ in range(LEVELS)]
        self.shed = 0

    def __len__(self) -> int:
        """How many subjects are held."""
        return len(self._subjects)

    def __contains__(self, name: object) -> bool:
        """Whether the subject is held."""
        return name in self._subjects

    def find(self, name: str) -> Subject | None:
        """The subject, where it is held."""
        return self._subjects.get(name)

    def of(self, name: str) -> Subject:
        """The subject, made if it is not held; `settle` it after every change."""
        subject = self._subjects.get(name)
        if subject is None:
            subject = self._subjects[name] = Subject()
            self._levels[0][name] = None
        return subject

    def settle(self, name: str, now_ms: int) -> None:
        """Puts a changed subject where it belongs now, and sheds another one if there are too many."""
        subject = self._subjects[name]
        subject.seen_ms = max(subject.seen_ms, now_ms)
        self._levels[subject.level].pop(name, None)
        subject.level = (
            LEVELS - 1 if subject.is_banned(now_ms) else min(LEVELS - 2, int(subject.progress * (LEVELS - 1)))
        )
        self._levels[subject.level][name] = None
        while len(self._subjects) > self._max_subjects and self._shed_one(now_ms):
            self.shed += 1

    def sweep(self, now_ms: int, at_most: int = 1000) -> int:
        """Drops up to `at_most` subjects that nothing is known of any more; returns how many."""
        dropped = 0
        for level in self._levels:
            while dropped < at_most and level and self._subjects[next(iter(level))].is_stale(now_ms):
                self._drop(next(iter(level)))
                dropped += 1
        return dropped

    def _shed_one(self, now_ms: int) -> bool:
        oldest = [next(iter(level)) for level in self._levels if level]
        for name in oldest:
            if self._subjects[name].is_stale(now_ms):
                self._drop(name)
                return True
        for name in oldest:
            if not self._subjects[name].is_banned(now_ms):
                self._drop(name)
                return True
        return self._shed_unbanned(now_ms)

    def _shed_unbanned(self, now_ms: int) -> bool:
        """The table is full of bans: one that is over goes; while all are in force they stay, and the caller's memory is bounded by their number."""
        for name in self._levels[LEVELS - 1]:
            if not self._subjects[name].is_banned(now_ms):
                self._drop(name)
                return True
        return False

    def _drop(self, name: str) -> None:
        subject = self._subjects.pop(name)
        self._levels[subject.level].pop(name, None)
