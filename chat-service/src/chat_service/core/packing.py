"""How much is said over Redis at once: a publish is bounded in bytes, so that one room's burst does not fill a subscriber's buffer in one piece."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")

PACKET_BYTES = 256 * 1024


def packets(
    items: Iterable[ItemT], size_of: Callable[[ItemT], int], limit_bytes: int = PACKET_BYTES
) -> Iterator[list[ItemT]]:
    """The items in order, in lists of at most `limit_bytes`; an item over the limit has a list to itself."""
    packet: list[ItemT] = []
    filled = 0
    for item in items:
        size = size_of(item)
        if packet and filled + size > limit_bytes:
            yield packet
            packet, filled = [], 0
        packet.append(item)
        filled += size
    if packet:
        yield packet
