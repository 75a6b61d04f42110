"""What the detector learns of a text without reading it: a near-duplicate tag, an exact tag, a number of links.

The near tag is a 64-bit simhash (Charikar 2002): every three characters in a row are a feature, each feature votes with the 64 bits of its hash,
and a bit of the tag is the majority's. Texts that differ in few places differ in few bits. The hash is keyed, so nobody without the key can
look for a text that meets a given tag.

The 64 counts are the 16-bit lanes of one integer: a vote is one addition of 128 bytes instead of 64 of a bit each. `MAX_CHARACTERS` keeps a lane
from running over and a long text from costing more than a short one.
"""

import hashlib
import re
import struct
from functools import lru_cache

MIN_CHARACTERS = 20
"""Shorter texts are alike by chance ("good morning")."""

MAX_CHARACTERS = 512
_LANE_BITS = 16
_COUNTS = struct.Struct("<64H")
_SPREAD = tuple(sum(1 << (_LANE_BITS * bit) for bit in range(8) if byte >> bit & 1) for byte in range(256))
_LINK = re.compile(r"\b(?:https?://|www\.)\S", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")


class TextTags:
    """Tags under one deployment's key."""

    def __init__(self, key: bytes) -> None:
        """Args: key: the secret `simhash_key`."""
        self._near_key = hashlib.blake2b(key, digest_size=32, person=b"garita-near").digest()
        self._exact_key = hashlib.blake2b(key, digest_size=32, person=b"garita-exact").digest()
        self._votes = lru_cache(maxsize=16_384)(self._votes_of)

    def near(self, text: str) -> str:
        """16 hex digits, or nothing for a text of fewer than 20 characters. Case and runs of blanks make no difference."""
        if len(text) < MIN_CHARACTERS:
            return ""
        plain = _BLANKS.sub(" ", text[:MAX_CHARACTERS].casefold())[:MAX_CHARACTERS]
        features = max(len(plain) - 2, 1)
        votes = self._votes
        total = sum(votes(plain[start : start + 3]) for start in range(features))
        half = features // 2
        counts = _COUNTS.unpack(total.to_bytes(_COUNTS.size, "little"))
        return f"{sum(1 << bit for bit, count in enumerate(counts) if count > half):016x}"

    def exact(self, text: str) -> str:
        """16 hex digits that only the same text has; nothing for an empty one."""
        if not text:
            return ""
        return hashlib.blake2b(text.encode(), digest_size=8, key=self._exact_key).hexdigest()

    def _votes_of(self, feature: str) -> int:
        hashed = hashlib.blake2b(feature.encode(), digest_size=8, key=self._near_key).digest()
        return sum(_SPREAD[byte] << (8 * _LANE_BITS * place) for place, byte in enumerate(hashed))


def distance(one: str, other: str) -> int:
    """In how many of the 64 bits two near tags differ."""
    return (int(one, 16) ^ int(other, 16)).bit_count()


def count_links(text: str) -> int:
    """How many links a text has."""
    return len(_LINK.findall(text))
