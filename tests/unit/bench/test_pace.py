"""Players keep to the limits of a connection."""

from bench.day import Day, Line
from bench.players import SEND_BURST, SEND_PER_S, Pace, plans


def test_burst_passes_and_the_rest_waits() -> None:
    """Nine at once, then one in a little more than half a second."""
    pace = Pace()

    waits = [pace.wait_s(0.0) for _ in range(11)]

    assert waits[: int(SEND_BURST)] == [0.0] * int(SEND_BURST)
    assert waits[9] == 1 / SEND_PER_S
    assert waits[10] == 2 / SEND_PER_S


def test_pause_gives_the_burst_back() -> None:
    """After a while all is as at the beginning, and not more."""
    pace = Pace()
    for _ in range(9):
        pace.wait_s(0.0)

    assert [pace.wait_s(1000.0) for _ in range(10)][-2:] == [0.0, 1 / SEND_PER_S]


def test_plans_keep_time_and_order() -> None:
    """Per author, its messages at their times, squeezed."""
    day = Day("d", (Line(100, "a", 3), Line(110, "b", 4), Line(300, "a", 200)))

    made = plans(day, 10)

    assert [(planned.at_s, len(planned.text)) for planned in made["a"]] == [(0, 3), (20, 200)]
    assert [(planned.at_s, len(planned.text)) for planned in made["b"]] == [(1, 4)]
