"""A real day out of the data's lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.day import Day, Line, NoSuchDay, choose, load, made_up_text

HEADER = "channel,author,t,len,words,text,flags,label"


def row(author: int, t: float, length: int = 5) -> str:
    return f"1,{author},{t},{length},1,7,0,human"


def test_days_are_parted_at_midnight_and_sorted() -> None:
    """UTC days, each in the order of time."""
    days = load([HEADER, row(2, 86_400 + 50), row(1, 86_399), row(3, 86_400 + 10)])

    assert [(day.date, day.authors) for day in days] == [("1970-01-01", ["1"]), ("1970-01-02", ["3", "2"])]
    assert days[1].lines[0] == Line(10.0, "3", 5)


def whole_day(date: str, people: int, messages: int) -> Day:
    step = 22 * 3600 / (messages - 1)
    return Day(date, tuple(Line(number * step, str(number % people), 5) for number in range(messages)))


def test_busiest_whole_day_that_fits_is_chosen() -> None:
    """Neither a part of a day nor one with too many authors."""
    days = [
        whole_day("a", 3, 40),
        whole_day("b", 5, 60),
        whole_day("c", 50, 90),
        Day("d", whole_day("d", 3, 99).lines[:30]),
    ]

    assert choose(days, None, 5).date == "b"
    assert choose(days, "c", 5).date == "c"
    with pytest.raises(NoSuchDay):
        choose(days, None, 2)
    with pytest.raises(NoSuchDay):
        choose([whole_day("talker", 1, 401)], None, 5)
    with pytest.raises(NoSuchDay, match="there are: a, b"):
        choose(days, "z", 5)


def test_part_of_a_day() -> None:
    """Some hours, counted from the first message."""
    day = whole_day("a", 3, 23)

    assert [line.at_s / 3600 for line in day.part(5, 2).lines] == [5, 6]


@given(st.integers(0, 10**6), st.integers(0, 400))
def test_made_up_text_has_the_real_length(number: int, length: int) -> None:
    """Exactly as many characters, at least one, no space at an end that a server might trim."""
    text = made_up_text(number, length)

    assert len(text) == max(1, length)
    assert text == text.strip()
