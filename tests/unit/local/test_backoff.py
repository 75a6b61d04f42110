"""The pause before a process is started again."""

from __future__ import annotations

from garita_local.backoff import FIRST_DELAY_S, HEALTHY_S, MAX_DELAY_S, Backoff


def test_pauses_double_up_to_the_longest() -> None:
    """A process that dies at once, again and again, waits longer each time, but never more than the maximum."""
    backoff = Backoff()

    delays = [backoff.after_exit(lived_s=0.0) for _ in range(8)]

    assert delays[:4] == [FIRST_DELAY_S, FIRST_DELAY_S * 2, FIRST_DELAY_S * 4, FIRST_DELAY_S * 8]
    assert delays[-2:] == [MAX_DELAY_S, MAX_DELAY_S]


def test_a_healthy_life_forgets_earlier_deaths() -> None:
    """After a life at the limit the pause is the first one again; just below it, it is not."""
    backoff = Backoff()
    for _ in range(4):
        backoff.after_exit(lived_s=0.0)

    below = backoff.after_exit(lived_s=HEALTHY_S - 0.001)
    healthy = backoff.after_exit(lived_s=HEALTHY_S)

    assert below > FIRST_DELAY_S
    assert healthy == FIRST_DELAY_S
