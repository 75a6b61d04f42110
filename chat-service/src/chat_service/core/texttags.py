"""What the detector learns of a text without reading it: a near-duplicate tag, an exact tag, a number of links.

The near tag is a 64-bit simhash (Charikar 2002): every three characters in a row are a feature, each feature votes with the 64 bits of its hash,
and a bit of the tag is the majority's. Texts that differ in few places differ in few bits. The hash is keyed, so nobody without the key can
look for a text that meets a given tag.

The 64 counts are the 16-bit lanes of one integer: a vote is one addition of 128 bytes instead of 64 of a bit each. `MAX_CHARACTERS` keeps a lane
from running over (one half of it is enough, so adding what is missing there makes its top bit the majority's answer) and a long text from costing more
than a short one. Every message pays for its tag, so there is no step of Python per character where features are known.
"""

import hashlib
import re

MIN_CHARACTERS = 20
"""Shorter texts are alike by chance ("good morning")."""

MAX_CHARACTERS = 512
_LANE_BITS = 16
_LANES = 64
_TOP = 1 << (_LANE_BITS - 1)
_EVERY_LANE = sum(1 << (_LANE_BITS * bit) for bit in range(_LANES))
_TOP_BIT_AS_DIGIT = b"0" * 128 + b"1" * 128
MAX_FEATURES = 16_384
"""About 4 MB of votes. People's words have a few thousand; when somebody's noise has filled it, it begins anew."""
_SPREAD = tuple(sum(1 << (_LANE_BITS * bit) for bit in range(8) if byte >> bit & 1) for byte in range(256))
_LINK = re.compile(r"\b(?:https?://|www\.)\S", re.IGNORECASE)


class TextTags:
    """Tags under one deployment's key."""

    def __init__(self, key: bytes) -> None:
        """Args: key: the secret `simhash_key`."""
        self._exact_key = hashlib.blake2b(key, digest_size=32, person=b"garita-exact").digest()
        self._votes = _Votes(hashlib.blake2b(key, digest_size=32, person=b"garita-near").digest())

    def near(self, text: str) -> str:
        """16 hex digits, or nothing for a text of fewer than 20 characters. Case and runs of blanks make no difference."""
        if len(text) < MIN_CHARACTERS:
            return ""
        plain = " ".join(text[:MAX_CHARACTERS].casefold().split())[:MAX_CHARACTERS]
        total = sum(map(self._votes.__getitem__, zip(plain, plain[1:], plain[2:], strict=False)))
        half = max(len(plain) - 2, 0) // 2
        lanes = (total + _EVERY_LANE * (_TOP - 1 - half)).to_bytes(_LANES * _LANE_BITS // 8, "big")
        return f"{int(lanes[::2].translate(_TOP_BIT_AS_DIGIT), 2):016x}"

    def exact(self, text: str) -> str:
        """16 hex digits that only the same text has; nothing for an empty one."""
        if not text:
            return ""
        return hashlib.blake2b(text.encode(), digest_size=8, key=self._exact_key).hexdigest()


class _Votes(dict[tuple[str, str, str], int]):
    """What each feature adds to the counts, worked out when it is first seen."""

    def __init__(self, key: bytes) -> None:
        """Args: key: of the features' hash."""
        self._key = key

    def __missing__(self, feature: tuple[str, str, str]) -> int:
        if len(self) >= MAX_FEATURES:
            self.clear()
        hashed = hashlib.blake2b("".join(feature).encode(), digest_size=8, key=self._key).digest()
        votes = sum(_SPREAD[byte] << (8 * _LANE_BITS * place) for place, byte in enumerate(hashed))
        self[feature] = votes
        return votes


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two near tags differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def count_links(text: str) -> int:
    """How many links a text has."""
    return len(_LINK.findall(text))
