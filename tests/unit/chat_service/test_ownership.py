"""When a standby takes over."""

from __future__ import annotations

import pytest

from chat_service.core.ownership import Reason, Sign, Watch

TAKEOVER_S = 10.0


@pytest.mark.parametrize(
    ("sign", "lives", "reason"),
    [
        (Sign(0, 0), False, Reason.FREE),
        (Sign(4, 0), True, Reason.FREE),
        (Sign(4, 1_000), False, Reason.DEAD),
        (Sign(4, 1_000), True, None),
    ],
)
def test_the_first_look(sign: Sign, lives: bool, reason: Reason | None) -> None:
    """A free or dead owner is followed at once, a living one is not, however old its sign of life."""
    assert Watch(TAKEOVER_S).judge(sign, lives, 1_000_000.0) is reason


def looks(watch: Watch, *, until_s: float, sign: Sign, from_s: float = 0.0) -> list[float]:
    """Looks four times a second at a living owner; when it was found silent."""
    times = [from_s + number / 4 for number in range(int((until_s - from_s) * 4) + 1)]
    return [now_s for now_s in times if watch.judge(sign, True, now_s) is Reason.SILENT]


def test_silence_counts_from_the_first_look() -> None:
    """Not one look before the time."""
    assert looks(Watch(TAKEOVER_S), until_s=11.0, sign=Sign(4, 1)) == [10.0, 10.25, 10.5, 10.75, 11.0]


def test_any_change_begins_anew() -> None:
    """A sign of life, or another fence; a clock that was set back is a change like any other."""
    watch = Watch(TAKEOVER_S)
    assert looks(watch, until_s=9.75, sign=Sign(4, 50)) == []
    assert looks(watch, from_s=9.75, until_s=19.5, sign=Sign(4, 49)) == []
    assert looks(watch, from_s=19.5, until_s=29.25, sign=Sign(5, 49)) == []
    assert looks(watch, from_s=29.25, until_s=29.5, sign=Sign(5, 49)) == [29.5]


def test_a_watcher_that_stood_still_begins_anew() -> None:
    """It saw no silence, it saw nothing."""
    watch = Watch(TAKEOVER_S)
    assert looks(watch, until_s=5.0, sign=Sign(4, 1)) == []
    assert looks(watch, from_s=30.0, until_s=39.75, sign=Sign(4, 1)) == []
    assert looks(watch, from_s=39.75, until_s=40.0, sign=Sign(4, 1)) == [40.0]
