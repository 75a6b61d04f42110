"""Oldest phone first: which number a recovery may send its code to.

Seniority is the first proof of the unbroken binding. A newer number is asked only when the older ones were given up, after three days in which every
contact, the oldest first, could object, or when the carrier has said twice, a day apart, that it is no more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from .facts import DAY_MS, HOUR_MS, Factor, FactorKind, Facts
from .life import counts

RELEASE_MS = 72 * HOUR_MS
FAILURES_APART_MS = DAY_MS


@dataclass(frozen=True, slots=True)
class Release:
    """The owner has said that this phone is no longer theirs; it counts from `asked_ms` + 72 h, unless a contact objected."""

    phone: str
    asked_ms: int
    objected: bool = False


def in_order(facts: Facts, horizon_ms: int, now_ms: int) -> list[Factor]:
    """The phones that may be asked, oldest first; equal ones by id."""
    phones = (
        factor
        for factor in facts.factors
        if factor.kind is FactorKind.PHONE and counts(factor, facts.policy, horizon_ms, now_ms)
    )
    return sorted(phones, key=lambda phone: (phone.proved_ms or 0, phone.id))


def to_ask(phones: Sequence[Factor], given_up: Iterable[str]) -> Factor | None:
    """The one phone that a code may go to: the oldest that is not given up."""
    over = set(given_up)
    return next((phone for phone in phones if phone.id not in over), None)


def given_up(releases: Iterable[Release], failures: Mapping[str, Sequence[int]], now_ms: int) -> set[str]:
    """Phones passed over: released for 72 h without objection, or failed for good twice, at least a day apart.

    Args: failures: times of permanent failures that the gateway reported, by phone.
    """
    released = {
        release.phone for release in releases if not release.objected and now_ms >= release.asked_ms + RELEASE_MS
    }
    dead = {phone for phone, times in failures.items() if times and max(times) - min(times) >= FAILURES_APART_MS}
    return released | dead


def may_release(*, proved_possession: bool, on_mature_device: bool) -> bool:
    """Whether "I no longer have it" is heard at all: not from somebody who has shown nothing."""
    return proved_possession or on_mature_device
