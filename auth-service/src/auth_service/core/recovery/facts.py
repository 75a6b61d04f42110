"""What the rules look at: an account's factors, devices, changes and disputes as they are stored. Times are Unix milliseconds."""

from dataclasses import dataclass, field
from enum import Enum

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
MONTH_MS = 30 * DAY_MS


class FactorKind(Enum):
    """What one can prove oneself with."""

    EMAIL = "email"
    PHONE = "phone"
    TOTP = "totp"
    PASSKEY = "passkey"
    CODES = "codes"
    QUESTION = "question"


CONTACTS = frozenset({FactorKind.EMAIL, FactorKind.PHONE})


@dataclass(frozen=True, slots=True)
class Policy:
    """The lengths that an operator may set.

    Raises (when made):
        ValueError: a length is outside 7 to 90 days, or a tombstone would end before a probation: then what an intruder added would count while what he
            removed does not any more.
    """

    probation_ms: int = 30 * DAY_MS
    tombstone_ms: int = 30 * DAY_MS

    def __post_init__(self) -> None:
        for length_ms in (self.probation_ms, self.tombstone_ms):
            if not 7 * DAY_MS <= length_ms <= 90 * DAY_MS:
                raise ValueError("probation and tombstone are between 7 and 90 days")
        if self.tombstone_ms < self.probation_ms:
            raise ValueError("the tombstone is never shorter than the probation")


@dataclass(frozen=True, slots=True)
class Factor:
    """One factor. `proved_ms` is its first proof (None: still pending), which is its seniority; `matures_ms` the end of its probation.

    `confirmed_ms` is when its owner last showed that it is still theirs. `removed_ms` is when it was removed or replaced; `lost` ends it at that moment.
    `suspect`: the number may be somebody else's by now.
    """

    id: str
    kind: FactorKind
    proved_ms: int | None
    matures_ms: int
    confirmed_ms: int = 0
    removed_ms: int | None = None
    lost: bool = False
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    """One device: `confirmed_ms` is when a mature factor was proved on it (None: never), `seen_ms` one time for each day since then on which it was used.

    `registered`: the account was made on it, so its first login says nothing against anybody.
    """

    id: str
    first_login_ms: int
    confirmed_ms: int | None = None
    seen_ms: tuple[int, ...] = ()
    removed_ms: int | None = None
    lost: bool = False
    registered: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A change of the password or of a factor; `confirmed` says whether its device was confirmed at that time."""

    id: str
    at_ms: int
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """Somebody who was told of an event said that it was not them."""

    event_ms: int
    opened_ms: int
    closed: bool = False
    """A completed recovery closes it."""


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one account."""

    factors: tuple[Factor, ...] = ()
    devices: tuple[Device, ...] = ()
    changes: tuple[Change, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    policy: Policy = field(default_factory=Policy)
