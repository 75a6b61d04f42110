"""The arithmetic of comparing two rows of times: Mann and Whitney's test, and medians. Pure.

The test asks whether a value of one row is as often above a value of the other as below it; it supposes no shape of their distribution, and outliers of a busy
machine weigh no more than their rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two rows of milliseconds, taken in pairs. `p`: how probable a difference of ranks like this one is if there is none.

    `apart_ms`: the median of the differences within pairs: what else the machine does in the meantime moves both of a pair, and the medians of the rows much more.
    """

    name: str
    pairs: int
    first_ms: float
    second_ms: float
    apart_ms: float
    p: float


def compare(name: str, first_ms: Sequence[float], second_ms: Sequence[float]) -> Comparison:
    """Both rows, summed up."""
    apart_ms = median(one - other for one, other in zip(first_ms, second_ms, strict=True))
    p = mann_whitney(first_ms, second_ms)
    return Comparison(name, len(first_ms), median(first_ms), median(second_ms), apart_ms, p)


def mann_whitney(first: Sequence[float], second: Sequence[float]) -> float:
    """The two-sided p of the U test, by the normal approximation with its corrections for ties and continuity: good from about 20 values a row on."""
    ranks, ties = _ranks([*first, *second])
    ours, theirs = len(first), len(second)
    whole = ours + theirs
    u = sum(ranks[:ours]) - ours * (ours + 1) / 2
    variance = ours * theirs / 12 * (whole + 1 - ties / (whole * (whole - 1)))
    if variance <= 0:
        return 1.0
    off = max(0.0, abs(u - ours * theirs / 2) - 0.5)
    return math.erfc(off / math.sqrt(2 * variance))


def _ranks(values: Sequence[float]) -> tuple[list[float], float]:
    """The rank of each value, equal ones sharing their mean, and the sum of t³ - t over all groups of t equal ones."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks, ties, start = [0.0] * len(values), 0.0, 0
    while start < len(order):
        end = start
        while end < len(order) and values[order[end]] == values[order[start]]:
            end += 1
        for place in order[start:end]:
            ranks[place] = (start + end + 1) / 2
        ties += (end - start) ** 3 - (end - start)
        start = end
    return ranks, ties
