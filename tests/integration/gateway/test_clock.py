"""The clocks of a process."""

from __future__ import annotations

import time

from gateway.clock import Clock


def test_milliseconds_are_whole_and_of_the_clock_given() -> None:
    """A test's clock as well as the process's own."""
    assert Clock(unix=lambda: 1.2345).unix_ms() == 1234
    assert abs(Clock().unix_ms() / 1000 - time.time()) < 5
