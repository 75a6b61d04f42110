"""The books find every fault; what is well has none."""

from array import array

import pytest

from bench.tally import Latencies, Member, Stored, Tally, Verdict

TEXTS = {"a": "one", "b": "two", "c": "three"}
STORED = [Stored(3, "a", "one"), Stored(4, "b", "two"), Stored(6, "c", "three")]


def judged(
    heard: list[int] | None = None,
    stored: list[Stored] | None = None,
    acknowledged: dict[str, int] | None = None,
    events: set[int] | None = None,
) -> Verdict:
    """Three messages, one member that joined at 2, and one change."""
    tally = Tally(texts=dict(TEXTS), acknowledged={"a": 3, "b": 4, "c": 6} if acknowledged is None else acknowledged)
    tally.members = [Member("m", 2, array("q", [3, 4, 6] if heard is None else heard))]
    return tally.judge(STORED if stored is None else stored, 6, {1, 2, 3, 4, 5, 6} if events is None else events)


def test_all_is_well() -> None:
    """No fault: every number is 0."""
    assert judged().faults == 0


@pytest.mark.parametrize(
    ("heard", "field"),
    [
        ([3, 6], "lost_deliveries"),
        ([3, 4, 4, 6], "doubled_deliveries"),
        ([4, 3, 6], "out_of_order"),
        ([3, 4, 5, 6], "foreign_deliveries"),
    ],
)
def test_each_delivery_fault_is_named(heard: list[int], field: str) -> None:
    """One wrong delivery is one fault of its kind."""
    verdict = judged(heard)

    assert (getattr(verdict, field), verdict.faults) == (1, 1)


def test_a_message_before_the_own_join_is_not_owed() -> None:
    """Whoever joined at 3 need not hear 3, and should not."""
    tally = Tally(texts=dict(TEXTS))
    tally.members = [Member("late", 3, array("q", [4, 6])), Member("odd", 3, array("q", [3, 4, 6]))]

    verdict = tally.judge(STORED, 6, set(range(1, 7)))

    assert (verdict.lost_deliveries, verdict.foreign_deliveries) == (0, 1)


def test_acknowledged_but_not_stored() -> None:
    """The worst: an acknowledged message that the database does not have (and which nobody can have heard)."""
    verdict = judged([3, 4], STORED[:2])

    assert verdict.acknowledged_not_stored == 1


def test_stored_twice() -> None:
    """One cmid, two rows."""
    verdict = judged([3, 4, 5, 6], [*STORED, Stored(5, "b", "two")])

    assert verdict.stored_twice == 1


@pytest.mark.parametrize("wrong", [Stored(4, "b", "TWO"), Stored(4, "x", "two")])
def test_stored_otherwise(wrong: Stored) -> None:
    """Another text, or one that nobody sent."""
    assert judged(stored=[STORED[0], wrong, STORED[2]]).stored_otherwise == 1


def test_answer_with_another_seq() -> None:
    """The answer's seq is the stored one."""
    assert judged(acknowledged={"a": 3, "b": 5, "c": 6}).stored_otherwise == 1


def test_hole_in_the_room() -> None:
    """A seq that no event has."""
    assert judged(events={1, 2, 3, 4, 6}).seq_gaps == 1


def test_percentiles_are_within_a_bucket() -> None:
    """5 % wide buckets: the told value is the true one, or up to 5 % more."""
    latencies = Latencies()
    for value in range(1, 1001):
        latencies.add(float(value))

    for percent in (50, 90, 99):
        assert percent * 10 <= latencies.percentile_ms(percent) <= percent * 10 * 1.05
    assert latencies.told()["max"] == 1000.0
    assert Latencies().percentile_ms(50) == 0.0
