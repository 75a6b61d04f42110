"""A redis-py connection that is heard by callbacks: what comes, its end, and that redis-py can still write to it and close it."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
import redis.asyncio as redis

from garita_common import bus
from garita_common.answers import Answers


class Ear:
    """What was heard on a connection of its own."""

    def __init__(self, url: str) -> None:
        """Not connected yet."""
        self.link: Any = bus.connect(url).connection_pool.make_connection()  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        self.heard: list[Any] = []
        self.ends: list[Exception] = []

    async def connect(self) -> None:
        """Connects by redis-py, then takes over."""
        await self.link.connect()
        Answers(self.link, self._take, self.ends.append)

    async def until(self, answers: int, ends: int = 0) -> None:
        """Waits until so much was heard."""
        async with asyncio.timeout(15):
            while len(self.heard) < answers or len(self.ends) < ends:
                await asyncio.sleep(0.01)

    def _take(self, answer: Any) -> None:
        if answer == b"bad":
            raise ValueError("bad")
        self.heard.append(answer)


async def test_every_answer_is_heard_in_order(redis_url: str) -> None:
    """Also one that comes in many pieces, and an error as redis-py's own kind of error."""
    ear = Ear(redis_url)
    await ear.connect()
    long = b"x" * 3_000_000

    await ear.link.send_command("SET", "k", long)
    await ear.link.send_command("GET", "k")
    await ear.link.send_command("INCR", "k")
    await ear.until(3)

    assert ear.heard[:2] == [b"OK", long]
    assert isinstance(ear.heard[2], redis.ResponseError)
    await ear.link.disconnect()


async def test_the_end_is_told(redis_url: str) -> None:
    """Redis closes the connection."""
    ear = Ear(redis_url)
    await ear.connect()

    await ear.link.send_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "no")
    await ear.until(0, ends=1)

    assert isinstance(ear.ends[0], redis.ConnectionError)
    await ear.link.disconnect()


async def test_redis_py_can_close_it(redis_url: str) -> None:
    """It waits for the connection's end, which it does not see by itself any more."""
    ear = Ear(redis_url)
    await ear.connect()

    async with asyncio.timeout(3):  # redis-py's own deadline is 5 s
        await ear.link.disconnect()

    await ear.until(0, ends=1)


async def test_a_fault_in_the_hearer_ends_the_connection(redis_url: str) -> None:
    """What raised is told, and nothing after it is heard."""
    ear = Ear(redis_url)
    await ear.connect()

    await ear.link.send_packed_command([b"PING good\r\nPING bad\r\nPING late\r\n"])
    await ear.until(1, ends=2)

    assert ear.heard == [b"good"]
    assert isinstance(ear.ends[0], ValueError)
    await ear.link.disconnect()


async def test_a_closed_connection_is_not_taken_over(redis_url: str) -> None:
    """Nothing would ever be heard on it."""
    ear = Ear(redis_url)
    await ear.link.connect()
    await ear.link.disconnect()

    with pytest.raises(redis.ConnectionError):
        Answers(ear.link, ear.heard.append, ear.ends.append)
