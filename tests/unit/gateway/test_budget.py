"""A budget of bytes holds its rate over any stretch of time, overdraft included."""

from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.buckets import Rate
from gateway.core.budget import Budget

RATE = Rate(100.0, 400.0)


def test_the_burst_costs_no_pause_and_one_more_byte_does() -> None:
    """At the limit nothing waits; one past it, as long as one byte takes."""
    budget = Budget(RATE, 0.0)

    assert budget.charge(0.0, 400) == 0.0
    assert budget.charge(0.0, 1) == 0.01


def test_an_overdraft_is_paid_back_in_full() -> None:
    """After the pause it asked for, the balance is at zero, not above."""
    budget = Budget(RATE, 0.0)
    pause_s = budget.charge(0.0, 1000)

    assert pause_s == 6.0
    assert budget.charge(pause_s, 100) == 1.0


def test_a_flood_that_is_paused_and_comes_back_is_one_flood() -> None:
    """The overdraft counts from its first moment until the budget was once half full."""
    budget = Budget(RATE, 0.0)
    budget.charge(1.0, 500)
    budget.charge(3.0, 300)

    assert budget.overdrawn_since_s == 1.0

    budget.charge(10.0, 1)

    assert budget.overdrawn_since_s is None


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 300)), max_size=60))
def test_whoever_waits_as_told_never_gets_more_than_burst_plus_rate(steps: list[tuple[float, int]]) -> None:
    """Over any run: what got in is at most burst + rate × time + the last read."""
    budget, now_s, taken = Budget(RATE, 0.0), 0.0, 0
    for gap_s, cost in steps:
        now_s += gap_s
        assert taken <= RATE.burst + RATE.rate_per_s * now_s + 300 + 1e-6
        taken += cost
        now_s += budget.charge(now_s, cost)
