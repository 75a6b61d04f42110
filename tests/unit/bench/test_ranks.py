"""bench.accounts.ranks: a difference is found where there is one, and none where there is none."""

import random

import pytest

from bench.accounts.ranks import compare, mann_whitney


def test_a_textbook_example() -> None:
    """Two rows of an example of the literature, by the normal approximation with its correction for continuity."""
    assert mann_whitney([19, 22, 16, 29, 24], [20, 11, 17, 12]) == pytest.approx(0.11134688653314041)


def test_ties_share_their_ranks() -> None:
    """Equal rows differ in nothing, and neither do rows of one value."""
    assert mann_whitney([1, 1, 2, 2], [1, 1, 2, 2]) == 1.0
    assert mann_whitney([3] * 30, [3] * 30) == 1.0


def test_a_small_shift_under_much_noise_is_found() -> None:
    """A leak of half a millisecond under times that vary by two shows in 500 pairs; without it nothing does."""
    noise = random.Random(7)
    first = [noise.gauss(20, 2) for _ in range(500)]
    second = [noise.gauss(20, 2) for _ in range(500)]

    same = compare("same", first, second)
    moved = compare("moved", first, [value + 0.5 for value in second])

    assert same.p > 0.01
    assert abs(same.apart_ms) < 0.5
    assert moved.p < 0.01
    assert moved.apart_ms == pytest.approx(same.apart_ms - 0.5)
