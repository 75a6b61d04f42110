"""detector_service.core.counting: windows, leaking buckets and walks."""

from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.counting import HALF_LIFE_MS, MAX_EVIDENCE, STEP, Entry, Leak, Walk, Window

TIMES = st.lists(st.integers(0, 10_000), min_size=1, max_size=200)


@given(TIMES)
def test_a_window_holds_exactly_the_last_span(times: list[int]) -> None:
    """In whatever order events come, those of the span before the newest are counted, the others are not."""
    window = Window(1_000, max_entries=1_000)

    for row, at_ms in enumerate(times):
        window.add(Entry(at_ms, row))

    assert window.total == sum(at_ms > max(times) - 1_000 for at_ms in times)


@given(TIMES)
def test_a_window_is_bounded(times: list[int]) -> None:
    """Never more entries than it may have, never more evidence than a decision names."""
    window = Window(100_000, max_entries=20)

    for row, at_ms in enumerate(times):
        window.add(Entry(at_ms, row))

    assert window.total <= 20
    assert len(window.evidence) <= MAX_EVIDENCE


def test_a_window_counts_records_by_what_they_stand_for() -> None:
    """A record with a count of three is three events."""
    window = Window(1_000)

    window.add(Entry(5, 1, 3))

    assert window.total == 3


@given(st.integers(1, 500))
def test_what_comes_no_faster_than_it_leaks_never_fills_a_bucket(events: int) -> None:
    """One event in 2 s into a bucket that loses one in 2 s: for ever below the line."""
    leak = Leak(3.0, 0.5)

    assert not any(leak.add(Entry(2_000 * number, number)) for number in range(events))


def test_a_bucket_is_over_its_line_with_one_more_than_its_burst() -> None:
    """The line itself is still allowed."""
    leak = Leak(3.0, 0.5)

    assert [leak.add(Entry(0, number)) for number in range(4)] == [False, False, False, True]


@given(TIMES)
def test_a_bucket_never_goes_below_empty_and_keeps_little_evidence(times: list[int]) -> None:
    """Late and early events alike."""
    leak = Leak(1e9, 0.5)

    for row, at_ms in enumerate(times):
        leak.add(Entry(at_ms, row))

        assert leak.level >= 1
        assert 1 <= len(leak.evidence) <= MAX_EVIDENCE


def test_a_walk_steps_up_by_ln_4_and_loses_half_in_an_hour() -> None:
    """The two numbers of the rule."""
    walk = Walk()

    walk.fail(Entry(0, 1))
    after_an_hour = walk.fail(Entry(HALF_LIFE_MS, 2))

    assert after_an_hour == STEP / 2 + STEP


@given(st.lists(st.booleans(), max_size=100))
def test_a_walk_never_goes_below_zero(steps: list[bool]) -> None:
    """Successes cannot be saved up."""
    walk = Walk()

    for at_ms, failed in enumerate(steps):
        if failed:
            walk.fail(Entry(at_ms, at_ms))
        else:
            walk.succeed(at_ms)

        assert walk.value >= 0


def test_a_walk_that_has_come_down_begins_anew() -> None:
    """A failure long ago is no part of the next finding."""
    walk = Walk()
    walk.fail(Entry(0, 1))

    walk.fail(Entry(12 * HALF_LIFE_MS, 2))

    assert (walk.start_ms, walk.steps, walk.evidence) == (12 * HALF_LIFE_MS, 1, (2,))
