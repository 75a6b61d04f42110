"""How many connections each address and prefix holds, in this process and in those beside it on the host.

Every process writes a table of its own and reads the others': a row of cells in memory that all can see, two per place, a key's hash and its count. Open
addressing with steps of one, so that a look is a handful of reads; when a key goes, those behind it move up, and no place is ever marked as deleted.
A reader never waits and may look at any moment: a count is written before its hash, and a moved key stands in its new place before it leaves the old one.
"""

from typing import Protocol


class Neighbours(Protocol):
    """The other processes of the host that serve the same limits."""

    @property
    def processes(self) -> int:
        """How many processes there are, this one included."""

    def elsewhere(self, key: str) -> int:
        """How many connections the others hold of a key."""

    def publish(self, key: str, count: int) -> None:
        """This process now holds `count` of a key."""


class Alone:
    """No other process: nothing is read, nothing published."""

    processes = 1

    def elsewhere(self, key: str) -> int:
        """None."""
        return 0

    def publish(self, key: str, count: int) -> None:
        """To nobody."""


class Counts:
    """One process's counts by key, published as they change."""

    def __init__(self, neighbours: Neighbours) -> None:
        """Args: neighbours: whose counts are added."""
        self._neighbours = neighbours
        self._held: dict[str, int] = {}

    def __len__(self) -> int:
        """How many keys are held here."""
        return len(self._held)

    def of(self, key: str) -> int:
        """How many are held of a key, on the whole host."""
        return self._held.get(key, 0) + self._neighbours.elsewhere(key)

    def more(self, key: str) -> None:
        """One more is held here."""
        self._set(key, self._held.get(key, 0) + 1)

    def less(self, key: str) -> None:
        """One less."""
        self._set(key, self._held[key] - 1)

    def _set(self, key: str, count: int) -> None:
        if count:
            self._held[key] = count
        else:
            del self._held[key]
        self._neighbours.publish(key, count)


class Cells(Protocol):
    """Numbers of 64 bits in a row, perhaps in memory that others write."""

    def __len__(self) -> int:
        """How many."""

    def __getitem__(self, at: int, /) -> int:
        """Reads one."""

    def __setitem__(self, at: int, value: int, /) -> None:
        """Writes one."""


class Table:
    """Counts by hash in cells that others can read; cells of all zeros are an empty table."""

    def __init__(self, cells: Cells) -> None:
        """Args: cells: two per place, a power of two of places."""
        self._cells = cells
        self._places = len(cells) // 2
        if self._places & (self._places - 1) or not self._places:
            raise ValueError("the number of places is no power of two")

    def count(self, number: int) -> int:
        """The count of a hash; 0 where it is not in. Args: number: 1 … 2^64 − 1."""
        place = self._find(number)
        return self._cells[2 * place + 1] if place >= 0 and self._cells[2 * place] == number else 0

    def set(self, number: int, count: int) -> bool:
        """Writes the count of a hash, 0 to take it out; whether there was room for it."""
        place = self._find(number)
        if place < 0:
            return False
        if count:
            self._cells[2 * place + 1] = count
            self._cells[2 * place] = number
        elif self._cells[2 * place] == number:
            self._close_up(place)
        return True

    def _find(self, number: int) -> int:
        """The place of a hash, or the free one where it belongs; -1 in a full table."""
        for step in range(self._places):
            place = (number + step) & (self._places - 1)
            if self._cells[2 * place] in (0, number):
                return place
        return -1

    def _close_up(self, hole: int) -> None:
        """Empties a place and moves up those that stand behind it only because it was taken."""
        last, cells = self._places - 1, self._cells
        place = hole
        for _ in range(last):
            place = (place + 1) & last
            number = cells[2 * place]
            if not number:
                break
            if (place - number) & last >= (place - hole) & last:
                cells[2 * hole + 1] = cells[2 * place + 1]
                cells[2 * hole] = number
                hole = place
        cells[2 * hole] = 0
