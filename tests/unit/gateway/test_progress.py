"""Every byte has so long to leave; whoever reads is never late."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.progress import Progress

TIMEOUT_S = 30.0


def test_a_peer_that_reads_nothing_is_late_at_the_second_look() -> None:
    """The first look only sees that something waits."""
    it = Progress()
    assert not it.is_stuck(1000, 1.0, TIMEOUT_S)
    assert it.is_watched
    assert not it.is_stuck(1000, 30.9, TIMEOUT_S)

    assert it.is_stuck(1000, 31.0, TIMEOUT_S)


def test_one_byte_a_second_is_too_slow() -> None:
    """Also while more is written all the time."""
    it = Progress()
    it.is_stuck(50_000, 0.0, TIMEOUT_S)
    it.wrote(1000)

    assert it.is_stuck(51_000 - 30, 30.0, TIMEOUT_S)


def test_new_bytes_may_wait_while_the_old_are_gone() -> None:
    """At the limit: all that is old has left; the new ones are looked for next time."""
    it = Progress()
    it.is_stuck(50_000, 0.0, TIMEOUT_S)
    it.wrote(1000)
    assert not it.is_stuck(1000, 30.0, TIMEOUT_S)

    assert it.is_stuck(1000, 60.0, TIMEOUT_S)


def test_an_empty_transport_is_not_watched() -> None:
    """Nor one that has become empty, whatever was written to it."""
    it = Progress()
    it.is_stuck(1000, 0.0, TIMEOUT_S)
    assert not it.is_stuck(0, 30.0, TIMEOUT_S)
    assert not it.is_watched

    assert not it.is_stuck(5000, 40.0, TIMEOUT_S)


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=20))
def test_what_tls_adds_does_not_make_anybody_late(sizes: list[int]) -> None:
    """Just after a write all of it may wait, with what TLS puts around every record."""
    it = Progress()
    it.is_stuck(1, 0.0, TIMEOUT_S)
    for turn, size in enumerate(sizes, start=1):
        it.wrote(size)
        assert not it.is_stuck(size + 22 * (size // 16_384 + 1), turn * TIMEOUT_S, TIMEOUT_S)
