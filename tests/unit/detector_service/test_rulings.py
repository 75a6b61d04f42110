"""detector_service.core.rulings: how long a ban lasts, and who is spared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.rulings import (
    CAP_MS,
    CLEAN_MS,
    FIRST_MS,
    MAX_LEVEL,
    PastBan,
    length_ms,
    level_after,
    nominal_ms,
    rule,
)
from detector_service.core.scenarios import ALL, PROTOCOL_VIOLATION, Action, Finding, Scenario

from .making import DAY, MIN, T0, H

LUCK = st.floats(0, 1)


def finding(subject: str = "addr:203.0.113.7/32", scenario: Scenario = PROTOCOL_VIOLATION) -> Finding:
    return Finding(scenario, subject, T0, (1, 2, 3), {}, "it did")


@pytest.mark.parametrize(
    ("level", "nominal"),
    [
        (0, 10 * MIN),
        (1, 40 * MIN),
        (2, 160 * MIN),
        (3, 640 * MIN),
        (4, 2560 * MIN),
        (5, 7 * DAY),
        (6, 7 * DAY),
        (99, 7 * DAY),
    ],
)
def test_each_ban_is_four_times_as_long_up_to_seven_days(level: int, nominal: int) -> None:
    """10 min, 40 min, 2 h 40, 10 h 40, 42 h 40, then the cap."""
    assert nominal_ms(level) == nominal


@given(st.integers(0, 50), LUCK)
def test_chance_moves_the_end_by_a_tenth_and_never_over_the_cap(level: int, luck: float) -> None:
    """Nobody can time the end, nobody is banned longer than seven days."""
    length = length_ms(level, luck)

    assert 0.9 * nominal_ms(level) <= length <= min(1.1 * nominal_ms(level), CAP_MS) + 1
    assert 0.9 * FIRST_MS <= length <= CAP_MS


@given(st.lists(st.tuples(st.integers(0, 60 * DAY), LUCK), max_size=50))
def test_levels_follow_from_the_last_ban_and_the_clean_days_after_it(gaps: list[tuple[int, float]]) -> None:
    """Through any history: one step up per ban, one step down per seven clean days, never below 0 or above the top."""
    past: PastBan | None = None
    now_ms = T0
    for gap_ms, luck in gaps:
        now_ms = (past.until_ms if past else now_ms) + gap_ms
        level = level_after(past, now_ms)

        expected = 0 if past is None else max(0, past.level + 1 - gap_ms // CLEAN_MS)
        assert level == min(MAX_LEVEL, expected)
        past = PastBan(level, now_ms + length_ms(level, luck))


def test_a_step_down_takes_seven_whole_days() -> None:
    """The limit and one before it."""
    past = PastBan(2, T0)

    assert level_after(past, T0 + CLEAN_MS - 1) == 3
    assert level_after(past, T0 + CLEAN_MS) == 2
    assert level_after(past, T0 + 3 * CLEAN_MS) == 0


@pytest.mark.parametrize(
    ("good_users", "action"), [(0, Action.BAN), (1, Action.BAN), (2, Action.SPARED), (50, Action.SPARED)]
)
def test_two_good_users_spare_their_address(good_users: int, action: Action) -> None:
    """One is not enough: it could be the attacker's own."""
    assert rule(finding(), good_users=good_users, past=None, now_ms=T0, luck=0.5).action is action


def test_good_users_spare_no_user_and_no_device() -> None:
    """Who is known to have done it is banned wherever good people are."""
    for subject in ("user:u1", "device:d1"):
        assert rule(finding(subject), good_users=9, past=None, now_ms=T0, luck=0.5).action is Action.BAN


@given(st.sampled_from(ALL), st.integers(0, 3), LUCK)
def test_only_rules_of_the_deterministic_lane_ban(scenario: Scenario, good_users: int, luck: float) -> None:
    """What is noted is noted: no watch or challenge turns into a ban, and a ruling without a ban has no length."""
    ruling = rule(finding(scenario=scenario), good_users=good_users, past=None, now_ms=T0, luck=luck)

    assert (ruling.action is Action.BAN) == (ruling.length_ms > 0)
    assert ruling.action in {scenario.action, Action.SPARED}
    assert ruling.action is not Action.SPARED or scenario.action is Action.BAN


def test_an_hour_is_an_hour() -> None:
    """The second ban of a subject, in full."""
    ruling = rule(finding(), good_users=0, past=PastBan(0, T0 - H), now_ms=T0, luck=0.5)

    assert (ruling.level, ruling.nominal_ms, ruling.length_ms) == (1, 40 * MIN, 40 * MIN)
