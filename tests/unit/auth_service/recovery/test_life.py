"""A factor's life, and when a device is mature."""

from dataclasses import replace

import pytest

from auth_service.core.recovery import life
from auth_service.core.recovery.facts import Device, Factor, FactorKind, Policy
from auth_service.core.recovery.life import State

from .story import (
    DAY_0,
    M1,
    MATURE,
    added,
    day,
)

POLICY = Policy()


@pytest.mark.parametrize(
    ("factor", "at_ms", "state"),
    [
        (Factor("x", FactorKind.EMAIL, None, 0), DAY_0, State.PENDING),
        (added("x", FactorKind.EMAIL, DAY_0), day(30) - 1, State.PROBATION),
        (added("x", FactorKind.EMAIL, DAY_0), day(30), State.MATURE),
        (replace(M1, removed_ms=DAY_0), day(37) - 1, State.RETIRING),
        (replace(M1, removed_ms=DAY_0), day(37), State.RETIRED),
        (replace(M1, removed_ms=DAY_0, lost=True), DAY_0, State.RETIRED),
        (replace(added("x", FactorKind.EMAIL, DAY_0), removed_ms=day(1)), day(2), State.RETIRING),
    ],
)
def test_a_factors_life(factor: Factor, at_ms: int, state: State) -> None:
    """To the millisecond."""
    assert life.state_of(factor, POLICY, at_ms) is state


def test_what_was_removed_in_its_probation_never_counts() -> None:
    """Neither under the tombstone, although its probation's days have gone by."""
    factor = replace(added("x", FactorKind.EMAIL, DAY_0), removed_ms=day(1))

    assert not any(life.counts(factor, POLICY, day(n), day(n)) for n in range(40))
    assert not any(life.is_told(factor, POLICY, day(n)) for n in range(40))


@pytest.mark.parametrize(
    ("device", "mature"),
    [
        (MATURE, True),
        (replace(MATURE, confirmed_ms=None), False),
        (replace(MATURE, confirmed_ms=day(-14) + 1), False),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-13), day(-12), day(-12) + 5)), False),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-13), day(-12), day(-11))), True),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-20), day(-12), day(-11))), False),
        (replace(MATURE, removed_ms=day(-36)), True),
        (replace(MATURE, removed_ms=day(-37)), False),
        (replace(MATURE, removed_ms=DAY_0, lost=True), False),
    ],
)
def test_when_a_device_is_mature(device: Device, mature: bool) -> None:
    """Two weeks after it was confirmed, and used on three days since."""
    assert life.is_device_mature(device, POLICY, DAY_0, DAY_0) is mature
