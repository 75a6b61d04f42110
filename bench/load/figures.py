"""The arithmetic of results: what is made of counts, clocks and histograms. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median

from bench.tally import Latencies

HistogramJson = dict[str, int]


def to_json(latencies: Latencies) -> dict[str, object]:
    """A histogram as it goes from one process to another."""
    return {"counts": {str(bucket): count for bucket, count in latencies.counts.items()}, "max": latencies.longest_ms}


def merged(told: Iterable[Mapping[str, object]]) -> Latencies:
    """Histograms of several processes as one."""
    whole = Latencies()
    for one in told:
        counts, longest = one["counts"], one["max"]
        assert isinstance(counts, dict)
        assert isinstance(longest, int | float)
        for bucket, count in counts.items():
            whole.counts[int(bucket)] = whole.counts.get(int(bucket), 0) + int(count)
            whole.total += int(count)
        whole.longest_ms = max(whole.longest_ms, float(longest))
    return whole


def per_unit_us(cpu_s: float, count: int) -> float:
    """Microseconds of CPU for each of `count` things."""
    return cpu_s * 1e6 / count if count else 0.0


def ratio(ours: float, theirs: float) -> float:
    """How much of `theirs` is `ours`; 0 where there is nothing to compare with."""
    return ours / theirs if theirs > 0 else 0.0


def middle_ratio(pairs: Sequence[tuple[float, float]]) -> float:
    """The median of the ratios of rounds that took turns: what slowed one of them down does not count."""
    return median(ratio(ours, theirs) for ours, theirs in pairs)


def spread_in_turns(rounds: Sequence[Sequence[float]]) -> float:
    """How far cases are apart that took turns: each round's costs against the median of that round, the median of that for each case, and how far
    the farthest of these is from 1, so 0.1 is ± 10 %. What slows a whole round down does not count."""
    against = [[ratio(cost, median(costs)) for cost in costs] for costs in rounds]
    return max(abs(median(case) - 1) for case in zip(*against, strict=True))
