"""Good users: people whose presence shows that an address is somebody's home, office or carrier, and not only an attacker's.

Evidence is one row per user, unit and day. A user may vouch for four units a day, so that a handful of aged accounts, logged in from everywhere,
cannot free everything; a fifth unit of a day gets no row.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass

from garita_common.core.activity import LoggedIn, ProtocolViolated, RateHit

from .facts import Fact

DAY_MS = 86_400_000
PROTECTS = 2
"""Good users that keep an address from being banned: one could be the attacker's own aged account."""
ACCOUNT_AGE_MS = 14 * DAY_MS
DAYS_ON_UNIT = 2
RECENT_MS = DAY_MS
UNITS_A_DAY = 4
KEEP_DAYS = 30
"""Days that rows are kept: whoever comes back to an address once a month is still known there."""


@dataclass(frozen=True, slots=True)
class Resident:
    """What is known of one user on one unit: `days` there, when last, the account's birth (0: unknown), ever banned, when last in a decision."""

    days: int
    last_ms: int
    account_since_ms: int
    ever_banned: bool
    suspected_ms: int


def is_good(resident: Resident, now_ms: int) -> bool:
    """Whether the user vouches for the unit."""
    return (
        resident.days >= DAYS_ON_UNIT
        and resident.last_ms > now_ms - RECENT_MS
        and 0 < resident.account_since_ms <= now_ms - ACCOUNT_AGE_MS
        and not resident.ever_banned
        and resident.suspected_ms <= now_ms - RECENT_MS
    )


def count_good(residents: Iterable[Resident], now_ms: int) -> int:
    """How many of them vouch."""
    return sum(is_good(resident, now_ms) for resident in residents)


@dataclass(frozen=True, slots=True)
class Sighting:
    """A user was on a unit (its subject) on a UTC day (days since 1970); `account_since_ms` where the event said it, else 0."""

    user: str
    unit: str
    day: int
    at_ms: int
    account_since_ms: int


class SightingBook:
    """Keeps a user's every event from becoming a write: one per user, unit, day and hour is enough."""

    EVERY_MS = 3_600_000

    def __init__(self, max_pairs: int = 100_000) -> None:
        """Args: max_pairs: pairs remembered; a forgotten one costs a write more."""
        self._max_pairs = max_pairs
        self._noted: OrderedDict[tuple[str, str], int] = OrderedDict()

    def see(self, fact: Fact) -> Sighting | None:
        """The sighting to write for this event, if any. Hostile events are nobody's vouching."""
        event = fact.event
        if not event.user or not fact.unit or isinstance(event, ProtocolViolated | RateHit):
            return None
        since_ms = event.account_since_ms if isinstance(event, LoggedIn) else 0
        pair, day = (event.user, fact.unit), fact.at_ms // DAY_MS
        noted_ms = self._noted.get(pair)
        if (
            not since_ms
            and noted_ms is not None
            and noted_ms // DAY_MS == day
            and fact.at_ms - noted_ms < self.EVERY_MS
        ):
            return None
        self._noted[pair] = fact.at_ms
        self._noted.move_to_end(pair)
        if len(self._noted) > self._max_pairs:
            self._noted.popitem(last=False)
        return Sighting(event.user, fact.unit, day, fact.at_ms, since_ms)
