"""Counts over all processes of a host: the table behaves like a dictionary, and whoever reads it meanwhile sees no less than was there all along."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core.counts import Alone, Counts, Table

TOP = 2**64 - 1


def table(places: int = 16) -> Table:
    """An empty table."""
    return Table([0] * (2 * places))


@given(st.lists(st.tuples(st.sampled_from([1, 2, 3, 17, 18, 33, 34, TOP, TOP - 16]), st.integers(0, 3)), max_size=80))
def test_a_table_is_a_dictionary(steps: list[tuple[int, int]]) -> None:
    """Whatever collides, comes and goes: hashes that differ by sixteen belong in one place."""
    it, expected = table(), dict[int, int]()
    for number, count in steps:
        assert it.set(number, count)
        expected[number] = count
        assert {key: it.count(key) for key in expected} == expected


def test_a_full_table_says_so_and_keeps_what_it_has() -> None:
    """Nothing is overwritten."""
    it = table(4)
    assert [it.set(number, 7) for number in (1, 2, 3, 4, 5)] == [True] * 4 + [False]

    assert [it.count(number) for number in (1, 2, 3, 4, 5)] == [7, 7, 7, 7, 0]
    assert it.set(1, 0)
    assert [it.count(number) for number in (1, 2, 3, 4)] == [0, 7, 7, 7]


@pytest.mark.parametrize("places", [0, 3, 12])
def test_places_are_a_power_of_two(places: int) -> None:
    """The hash is cut to them by its last bits."""
    with pytest.raises(ValueError, match="power of two"):
        table(places)


class Watched:
    """Cells that call somebody after every write."""

    def __init__(self, size: int) -> None:
        self.cells = [0] * size
        self.watch: Callable[[], None] = lambda: None

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, at: int, /) -> int:
        return self.cells[at]

    def __setitem__(self, at: int, value: int, /) -> None:
        self.cells[at] = value
        self.watch()


@given(st.lists(st.tuples(st.sampled_from([2, 18, 34, 50, 3, 19]), st.integers(0, 2)), max_size=40))
def test_a_reader_between_two_writes_misses_nobody(steps: list[tuple[int, int]]) -> None:
    """Whoever is in before and after a change is seen at every moment of it."""
    cells = Watched(32)
    it, reader, expected = Table(cells), Table(cells), dict[int, int]()
    for number, count in steps:
        steady = {key: held for key, held in expected.items() if key != number}

        def check(steady: dict[int, int] = steady) -> None:
            assert {key: reader.count(key) for key in steady} == steady

        cells.watch = check
        it.set(number, count)
        expected[number] = count


class Beside:
    """Two other processes with some connections each."""

    processes = 3

    def __init__(self, held: dict[str, int]) -> None:
        self.held = held
        self.published: list[tuple[str, int]] = []

    def elsewhere(self, key: str) -> int:
        return self.held.get(key, 0)

    def publish(self, key: str, count: int) -> None:
        self.published.append((key, count))


def test_counts_add_up_and_are_published() -> None:
    """Here and elsewhere; a key that nobody holds any more is let go of."""
    beside = Beside({"a": 5})
    it = Counts(beside)
    for _ in range(2):
        it.more("a")
    it.more("b")
    it.less("b")

    assert (it.of("a"), it.of("b"), len(it)) == (7, 0, 1)
    assert beside.published == [("a", 1), ("a", 2), ("b", 1), ("b", 0)]


def test_a_process_alone_counts_for_itself() -> None:
    """Nothing else is added."""
    it = Counts(Alone())
    it.more("a")

    assert it.of("a") == 1
