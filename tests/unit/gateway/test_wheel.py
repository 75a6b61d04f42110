"""The wheel wakes what is due, never early, and forgets what was taken out."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.wheel import Wheel


def test_an_item_comes_up_once_its_time_is_over() -> None:
    """Not before, and once."""
    wheel: Wheel[str] = Wheel(0.1)
    wheel.schedule("a", 1.0)

    assert wheel.due(0.99) == []
    assert wheel.due(1.25) == ["a"]
    assert wheel.due(5.0) == []


def test_an_item_stands_in_one_slot_only() -> None:
    """Scheduling again moves it."""
    wheel: Wheel[str] = Wheel(0.1)
    wheel.schedule("a", 1.0)
    wheel.schedule("a", 3.0)

    assert wheel.due(2.0) == []
    assert wheel.due(3.3) == ["a"]


def test_a_cancelled_item_leaves_nothing_behind() -> None:
    """A closed connection is not held until its deadline."""
    wheel: Wheel[str] = Wheel(0.1)
    wheel.schedule("a", 100.0)

    wheel.cancel("a")
    wheel.cancel("a")

    assert len(wheel) == 0
    assert wheel.due(200.0) == []


def test_what_is_scheduled_in_the_past_comes_up_with_the_next_sweep() -> None:
    """A deadline that is over already is not lost."""
    wheel: Wheel[str] = Wheel(0.1)
    wheel.due(50.0)
    wheel.schedule("late", 1.0)

    assert wheel.due(50.2) == ["late"]


@given(
    st.dictionaries(st.integers(), st.floats(0, 30), max_size=30),
    st.lists(st.floats(0.01, 5), min_size=1, max_size=30),
)
def test_everything_comes_up_exactly_once_and_never_early(items: dict[int, float], steps: list[float]) -> None:
    """Whatever the times and however the sweeps fall."""
    wheel: Wheel[int] = Wheel(0.1)
    for item, at_s in items.items():
        wheel.schedule(item, at_s)
    now_s, seen = 0.0, []
    for step in [*steps, 60.0]:
        now_s += step
        found = wheel.due(now_s)
        assert all(items[item] <= now_s for item in found)
        assert all(items[item] >= now_s - step - 0.2 for item in found)
        seen += found
    assert sorted(seen) == sorted(items)
