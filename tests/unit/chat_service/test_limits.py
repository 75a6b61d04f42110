"""What may be said in a room: the burst, the steady state, what is given back; and the days of allowances."""

import pytest

from chat_service.core import limits
from chat_service.core.limits import RoomBudget
from garita_common.core.buckets import Rate

RATE = Rate(rate_per_s=50, burst=200)


def taken(budget: RoomBudget, now_s: float, tries: int, room: str = "r1") -> int:
    """How many of so many messages a room takes at this time."""
    budget.begin(now_s)
    return sum(budget.take(room) == 0 for _ in range(tries))


def test_a_room_takes_its_burst_and_not_one_more() -> None:
    """And says how long to wait for the next."""
    budget = RoomBudget(RATE, 10)

    assert taken(budget, 100.0, 200) == 200
    budget.begin(100.0)
    assert budget.take("r1") == pytest.approx(1 / 50)
    assert budget.take("r2") == 0


def test_a_room_takes_its_rate_for_ever() -> None:
    """The steady state is the setting: 50 a second for a minute, asked for at four times that in transactions of 10 ms."""
    budget = RoomBudget(RATE, 10)
    taken(budget, 0.0, 200)

    passed = sum(taken(budget, 0.01 * tick, 2) for tick in range(1, 6001))

    assert passed == pytest.approx(60 * 50, abs=2)


def test_what_did_not_commit_is_given_back() -> None:
    """Only what the last transaction took."""
    budget = RoomBudget(RATE, 10)
    taken(budget, 0.0, 150)
    taken(budget, 0.0, 50)
    assert taken(budget, 0.0, 1) == 0

    taken(budget, 1.0, 50)
    budget.undo()

    assert taken(budget, 1.0, 60) == 50


def test_what_was_refused_costs_nothing() -> None:
    """Waiting for as long as was said is enough, however often one asked meanwhile."""
    budget = RoomBudget(RATE, 10)
    taken(budget, 0.0, 1000)

    assert taken(budget, 0.02, 1) == 1


def test_the_table_is_bounded() -> None:
    """The room that was quiet for longest goes out."""
    budget = RoomBudget(RATE, 2)
    for room in ("r1", "r2", "r1", "r3"):
        taken(budget, 0.0, 200, room)

    assert len(budget) == 2
    assert taken(budget, 0.0, 1, "r1") == 0
    assert taken(budget, 0.0, 1, "r2") == 1


def test_a_day_ends_at_midnight_utc() -> None:
    """The wait that is named leads into the next day, and no later."""
    now_ms = 1_790_000_000_000
    wait_ms = limits.until_tomorrow_ms(now_ms)

    assert 0 < wait_ms <= limits.DAY_MS
    assert limits.day_of(now_ms + wait_ms) == limits.day_of(now_ms) + 1
    assert limits.day_of(now_ms + wait_ms - 1) == limits.day_of(now_ms)
