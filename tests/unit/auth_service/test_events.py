"""auth_service.core.events: kinds of events and how often they are told."""

import itertools

from auth_service.core.events import TRAITS, Kind, Pace, after_event, after_gathering
from auth_service.core.recovery.facts import DAY_MS, HOUR_MS, MINUTE_MS

NOW = 1_800_000_000_000
KIND = Kind.PHONE_ADDED


def test_every_kind_has_its_trait() -> None:
    """A kind without one could not be recorded."""
    assert set(TRAITS) == set(Kind)


def test_the_first_is_told_at_once_and_what_follows_gathers() -> None:
    """10 minutes, then 1 hour, then 6 hours, and 6 hours again."""
    pace, is_told = after_event(Pace(), KIND, NOW)
    assert is_told
    windows = []
    for _ in range(4):
        windows.append(pace.open_ms)
        pace, is_told = after_event(pace, KIND, pace.open_ms - 1)
        assert (is_told, pace.gathered) == (False, True)
        pace = after_gathering(pace, KIND, pace.open_ms)

    lengths = [windows[0] - NOW, *(later - earlier for earlier, later in itertools.pairwise(windows))]
    assert lengths == [10 * MINUTE_MS, HOUR_MS, 6 * HOUR_MS, 6 * HOUR_MS]


def test_what_gathered_is_told_also_when_it_comes_late() -> None:
    """An event behind a message that is overdue waits for that message; it starts none of its own."""
    pace, _ = after_event(Pace(0, NOW, gathered=True), KIND, NOW + DAY_MS)

    assert pace == Pace(0, NOW, gathered=True)


def test_events_just_outside_the_window_do_not_start_anew() -> None:
    """Every eleven minutes is still "while it goes on"; after a quiet window it begins anew."""
    pace, _ = after_event(Pace(), KIND, NOW)
    goes_on, is_told = after_event(pace, KIND, pace.open_ms + 10 * MINUTE_MS - 1)
    anew, _ = after_event(pace, KIND, pace.open_ms + 10 * MINUTE_MS)

    assert is_told
    assert (goes_on.level, anew.level) == (1, 0)


def test_a_start_of_a_recovery_is_told_once_a_day() -> None:
    """A stranger can cause it."""
    pace, is_told = after_event(Pace(), Kind.RECOVERY_STARTED, NOW)
    assert is_told
    assert pace.open_ms == NOW + DAY_MS
    assert not after_event(pace, Kind.RECOVERY_STARTED, NOW + DAY_MS - 1)[1]
