"""Second factors: which there are, what each is called in a token, and how much a session's proofs amount to.

The words of `amr` are those of RFC 8176 where it has one: `pwd`, `otp` (TOTP), `pop` (a passkey, which itself asks who is there), `sms`. It has none for a saved
recovery code, here `code`, nor for a code that went to an address, here `mail`.
"""

from enum import Enum

from .recovery.life import CANCELLABLE_MS, SHORT_PROBATION_MS

PASSWORD = "pwd"  # noqa: S105 - RFC 8176's word
SMS = "sms"
MAIL = "mail"
_SECOND = frozenset({"otp", "code", SMS})
"""What makes two factors of a password and itself. A code by mail does not: a mailbox mostly hangs on a password again (NIST SP 800-63B-4 §3.1.3.1)."""


class Method(Enum):
    """A second factor, in the order in which it is offered; the value is its name at /login/mfa."""

    PASSKEY = "passkey"
    TOTP = "totp"
    RECOVERY_CODE = "recovery_code"


WORDS = {Method.PASSKEY: "pop", Method.TOTP: "otp", Method.RECOVERY_CODE: "code"}


def is_second(amr: list[str]) -> bool:
    """Whether a second factor was given that may change factors: a text lets somebody in, and resets nothing."""
    return not {"pop", "otp", "code"}.isdisjoint(amr)


def acr_of(amr: list[str]) -> str:
    """What the proofs of a session amount to: `mfa`, or `pwd` for one factor."""
    if "pop" in amr or (PASSWORD in amr and not _SECOND.isdisjoint(amr)):
        return "mfa"
    return "pwd"


def is_asked(removed_ms: int | None, *, lost: bool, now_ms: int) -> bool:
    """Whether a TOTP or passkey is asked for at login, and taken there: also while its removal can be taken back."""
    return removed_ms is None or (not lost and now_ms < removed_ms + CANCELLABLE_MS)


def probation_ms(policy_ms: int, *, is_strong: bool) -> int:
    """How long a new factor waits. Args: policy_ms: the rule; is_strong: it is added after a proof with a mature TOTP or passkey on a mature device."""
    return min(SHORT_PROBATION_MS, policy_ms) if is_strong else policy_ms
