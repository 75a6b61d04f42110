"""Questions that wait: answered once, expired in order, bounded."""

from gateway.core.pending import Pending


def test_an_answer_takes_its_question_out() -> None:
    """A second answer finds nothing."""
    pending: Pending[int, str] = Pending(5.0, 10)
    pending.add(1, "a", 0.0)

    assert pending.get(1) == "a"
    assert pending.pop(1) == "a"
    assert pending.pop(1) is None
    assert pending.get(1) is None


def test_what_waited_too_long_comes_out_oldest_first() -> None:
    """At the deadline, not before it."""
    pending: Pending[int, str] = Pending(5.0, 10)
    pending.add(1, "a", 0.0)
    pending.add(2, "b", 1.0)

    assert pending.expire(4.99) == []
    assert pending.expire(5.0) == [(1, "a")]
    assert pending.expire(100.0) == [(2, "b")]
    assert len(pending) == 0


def test_a_key_that_waits_already_begins_anew() -> None:
    """An upload that is recorded after its assembly has its whole time again."""
    pending: Pending[int, str] = Pending(5.0, 10)
    pending.add(1, "a", 0.0)
    pending.add(2, "b", 0.0)
    pending.add(1, "c", 4.0)

    assert pending.expire(5.0) == [(2, "b")]
    assert 1 in pending


def test_a_full_table_says_so() -> None:
    """At the limit, and not one before it."""
    pending: Pending[int, str] = Pending(5.0, 2)
    pending.add(1, "a", 0.0)

    assert not pending.is_full

    pending.add(2, "b", 0.0)

    assert pending.is_full
