"""One flush per turn."""

from __future__ import annotations

import asyncio

from gateway.outlet import Outlet


class Written:
    """Counts its flushes."""

    def __init__(self) -> None:
        self.flushes = 0

    def flush(self) -> None:
        self.flushes += 1


async def test_everybody_is_flushed_once_at_the_end_of_the_turn() -> None:
    """Not before it, and in the next turn again."""
    outlet, one, two = Outlet(), Written(), Written()

    outlet.add(one)
    outlet.add(two)
    assert (one.flushes, two.flushes) == (0, 0)
    await asyncio.sleep(0)
    assert (one.flushes, two.flushes) == (1, 1)

    outlet.add(one)
    await asyncio.sleep(0)
    assert (one.flushes, two.flushes) == (2, 1)
