"""Saved recovery codes: ten for paper, each good once.

A code is 20 characters of base32, shown in fours: `K7QM-2XNA-…`. The first four are its selector, which finds it; the other sixteen, 80 bits, are secret and stored
hashed like a password, for a database that was stolen is to give none away. The selector saves hashing against all ten.
"""

import base64
from dataclasses import dataclass

COUNT = 10
SELECTOR_CHARS = 4
CHARS = 20
RANDOM_BYTES = 13
"""104 bits, of which the first 100 become characters."""
MAX_TYPED_CHARS = 64
_MISREAD = str.maketrans("018", "OIB")
"""Base32 has none of these digits: whoever types one has misread its letter."""


@dataclass(frozen=True, slots=True)
class SavedCode:
    """A code in its two parts."""

    selector: str
    secret: str

    @property
    def text(self) -> str:
        """As it is shown."""
        whole = self.selector + self.secret
        return "-".join(whole[start : start + 4] for start in range(0, CHARS, 4))


def code_from(random: bytes) -> SavedCode:
    """A code from `RANDOM_BYTES` random bytes."""
    text = base64.b32encode(random).decode()[:CHARS]
    return SavedCode(text[:SELECTOR_CHARS], text[SELECTOR_CHARS:])


def parse(typed: str) -> SavedCode | None:
    """What somebody typed, in any case, with or without blanks and dashes; None where it can be no code."""
    text = "".join(char for char in typed if not char.isspace() and char not in "-\u2010\u2011\u2012\u2013\u2014")
    text = text.upper().translate(_MISREAD)
    if len(text) != CHARS or not set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"):
        return None
    return SavedCode(text[:SELECTOR_CHARS], text[SELECTOR_CHARS:])
