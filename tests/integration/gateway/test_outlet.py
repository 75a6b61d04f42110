"""One flush per turn."""

from __future__ import annotations

import asyncio

from gateway.outlet import Outlet


class Written:
    """Counts its flushes and keeps what they wrote."""

    def __init__(self, slot: int = 0, *, closed: bool = False) -> None:
        self.slot = slot
        self.closed = closed
        self.pending: list[bytes] = []
        self.flushes = 0
        self.written: list[bytes] = []

    def flush(self) -> None:
        self.flushes += 1
        self.written += self.pending
        self.pending.clear()


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


async def test_a_broadcast_is_one_flush_for_each() -> None:
    """Everybody gets their transport's form, in order, in one flush with what else they are told in this turn; who is closed gets nothing."""
    outlet, tcp, websocket, gone = Outlet(), Written(0), Written(1), Written(0, closed=True)

    outlet.broadcast([tcp, websocket, gone], (b"t1", b"w1"))
    outlet.broadcast([tcp, websocket, gone], (b"t2", b"w2"))
    assert (tcp.flushes, websocket.flushes) == (0, 0)
    await asyncio.sleep(0)

    assert (tcp.written, websocket.written, gone.written) == ([b"t1", b"t2"], [b"w1", b"w2"], [])
    assert (tcp.flushes, websocket.flushes, gone.flushes) == (1, 1, 0)


async def test_a_broadcast_to_nobody_is_nothing() -> None:
    """The next one is flushed all the same."""
    outlet, one = Outlet(), Written()

    outlet.broadcast([], (b"t", b"w"))
    outlet.broadcast([one], (b"t", b"w"))
    await asyncio.sleep(0)

    assert one.written == [b"t"]
