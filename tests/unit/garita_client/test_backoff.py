"""Waiting before the next attempt."""

from garita_client.core.backoff import Backoff, repeat_delay_s


def test_ceiling_doubles_up_to_thirty_seconds() -> None:
    """0.5, 1, 2 … and never more than 30 s."""
    backoff = Backoff()

    ceilings = [backoff.next_delay_s(1.0) for _ in range(9)]

    assert ceilings == [0.5, 1, 2, 4, 8, 16, 30, 30, 30]


def test_jitter_is_full() -> None:
    """The wait may be anything down to nothing."""
    assert Backoff(attempt=5).next_delay_s(0.0) == 0.0


def test_server_wish_is_honoured() -> None:
    """Never earlier than the server asked for."""
    assert Backoff().next_delay_s(0.0, at_least_s=7.0) == 7.0


def test_only_a_good_connection_resets() -> None:
    """29.9 s of connection do not count, 30 s do."""
    backoff = Backoff(attempt=6)
    backoff.connection_ended(29.9)
    assert backoff.attempt == 6
    backoff.connection_ended(30.0)
    assert backoff.attempt == 0


def test_repeat_honours_retry_after() -> None:
    """A request is not repeated before the time that the error names."""
    assert repeat_delay_s(0, 1500, 0.0) == 1.5
    assert repeat_delay_s(50, None, 1.0) == 5.0
