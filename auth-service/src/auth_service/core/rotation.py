"""Refresh tokens: their form, and what becomes of one that is shown.

A refresh token is used once and gives its successor. An answer can be lost on the way, or two tabs can ask at once; so the same device may show a used
token again for a short time and gets the same successor. Anything later, or from elsewhere, means that two parties hold the token. We cannot tell
which of them is the owner, so the session ends.

    unused ──show──▶ used ──show again, same device, soon──▶ the same successor (three times)
                      └──────show again otherwise─────────▶ the session ends
"""

import base64
import binascii
from dataclasses import dataclass
from enum import Enum, auto

PREFIX = "rt1"
SECRET_BYTES = 32
GRACE_UNUSED_MS = 60_000
"""While nobody has used the successor: a client that lost the answer needs a reconnect to notice."""
GRACE_USED_MS = 10_000
"""Once it was used, only tabs that asked at the same moment can still mean well."""
MAX_REPLAYS = 3


@dataclass(frozen=True, slots=True)
class Shown:
    """A refresh token as a client shows it: the row it names, and its secret."""

    id: str
    secret: bytes


@dataclass(frozen=True, slots=True)
class Facts:
    """What is stored about a token whose secret was right. Times are Unix ms; `used_ms` None: never used."""

    used_ms: int | None
    expires_ms: int
    session_over: bool
    replays: int
    successor_used: bool
    heir_used: bool
    same_device: bool


class Outcome(Enum):
    """What becomes of a token that is shown."""

    ROTATE = auto()
    REPEAT = auto()
    CONFLICT = auto()
    OVER = auto()
    STOLEN = auto()


def judge(facts: Facts, now_ms: int) -> Outcome:
    """What to do. `heir_used` is whether the successor's successor was used: then this token is an old ancestor, whatever the clock says.

    A clock that is set back opens no grace that is over.
    """
    if facts.session_over:
        return Outcome.OVER
    if facts.used_ms is None:
        return Outcome.ROTATE if now_ms < facts.expires_ms else Outcome.OVER
    grace_ms = GRACE_USED_MS if facts.successor_used else GRACE_UNUSED_MS
    if facts.heir_used or not facts.same_device or abs(now_ms - facts.used_ms) > grace_ms:
        return Outcome.STOLEN
    return Outcome.REPEAT if facts.replays < MAX_REPLAYS else Outcome.CONFLICT


def text_of(token_id: str, secret: bytes) -> str:
    """The token as the client gets it."""
    return f"{PREFIX}.{token_id}.{base64.urlsafe_b64encode(secret).rstrip(b'=').decode()}"


def parse(text: str) -> Shown | None:
    """A token from its text; None if it has not the form of one."""
    parts = text.split(".")
    if len(parts) != 3 or parts[0] != PREFIX or len(parts[1]) != 32 or not parts[2].isascii():
        return None
    try:
        secret = base64.urlsafe_b64decode(parts[2] + "=" * (-len(parts[2]) % 4))
    except (binascii.Error, ValueError):
        return None
    if len(secret) != SECRET_BYTES or text_of(parts[1], secret) != text:
        return None
    return Shown(parts[1], secret)
