"""A real day of a public chat: who wrote when, and how much. Texts are not in the data; ours are made up with the real length.

Reads nothing and asks no clock: `load` takes lines.
"""

import csv
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

DAY_S = 86_400
WHOLE_DAY_H = 20
"""A day whose messages span less was not recorded whole."""

MOST_BY_ONE = 400
"""Messages of one author: at 300 times life a day takes five minutes, in which a connection may say 550."""

SENTENCE = (
    "sí no bueno claro pero mañana hoy luego vale gracias mira juego tarde noche gente nadie siempre quizá también"
)


class NoSuchDay(Exception):
    """The data has no day as it was asked for."""


@dataclass(frozen=True, slots=True)
class Line:
    """One message: seconds after the day's beginning, who wrote it, how many characters it had."""

    at_s: float
    author: str
    length: int


@dataclass(frozen=True)
class Day:
    """One UTC day of one room, in order."""

    date: str
    lines: tuple[Line, ...]

    @property
    def authors(self) -> list[str]:
        """Everybody who wrote, in the order of their first message."""
        return list(dict.fromkeys(line.author for line in self.lines))

    @property
    def most_by_one(self) -> int:
        """The messages of the author who wrote most."""
        return max(Counter(line.author for line in self.lines).values(), default=0)

    @property
    def hours(self) -> float:
        """From the first message to the last."""
        return (self.lines[-1].at_s - self.lines[0].at_s) / 3600 if self.lines else 0.0

    def part(self, start_h: float, hours: float) -> "Day":
        """The messages of some hours after the day's first one."""
        begin = self.lines[0].at_s + start_h * 3600
        kept = tuple(line for line in self.lines if begin <= line.at_s < begin + hours * 3600)
        return Day(self.date, kept)


def load(lines: Iterable[str]) -> list[Day]:
    """Every day in the CSV's lines."""
    days: dict[int, list[Line]] = defaultdict(list)
    for row in csv.DictReader(lines):
        moment = float(row["t"])
        day = int(moment // DAY_S)
        days[day].append(Line(moment - day * DAY_S, row["author"], int(row["len"])))
    return [Day(_date(day), tuple(sorted(kept, key=lambda line: line.at_s))) for day, kept in sorted(days.items())]


def choose(days: list[Day], date: str | None, most_people: int) -> Day:
    """The day of that date, or the busiest whole one with at most so many authors, none of whom alone would set the pace.

    Raises:
        NoSuchDay: there is none.
    """
    if date is not None:
        found = [day for day in days if day.date == date]
        if not found:
            raise NoSuchDay(f"There is no {date}; there are: {', '.join(day.date for day in days)}.")
        return found[0]
    whole = [
        day
        for day in days
        if day.hours >= WHOLE_DAY_H and len(day.authors) <= most_people and day.most_by_one <= MOST_BY_ONE
    ]
    if not whole:
        raise NoSuchDay(f"No whole day has at most {most_people} authors.")
    return max(whole, key=lambda day: len(day.lines))


def made_up_text(number: int, length: int) -> str:
    """A text of exactly that many characters, different for different numbers where there is room for it."""
    wanted = max(1, length)
    words = SENTENCE.split()
    parts, size, at = [str(number)], len(str(number)), number
    while size < wanted:
        word = words[at % len(words)]
        parts.append(word)
        size += 1 + len(word)
        at = at * 31 + 7
    return " ".join(parts)[:wanted].rstrip().ljust(wanted, ".")


def _date(day: int) -> str:
    return datetime.fromtimestamp(day * DAY_S, UTC).strftime("%Y-%m-%d")
