"""Pictures and clips with symbols to type: which symbols, for how long, and when a typed answer is theirs.

Machines read them better than people do; they are one more price beside the counters and never the reason to let anybody in (docs/auth-api.md §3).
"""

from enum import Enum

LIFETIME_MS = 5 * 60 * 1000
LENGTH = 6
IMAGE_ALPHABET = "ACDEFHJKLMNPRTUVWXY347"
"""22 characters of which no two look alike, turned and bent: no 0/O/Q, 1/I, 2/Z, 5/S, 6/G, 8/B and 9."""
CLIP_ALPHABET = "0123456789"
"""Digits alone: letters that rhyme cannot be told apart by ear."""


class Kind(Enum):
    """What a challenge is besides a proof of work."""

    IMAGE = "image"
    AUDIO = "audio"


ALPHABETS = {Kind.IMAGE: IMAGE_ALPHABET, Kind.AUDIO: CLIP_ALPHABET}
MEDIA = {Kind.IMAGE: "image/png", Kind.AUDIO: "audio/wav"}


def normal(typed: str) -> str:
    """An answer without its case and blanks."""
    return "".join(typed.split()).upper()
