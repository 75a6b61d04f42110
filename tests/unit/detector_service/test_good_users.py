"""detector_service.core.good_users: who vouches for an address."""

from dataclasses import replace
from typing import Any

import pytest

from detector_service.core.good_users import Resident, SightingBook, count_good, is_good

from .making import DAY, T0, UNIT, H, fact, logged_in, rate_hit, said, violation

GOOD = Resident(days=2, last_ms=T0 - H, account_since_ms=T0 - 14 * DAY, ever_banned=False, suspected_ms=T0 - DAY)


@pytest.mark.parametrize(
    ("change", "good"),
    [
        ({}, True),
        ({"days": 1}, False),
        ({"last_ms": T0 - DAY}, False),
        ({"account_since_ms": T0 - 14 * DAY + 1}, False),
        ({"account_since_ms": 0}, False),
        ({"ever_banned": True}, False),
        ({"suspected_ms": T0 - DAY + 1}, False),
        ({"suspected_ms": 0}, True),
    ],
)
def test_a_good_user_meets_every_condition(change: dict[str, Any], good: bool) -> None:
    """Each condition alone makes the difference, at its limit."""
    assert is_good(replace(GOOD, **change), T0) is good


def test_only_good_ones_are_counted() -> None:
    """Ten strangers are none."""
    assert count_good([GOOD, replace(GOOD, days=1), GOOD], T0) == 2


def test_a_sighting_is_written_once_an_hour_and_again_on_the_next_day() -> None:
    """A chatty user does not become a write per message."""
    book = SightingBook()
    midnight = (T0 // DAY + 1) * DAY
    times = [midnight - 10, midnight - 5, midnight + 5, midnight + 6, midnight + 5 + H]

    seen = [book.see(said(at_ms, ip="203.0.113.7")) for at_ms in times]

    assert [sighting is not None for sighting in seen] == [True, False, True, False, True]
    assert seen[0] is not None
    assert (seen[0].user, seen[0].unit, seen[0].day) == ("u1", UNIT, midnight // DAY - 1)


def test_the_age_of_an_account_is_always_written() -> None:
    """It comes with logins only."""
    book = SightingBook()
    book.see(said(T0, ip="203.0.113.7"))

    sighting = book.see(logged_in(T0 + 1, account_since_ms=5))

    assert sighting is not None
    assert sighting.account_since_ms == 5


def test_hostile_events_and_strangers_vouch_for_nothing() -> None:
    """Neither a violation nor a refusal makes its author a resident, nor does an event without user or address."""
    book = SightingBook()

    assert book.see(violation(user="u1")) is None
    assert book.see(rate_hit(user="u1")) is None
    assert book.see(said()) is None
    assert book.see(fact(said(ip="127.0.0.1").event)) is None


def test_the_book_is_bounded() -> None:
    """Forgotten pairs cost a write more, never memory."""
    book = SightingBook(max_pairs=10)

    for number in range(100):
        assert book.see(said(T0, user=f"u{number}", ip="203.0.113.7")) is not None

    assert len(book._noted) == 10
