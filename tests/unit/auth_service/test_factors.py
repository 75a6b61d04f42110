"""auth_service.core.factors: what proofs amount to, and how long a factor is asked for."""

import pytest

from auth_service.core.factors import WORDS, Method, acr_of, is_asked, is_second, probation_ms
from auth_service.core.recovery.facts import DAY_MS

NOW_MS = 1_800_000_000_000


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        (["pwd"], "pwd"), (["pwd", "otp"], "mfa"), (["pwd", "code"], "mfa"), (["pwd", "sms"], "mfa"), (["pwd", "mail"], "pwd"),
        (["pop"], "mfa"), (["pwd", "pop"], "mfa"), (["otp"], "pwd"), (["mail"], "pwd"), (["sms", "mail"], "pwd"), ([], "pwd"),
    ],
)  # fmt: skip
def test_two_kinds_of_proof_are_two_factors(amr: list[str], acr: str) -> None:
    """A passkey is two by itself; two codes are one kind, and a mailbox is none beside a password."""
    assert acr_of(amr) == acr


def test_every_method_has_its_own_word() -> None:
    """So that a token says which it was."""
    assert len({WORDS[method] for method in Method}) == len(Method)


@pytest.mark.parametrize(
    ("removed_ms", "lost", "asked"),
    [(None, False, True), (NOW_MS - 7 * DAY_MS + 1, False, True), (NOW_MS - 7 * DAY_MS, False, False), (NOW_MS, True, False)],
)  # fmt: skip
def test_what_is_being_removed_is_asked_for_a_week(removed_ms: int | None, lost: bool, asked: bool) -> None:
    """What was lost is asked for no more."""
    assert is_asked(removed_ms, lost=lost, now_ms=NOW_MS) is asked


def test_a_strong_proof_shortens_a_probation_to_a_week() -> None:
    """And never lengthens it."""
    assert probation_ms(30 * DAY_MS, is_strong=False) == 30 * DAY_MS
    assert probation_ms(30 * DAY_MS, is_strong=True) == 7 * DAY_MS


@pytest.mark.parametrize(
    ("amr", "second"),
    [(["pwd"], False), (["pwd", "sms"], False), (["pwd", "mail"], False), (["pwd", "otp"], True), (["pop"], True), (["pwd", "code"], True)],
)  # fmt: skip
def test_a_message_is_no_proof_for_changing_factors(amr: list[str], second: bool) -> None:
    """It lets somebody in, and resets nothing."""
    assert is_second(amr) is second
