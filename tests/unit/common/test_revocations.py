"""garita_common.core.revocations."""

from garita_common.core.channels import REVOKED_KEEP_S
from garita_common.core.revocations import Revocation, RevocationBook, decode, encode


def test_a_revocation_reads_back() -> None:
    """Decoding what was encoded gives it back."""
    revocation = Revocation("u1", "s1", 0, 5)

    assert decode(encode(revocation)) == revocation


def test_one_session_ends_and_the_others_go_on() -> None:
    """A sid names one session only."""
    book = RevocationBook()
    book.add([Revocation("u1", "s1", 0, 5)])

    assert book.covers("u1", "s1", 9)
    assert not book.covers("u1", "s2", 0)


def test_an_epoch_ends_all_older_sessions_of_the_user() -> None:
    """Tokens below the epoch are over, those at it are not; the order of arrival does not matter."""
    book = RevocationBook()
    book.add([Revocation("u1", "", 3, 5), Revocation("u1", "", 2, 6)])

    assert book.covers("u1", "any", 2)
    assert not book.covers("u1", "any", 3)
    assert not book.covers("u2", "any", 0)


def test_old_ones_are_forgotten_when_no_token_can_be_under_them() -> None:
    """At 330 s they may go, before that not."""
    book = RevocationBook()
    book.add([Revocation("u1", "s1", 0, 0), Revocation("u1", "", 3, 0)])

    book.forget(REVOKED_KEEP_S * 1000 - 1)
    assert book.covers("u1", "s1", 9)
    book.forget(REVOKED_KEEP_S * 1000)
    assert not book.covers("u1", "s1", 0)
