"""From a finding to what is done about it: spared, noted, or banned for how long.

A ban lasts 10 minutes times 4 to the number of earlier ones, at most 7 days; each 7 clean days after a ban take one step back. Up to 10 % of chance
keeps the end from being timed. An address that two good users share is spared. Lifted bans count for nothing: they were mistakes.
"""

from dataclasses import dataclass

from .good_users import PROTECTS
from .scenarios import Action, Finding

FIRST_MS = 600_000
FACTOR = 4
CAP_MS = 7 * 86_400_000
CLEAN_MS = 7 * 86_400_000
JITTER = 0.1
CHALLENGED_FOR_MS = 86_400_000
"""Whoever has not looked or listened within a day may write again: by then everything that was counted weighs little."""
MAX_LEVEL = 6
"""10 min × 4^5 is over the cap already; a level above would only make forgiveness slower."""


@dataclass(frozen=True, slots=True)
class PastBan:
    """A subject's last ban that was not lifted."""

    level: int
    until_ms: int


@dataclass(frozen=True, slots=True)
class Ruling:
    """What follows from a finding. Not a ban: `level`, `nominal_ms` and `length_ms` are 0."""

    action: Action
    level: int = 0
    nominal_ms: int = 0
    length_ms: int = 0


def level_after(past: PastBan | None, now_ms: int) -> int:
    """How many earlier bans count now."""
    if past is None:
        return 0
    clean = max(0, now_ms - past.until_ms) // CLEAN_MS
    return min(MAX_LEVEL, max(0, past.level + 1 - clean))


def nominal_ms(level: int) -> int:
    """How long a ban of this level lasts, before chance."""
    return min(FIRST_MS * int(FACTOR ** min(level, MAX_LEVEL)), CAP_MS)


def length_ms(level: int, luck: float) -> int:
    """How long a ban of this level lasts. Args: luck: evenly drawn from 0 to 1. Never above the cap: there chance only shortens."""
    nominal = nominal_ms(level)
    shortest, longest = nominal * (1 - JITTER), min(nominal * (1 + JITTER), CAP_MS)
    return round(shortest + (longest - shortest) * luck)


def rule(finding: Finding, *, good_users: int, past: PastBan | None, now_ms: int, luck: float) -> Ruling:
    """What is done about a finding. Args: good_users: on the address, 0 for other subjects; past: the subject's last ban."""
    if finding.scenario.action is not Action.BAN:
        return Ruling(finding.scenario.action)
    if is_address(finding.subject) and good_users >= PROTECTS:
        return Ruling(Action.SPARED)
    level = level_after(past, now_ms)
    return Ruling(Action.BAN, level, nominal_ms(level), length_ms(level, luck))


def is_address(subject: str) -> bool:
    """Whether the subject is an address unit."""
    return subject.startswith("addr:")
