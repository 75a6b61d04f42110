"""Confirmation codes and the registration that waits for one.

A code has six digits: easy to type, and with five tries in fifteen minutes a guess succeeds once in 200 000. A registration goes

    started ──right code──▶ proved ──name chosen──▶ an account
       └──five wrong codes, or 15 min──▶ gone       └──30 min──▶ gone

and one for an address that already has an account is a decoy: it looks the same at every step, and no code fits.
"""

from dataclasses import dataclass
from enum import Enum, auto

CODE_DIGITS = 6
MAX_TRIES = 5
CODE_LIFETIME_MS = 15 * 60 * 1000
CONTACT_CODE_LIFETIME_MS = 10 * 60 * 1000
TICKET_LIFETIME_MS = 30 * 60 * 1000
"""Long enough to look for a user name that is free."""


def code_from(number: int) -> str:
    """A code from a random number below 10^6."""
    return f"{number:0{CODE_DIGITS}d}"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A registration as it is stored; `code_fits` and `secret_fits` are the comparisons already made."""

    proved: bool
    tries: int
    expires_ms: int
    secret_fits: bool
    code_fits: bool


class Step(Enum):
    """What showing a code does."""

    PROVED = auto()
    WRONG = auto()
    GONE = auto()


def judge(waiting: Waiting, now_ms: int) -> Step:
    """What becomes of a registration that is shown a code. Whoever lacks its secret learns nothing and costs no try."""
    if not waiting.secret_fits or waiting.proved or now_ms >= waiting.expires_ms or waiting.tries >= MAX_TRIES:
        return Step.GONE
    return Step.PROVED if waiting.code_fits else Step.WRONG
