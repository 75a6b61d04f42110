"""Which passwords are accepted, and the one form in which they are hashed.

A password is taken as NFC, for the same characters typed on two keyboards can be different code points. The length is checked before that: a text
of a million characters is never normalised. There are no rules about digits and signs; what counts is how many guesses it takes (zxcvbn).
"""

import unicodedata
from collections.abc import Sequence
from enum import Enum

from zxcvbn_rs_py import zxcvbn

MIN_CHARS = 12
MAX_CHARS = 256
MIN_SCORE = 3
"""zxcvbn's 3 is "safely unguessable": over 10^8 guesses, out of reach for the limits of a login."""
ESTIMATED_CHARS = 100
"""zxcvbn's work grows faster than the length; what is strong in its first 100 characters stays strong."""
MIN_PERSONAL_CHARS = 4


class Weakness(Enum):
    """Why a password is refused."""

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    GUESSABLE = "guessable"
    PERSONAL = "personal"


def normal(password: str) -> str:
    """The form that is hashed. Only for a text of at most `MAX_CHARS`."""
    return unicodedata.normalize("NFC", password)


def is_possible(password: str) -> bool:
    """Whether any account can have this password; a login with another need not be hashed in that form."""
    return len(password) <= MAX_CHARS and not _has_surrogates(password)


def weaknesses(password: str, personal: Sequence[str]) -> list[Weakness]:
    """Why this password may not be chosen; empty if it may. Args: personal: words that others know about the person."""
    if len(password) > MAX_CHARS:
        return [Weakness.TOO_LONG]
    if _has_surrogates(password):
        return [Weakness.GUESSABLE]
    password = normal(password)
    if len(password) < MIN_CHARS:
        return [Weakness.TOO_SHORT]
    words = [word.casefold() for word in personal if len(word) >= MIN_PERSONAL_CHARS]
    without = password.casefold()
    for word in words:
        without = without.replace(word, "")
    if len(without) < MIN_CHARS // 2:
        return [Weakness.PERSONAL]
    score = int(zxcvbn(password[:ESTIMATED_CHARS], [*words, "garita"]).score)
    return [] if score >= MIN_SCORE else [Weakness.GUESSABLE]


def words_of(contact: str) -> list[str]:
    """What others know of an address or a number, for judging a password."""
    local, at, domain = contact.partition("@")
    return [local, domain, domain.split(".")[0]] if at else [contact.lstrip("+")]


def _has_surrogates(password: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in password)
