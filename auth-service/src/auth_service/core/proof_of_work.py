"""Which solved challenges are good for a request.

The work itself and our signature are checked by the altcha library (`challenges.py`). Here is what the library does not know: that a challenge is for one
action, until a moment, and not for a form that was filled faster than a person can type. That it is used once is for whoever remembers.
"""

from enum import Enum, auto

from .requests import ProofData, Purpose

LIFETIME_MS = 5 * 60 * 1000
MIN_FORM_MS = 1500
"""Nobody reads a form, types an address and a password of twelve characters, and sends it in less."""
COUNTERS = (80, 320)
"""The counter to find lies in here: 0.1 to 0.4 s of one core at the usual cost of a counter, which is a setting."""
SKEW_MS = 5000


class Flaw(Enum):
    """Why a solved challenge is not good for a request."""

    OTHER_ACTION = auto()
    OVER = auto()
    TOO_FAST = auto()


def flaw_of(data: ProofData, action: Purpose, now_ms: int) -> Flaw | None:
    """What is wrong with signed challenge data for this action now; None if nothing is."""
    if data.action != action:
        return Flaw.OTHER_ACTION
    if now_ms >= data.expires_ms or now_ms < data.issued_ms - SKEW_MS:
        return Flaw.OVER
    if action == "register" and now_ms - data.issued_ms < MIN_FORM_MS:
        return Flaw.TOO_FAST
    return None
