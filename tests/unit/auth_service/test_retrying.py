"""auth_service.core.retrying: when a message is tried again."""

from __future__ import annotations

from itertools import pairwise

from auth_service.core.retrying import LONGEST_MS, MINUTE_MS, Queue, wait_ms


def test_waits_double_from_a_minute_to_six_hours() -> None:
    """Greylisting passes at the first repeat; an outage of days does not make a flood."""
    waits = [wait_ms(tries) for tries in range(1, 12)]

    assert waits[:3] == [MINUTE_MS, 2 * MINUTE_MS, 4 * MINUTE_MS]
    assert all(later in {2 * sooner, LONGEST_MS} for sooner, later in pairwise(waits))
    assert waits[-1] == wait_ms(10**9) == 6 * 60 * MINUTE_MS


def test_notices_are_tried_for_a_week_and_codes_for_a_day() -> None:
    """A notice's link lives ten days; no code lives a day."""
    assert (Queue.NOTICES.kept_ms, Queue.CODES.kept_ms) == (7 * 86_400_000, 86_400_000)
