"""How long a recovery waits for what it has shown, by what it wants.

A wait and notices instead of a "no": the less was shown, the longer everybody who is told can object. Below the last band there is a refusal.
"""

from dataclasses import dataclass
from enum import Enum

from .facts import DAY_MS, HOUR_MS
from .points import Assessment


class Goal(Enum):
    """What is to be won back: a new password, or freedom from second factors that are lost."""

    PASSWORD = "password"  # noqa: S105 - the name of a goal
    MFA = "mfa"


class Band(Enum):
    """The waits, shortest first."""

    NOW = "now"
    DAY = "24h"
    DAYS = "days"
    SLOW = "slow"
    REFUSED = "refused"


GATE = 40
"""What the best possession channel must be worth: nobody gets in by a device, a place and a pet's name."""

WAITS_MS: dict[Goal, dict[Band, int]] = {
    Goal.PASSWORD: {Band.NOW: 0, Band.DAY: DAY_MS, Band.DAYS: 72 * HOUR_MS, Band.SLOW: 14 * DAY_MS},
    Goal.MFA: {Band.NOW: 0, Band.DAY: DAY_MS, Band.DAYS: 7 * DAY_MS, Band.SLOW: 30 * DAY_MS},
}

_LEAST: dict[Goal, tuple[tuple[int, Band], ...]] = {
    Goal.PASSWORD: ((90, Band.NOW), (70, Band.DAY), (55, Band.DAYS), (40, Band.SLOW)),
    Goal.MFA: ((120, Band.NOW), (100, Band.DAY), (85, Band.DAYS), (60, Band.SLOW)),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """The band and its length; `only_without_owner`: a session of the owner that proves itself ends the wait for good."""

    band: Band
    wait_ms: int = 0
    only_without_owner: bool = False


def judge(goal: Goal, assessment: Assessment) -> Verdict:
    """The verdict on what was shown."""
    if goal is Goal.PASSWORD and assessment.one_contact:
        return _one_contact(assessment)
    if assessment.possession < GATE:
        return Verdict(Band.REFUSED)
    band = next((band for least, band in _LEAST[goal] if assessment.points >= least), Band.REFUSED)
    if goal is Goal.MFA and len(assessment.channels) < 2 and band is not Band.REFUSED:
        band = Band.SLOW
    return verdict_of(goal, band)


def verdict_of(goal: Goal, band: Band) -> Verdict:
    """What a band means for a goal."""
    return Verdict(band, WAITS_MS[goal].get(band, 0), only_without_owner=band is Band.SLOW)


def slower(goal: Goal, band: Band) -> Verdict:
    """One band slower; the slowest stays, and its wait starts anew."""
    order = list(WAITS_MS[goal])
    return verdict_of(goal, order[min(order.index(band) + 1, len(order) - 1)])


def _one_contact(assessment: Assessment) -> Verdict:
    """Who has the one mailbox or number gets the account: after a day in which every session shows it, three against a contradiction of place."""
    if assessment.possession < GATE:
        return Verdict(Band.REFUSED)
    return verdict_of(Goal.PASSWORD, Band.DAYS if assessment.contradicted else Band.DAY)
