"""The arithmetic of results."""

import pytest

from bench.load import figures
from bench.tally import Latencies


def histogram(*values_ms: float) -> Latencies:
    """A histogram of these."""
    made = Latencies()
    for value in values_ms:
        made.add(value)
    return made


def test_histograms_of_processes_are_one() -> None:
    """What two processes saw, told as JSON, has the percentiles of all values together."""
    fast, slow = histogram(*[1.0] * 98), histogram(100.0, 200.0)

    whole = figures.merged([figures.to_json(fast), figures.to_json(slow)])

    assert whole.total == 100
    assert whole.longest_ms == 200.0
    assert whole.percentile_ms(50) == pytest.approx(1.0, rel=0.05)
    assert whole.percentile_ms(99) == pytest.approx(100.0, rel=0.05)
    assert whole.percentile_ms(100) == 200.0


def test_nothing_merged_is_empty() -> None:
    """No process, no values."""
    assert figures.merged([]).percentile_ms(99) == 0.0


def test_cost_of_one() -> None:
    """Half a second for a thousand is 500 µs each, and 2 000 of them in a second; nothing done costs nothing."""
    assert figures.per_unit_us(0.5, 1000) == 500.0
    assert figures.per_unit_us(0.5, 0) == 0.0


def test_middle_ratio_forgets_one_bad_round() -> None:
    """The median of the rounds' own ratios, not the ratio of sums: a round that was disturbed does not count."""
    assert figures.middle_ratio([(10.0, 10.0), (10.0, 10.0), (90.0, 10.0)]) == 1.0
    assert figures.ratio(1.0, 0.0) == 0.0


def test_spread_is_the_farthest_from_the_median_of_its_round() -> None:
    """To either side; a round that was twice as dear as a whole says nothing about the cases."""
    assert figures.spread_in_turns([[100.0, 90.0, 105.0], [200.0, 180.0, 210.0]]) == pytest.approx(0.1)
    assert figures.spread_in_turns([[100.0, 100.0], [300.0, 300.0]]) == 0.0


def test_one_bad_round_of_a_case_is_forgotten() -> None:
    """The median over the rounds."""
    assert figures.spread_in_turns(
        [[100.0, 101.0, 100.0], [100.0, 101.0, 100.0], [100.0, 500.0, 100.0]]
    ) == pytest.approx(0.01)
