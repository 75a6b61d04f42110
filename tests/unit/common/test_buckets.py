"""garita_common.core.buckets."""

from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.buckets import Bucket, BucketTable, Rate


def test_a_burst_passes_and_one_more_waits() -> None:
    """At the burst all pass; one past it is told how long to wait."""
    bucket = Bucket(Rate(rate_per_s=2, burst=10), now_s=0)

    assert [bucket.take(0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(0) == 0.5


@given(st.floats(0.1, 50), st.integers(1, 50), st.lists(st.floats(0, 5), min_size=1, max_size=200))
def test_steady_state_never_exceeds_the_rate(rate: float, burst: int, gaps: list[float]) -> None:
    """Whatever the pattern, no more passes than the burst and the rate times the time allow."""
    bucket = Bucket(Rate(rate, burst), now_s=0)
    now_s, passed = 0.0, 0

    for gap in gaps:
        now_s += gap
        while bucket.take(now_s) == 0.0:
            passed += 1

    assert passed <= burst + rate * now_s + 1e-6 * passed + 1e-6


def test_a_cost_over_the_burst_is_never_payable() -> None:
    """Nothing is promised that cannot come."""
    assert Bucket(Rate(1, 5), 0).take(0, 6) == float("inf")


def test_what_is_charged_is_not_refused_but_counts() -> None:
    """A charge empties the bucket; it does not go below empty."""
    bucket = Bucket(Rate(1, 2), 0)

    bucket.charge(0, 5)

    assert bucket.take(0) == 1.0


def test_a_returned_token_can_be_used_again_but_not_hoarded() -> None:
    """Giving back never fills a bucket over its burst."""
    bucket = Bucket(Rate(0, 1), 0)
    bucket.take(0)

    bucket.give_back(5)

    assert bucket.take(0) == 0.0
    assert bucket.take(0) == float("inf")


def test_a_clock_that_goes_back_gives_nothing() -> None:
    """Time that runs backwards refills nothing."""
    bucket = Bucket(Rate(1, 1), 100)
    bucket.take(100)

    assert bucket.take(50) > 0


def test_a_table_is_bounded_and_forgets_the_longest_unused() -> None:
    """At the bound nothing goes; one past it the least recently used goes, and is counted."""
    table = BucketTable(Rate(0, 1), max_keys=2)
    table.take("a", 0)
    table.take("b", 0)
    table.take("a", 0)

    table.take("c", 0)

    assert (len(table), table.evicted) == (2, 1)
    assert table.take("a", 0) == float("inf")
    assert table.take("b", 0) == 0.0
