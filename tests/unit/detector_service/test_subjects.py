"""detector_service.core.subjects: bounded, and never a ban is shed."""

from hypothesis import given, settings
from hypothesis import strategies as st

from detector_service.core.observing import Observer
from detector_service.core.subjects import FRESH_MS, SubjectTable

from .making import DAY, T0, H, violation

NAMES = st.sampled_from([f"addr:10.0.0.{number}/32" for number in range(30)])
STEPS = st.lists(st.tuples(NAMES, st.integers(0, 3), st.integers(0, 60_000)), max_size=150)


@settings(max_examples=60)
@given(STEPS)
def test_the_table_is_bounded_and_keeps_every_ban_in_force(steps: list[tuple[str, int, int]]) -> None:
    """Any mix of touches and bans: at most ten others beside the bans, and each ban in force is held."""
    table, now_ms, until_ms = SubjectTable(10), T0, dict[str, int]()

    for name, action, pause_ms in steps:
        now_ms += pause_ms
        subject = table.of(name)
        if action == 0:
            subject.banned_until_ms = until_ms[name] = now_ms + H
        table.settle(name, now_ms)

        in_force = {banned for banned, end_ms in until_ms.items() if end_ms > now_ms}
        assert len(table) <= max(10, len(in_force))
        assert all(banned in table for banned in in_force)


def test_the_lowest_goes_first_and_the_longest_silent_among_equals() -> None:
    """Who is two violations on the way outlives who has done one, although it came first."""
    observer = Observer(max_subjects=3)
    for ip, times in (("10.0.0.1", 2), ("10.0.0.2", 1), ("10.0.0.3", 1)):
        for number in range(times):
            observer.observe(violation(T0 + number, ip=ip))

    observer.observe(violation(T0 + 10, ip="10.0.0.4"))

    assert "addr:10.0.0.1/32" in observer.table
    assert "addr:10.0.0.2/32" not in observer.table
    assert observer.table.shed == 1


def test_nobody_fills_the_table_for_good() -> None:
    """Subjects just under a line give way once what they did counts no more."""
    observer = Observer(max_subjects=3)
    for number in range(3):
        for _ in range(2):
            observer.observe(violation(T0, ip=f"10.0.0.{number}"))

    observer.observe(violation(T0 + FRESH_MS + 1, ip="10.0.1.1"))

    assert "addr:10.0.1.1/32" in observer.table
    assert len(observer.table) == 3


def test_a_sweep_drops_what_counts_no_more() -> None:
    """And nothing else."""
    observer = Observer()
    observer.observe(violation(T0, ip="10.0.0.1"))
    observer.observe(violation(T0 + FRESH_MS, ip="10.0.0.2"))
    observer.banned("addr:10.0.0.3/32", T0 + DAY, T0)

    assert observer.table.sweep(T0 + FRESH_MS + 1) == 1
    assert "addr:10.0.0.2/32" in observer.table
    assert "addr:10.0.0.3/32" in observer.table
