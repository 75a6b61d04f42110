"""What a scenario has found: a table, what it was held against, and how it was set."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

Cell = str | float | int


@dataclass(frozen=True)
class Claim:
    """A figure and its bound. `at_most`: whether less is better."""

    text: str
    value: float
    bound: float
    at_most: bool = True
    unit: str = ""

    @property
    def holds(self) -> bool:
        """Whether the bound is kept."""
        return self.value <= self.bound if self.at_most else self.value >= self.bound

    @property
    def reached(self) -> float:
        """The value as a part of the bound, such that 1 or more is good."""
        if self.at_most:
            return self.bound / self.value if self.value > 0 else float("inf")
        return self.value / self.bound


@dataclass(frozen=True)
class Result:
    """One scenario's outcome. `raised`: settings above their defaults, and nothing else is changed."""

    name: str
    title: str
    columns: tuple[str, ...]
    rows: list[tuple[Cell, ...]]
    claims: list[Claim] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    raised: dict[str, str] = field(default_factory=dict)
    took_s: float = 0.0

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"holds": all(claim.holds for claim in self.claims)}


def cell(value: Cell) -> str:
    """A number as people read it: three figures, thousands apart."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    if abs(value) >= 100:
        return f"{value:.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"


def columns_of(rows: Sequence[Sequence[Cell]]) -> list[list[str]]:
    """All cells of a table as text."""
    return [[cell(value) for value in row] for row in rows]
