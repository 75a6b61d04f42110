"""The recovery rules against the table of scenarios that they were made for: who, with what, gets which outcome."""

from dataclasses import replace

import pytest

from auth_service.core.recovery import flow as flows
from auth_service.core.recovery.bands import Band, Goal, judge
from auth_service.core.recovery.facts import DAY_MS, FactorKind, Facts
from auth_service.core.recovery.flow import Effect, Phase
from auth_service.core.recovery.places import Place
from auth_service.core.recovery.points import Answer, Evidence, assess, worth_of

from .story import (
    ACCOUNT,
    DAY_0,
    DISPUTED,
    M1,
    MAIL_ONLY,
    OLD_P1,
    OWNERS,
    P1,
    PHONE_OLD,
    PHONE_ONLY,
    SLEEPER,
    STRUCK,
    TAKEN_OVER,
    THIEFS,
    TWO_PHONES,
    WITH_THIEFS_PHONE,
    day,
    first,
    shown,
)

PASSWORD_ROWS = [
    ("1 mail only, day 3", MAIL_ONLY, shown("M1"), day(3), 40, Band.DAY),
    ("1 mail only, day 40", MAIL_ONLY, shown("M1"), day(40), 40, Band.DAY),
    ("1 with a thief's phone in probation", WITH_THIEFS_PHONE, shown("M1"), day(3), 40, Band.DAY),
    ("2 phone only", PHONE_ONLY, shown("P1"), DAY_0, 60, Band.DAY),
    ("2 phone only, unconfirmed for 26 months", PHONE_OLD, shown("P1"), DAY_0, 20, Band.REFUSED),
    ("3 P1 alone", ACCOUNT, shown("P1"), DAY_0, 60, Band.DAYS),
    ("4 question right", ACCOUNT, shown("P1", answer=Answer.RIGHT), DAY_0, 70, Band.DAY),
    ("4 question wrong", ACCOUNT, shown("P1", answer=Answer.WRONG), DAY_0, 45, Band.SLOW),
    ("5 with device and place", ACCOUNT, shown("P1", device=OWNERS, place=Place.STRONG), DAY_0, 95, Band.NOW),
    ("5 without a database", ACCOUNT, shown("P1", device=OWNERS, place=Place.MEDIUM), DAY_0, 88, Band.DAY),
    ("6 P1 + M1", ACCOUNT, shown("P1", "M1"), DAY_0, 100, Band.NOW),
    ("7 M1 alone", ACCOUNT, shown("M1"), DAY_0, 40, Band.SLOW),
    ("7 M1, device, place", ACCOUNT, shown("M1", device=OWNERS, place=Place.STRONG), DAY_0, 75, Band.DAY),
    ("8 nothing possessed", ACCOUNT, shown(device=OWNERS, place=Place.STRONG, answer=Answer.RIGHT), DAY_0, 35, Band.REFUSED),
    ("9 old P1", replace(ACCOUNT, factors=(OLD_P1, M1)), shown("P1"), DAY_0, 20, Band.REFUSED),
    ("9 old P1, device, place", replace(ACCOUNT, factors=(OLD_P1, M1)), shown("P1", device=OWNERS, place=Place.STRONG), DAY_0, 55, Band.REFUSED),
    ("9 old P1 + M1", replace(ACCOUNT, factors=(OLD_P1, M1)), shown("P1", "M1"), DAY_0, 60, Band.DAYS),
    ("10 saved code", replace(ACCOUNT, factors=(P1, M1, first("C", FactorKind.CODES))), shown("C"), DAY_0, 70, Band.DAY),
    ("10 TOTP", replace(ACCOUNT, factors=(P1, M1, first("T", FactorKind.TOTP))), shown("T"), DAY_0, 60, Band.DAYS),
    ("10 second phone", TWO_PHONES, shown("P2"), DAY_0, 40, Band.SLOW),
    ("11 thief with his own, day 29", TAKEN_OVER, shown("P2", "M2", device=THIEFS), day(29), 0, Band.REFUSED),
    ("12 owner, day 36", TAKEN_OVER, shown("P1", "M1"), day(36), 100, Band.NOW),
    ("12 owner, day 38", TAKEN_OVER, shown("P1", "M1"), day(38), 0, Band.REFUSED),
    ("13 old code + M1, day 30", TAKEN_OVER, shown("codes", "M1"), day(30), 110, Band.NOW),
    ("14 sleeping thief", SLEEPER, shown(device=THIEFS), day(45), 0, Band.REFUSED),
    ("15 he strikes: day 74", STRUCK, shown("T", "P2", device=THIEFS), day(74), 0, Band.REFUSED),
    ("15 owner, P1 + M1", STRUCK, shown("P1", "M1"), day(74), 100, Band.NOW),
    ("15 owner, P1 + device + place", STRUCK, shown("P1", device=OWNERS, place=Place.STRONG), day(74), 95, Band.NOW),
    ("16 P1 + device", ACCOUNT, shown("P1", device=OWNERS), DAY_0, 80, Band.DAY),
    ("17 disputed, day 38", DISPUTED, shown("P2"), day(38), 0, Band.REFUSED),
    ("17 lapsed, day 40", DISPUTED, shown("P2"), day(40), 40, Band.SLOW),
]  # fmt: skip
MFA_ROWS = [
    ("13 old code + M1, day 30", TAKEN_OVER, shown("codes", "M1"), day(30), 110, Band.DAY),
    ("18 two phones", TWO_PHONES, shown("P1", "P2"), DAY_0, 100, Band.SLOW),
    ("18 two phones, device, place", TWO_PHONES, shown("P1", "P2", device=OWNERS, place=Place.STRONG), DAY_0, 135, Band.SLOW),
    ("18 P1 + device", ACCOUNT, shown("P1", device=OWNERS), DAY_0, 80, Band.SLOW),
    ("18 P1 + M1", ACCOUNT, shown("P1", "M1"), DAY_0, 100, Band.DAY),
    ("18 P1 + M1 + device", ACCOUNT, shown("P1", "M1", device=OWNERS), DAY_0, 120, Band.NOW),
    ("18 M1 + device + place", ACCOUNT, shown("M1", device=OWNERS, place=Place.STRONG), DAY_0, 75, Band.SLOW),
]  # fmt: skip


@pytest.mark.parametrize(("facts", "evidence", "now_ms", "points", "band"), [row[1:] for row in PASSWORD_ROWS], ids=[row[0] for row in PASSWORD_ROWS])  # fmt: skip
def test_a_new_password(facts: Facts, evidence: Evidence, now_ms: int, points: int, band: Band) -> None:
    """Rows 1 to 17."""
    found = assess(facts, evidence, now_ms)

    assert (found.points, judge(Goal.PASSWORD, found).band) == (points, band)


@pytest.mark.parametrize(("facts", "evidence", "now_ms", "points", "band"), [row[1:] for row in MFA_ROWS], ids=[row[0] for row in MFA_ROWS])  # fmt: skip
def test_without_second_factors(facts: Facts, evidence: Evidence, now_ms: int, points: int, band: Band) -> None:
    """Rows 13 and 18."""
    found = assess(facts, evidence, now_ms)

    assert (found.points, judge(Goal.MFA, found).band) == (points, band)


def test_the_one_contact_waits_three_days_where_the_place_speaks_against_it() -> None:
    """Row 1, from a country where its owner never was."""
    found = assess(MAIL_ONLY, shown("M1", place=Place.CONTRADICTION), day(40))

    assert judge(Goal.PASSWORD, found).band is Band.DAYS


def held(evidence: Evidence, facts: Facts = ACCOUNT, now_ms: int = DAY_0) -> flows.Flow:
    """A flow that was judged."""
    return flows.evaluate(
        flows.start("f", Goal.PASSWORD, now_ms), assess(facts, evidence, now_ms), owner_is_active=False, now_ms=now_ms
    )


def test_the_mail_slows_a_thief_with_the_phone_and_a_live_owner_ends_him() -> None:
    """Row 3: a stolen number alone."""
    flow, effect = flows.object_to(held(shown("P1")), worth_of(ACCOUNT, "M1", DAY_0), DAY_0 + 1)

    assert (effect, flow.band, flow.not_before_ms) == (Effect.SLOWED, Band.SLOW, DAY_0 + 1 + 14 * DAY_MS)
    assert flows.owner_acts(flow).phase is Phase.VETOED
    assert flows.owner_acts(held(shown("P1"))).phase is Phase.HOLDING


def test_the_phone_ends_a_flow_of_the_mailbox() -> None:
    """Row 7: 60 points against 40."""
    flow, effect = flows.object_to(held(shown("M1")), worth_of(ACCOUNT, "P1", DAY_0), DAY_0 + 1)

    assert (effect, flow.phase) == (Effect.ENDED, Phase.VETOED)


def test_a_mailbox_thief_delays_the_owner_once() -> None:
    """Row 16: 24 hours become 72, and no more."""
    worth = worth_of(ACCOUNT, "M1", DAY_0)
    once, _ = flows.object_to(held(shown("P1", device=OWNERS)), worth, DAY_0 + 1)
    twice, effect = flows.object_to(once, worth, DAY_0 + 2)

    assert (once.phase, once.band, once.not_before_ms) == (Phase.HOLDING, Band.DAYS, DAY_0 + 1 + 3 * DAY_MS)
    assert (twice, effect) == (once, Effect.NONE)


def test_the_slow_lane_is_closed_while_the_owner_is_there() -> None:
    """14 days are only for an account that nobody watches."""
    flow = flows.evaluate(
        flows.start("f", Goal.PASSWORD, DAY_0), assess(ACCOUNT, shown("M1"), DAY_0), owner_is_active=True, now_ms=DAY_0
    )

    assert flow.phase is Phase.REFUSED
