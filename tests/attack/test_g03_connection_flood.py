"""G-03: very many connections from one address."""

import asyncio

from tests.attack import raw
from tests.attack.conftest import Target

PER_ADDRESS = 16


async def stays_open(address: tuple[str, int], source: str) -> raw.RawTcp | None:
    """A connection that the server keeps, or None."""
    try:
        reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
    except OSError:
        return None
    try:
        async with asyncio.timeout(0.7):
            await reader.read(1)
    except TimeoutError:
        return raw.RawTcp(reader, writer)
    except OSError:
        pass
    writer.close()
    return None


async def test_at_the_limit_all_stay_and_one_past_it_does_not(target: Target, no_traceback: None) -> None:
    """16 connections of an address are kept, the 17th is closed, and another address is welcome."""
    source = raw.fresh_address()
    async with asyncio.TaskGroup() as tasks:
        opened = [tasks.create_task(stays_open(target.tcp(), source)) for _ in range(PER_ADDRESS)]
    kept = [task.result() for task in opened]
    try:
        assert all(kept)
        assert await stays_open(target.tcp(), source) is None
        stranger = await stays_open(target.tcp(), raw.fresh_address())
        assert stranger is not None
        stranger.close()
    finally:
        for connection in kept:
            if connection is not None:
                connection.close()


async def test_attempts_are_limited_too(target: Target, no_traceback: None) -> None:
    """Opening and closing again and again: after 32 attempts within 10 minutes the address waits."""
    source = raw.fresh_address()
    opened = 0
    for _ in range(40):
        connection = await open_once(target.tcp(), source)
        opened += connection

    assert opened <= 33


async def open_once(address: tuple[str, int], source: str) -> bool:
    """Whether the server keeps a connection long enough to answer on it."""
    try:
        async with raw.tcp(address, source) as connection:
            answer = await connection.request("rooms")
            return answer["code"] == "unauthenticated"
    except (raw.Closed, OSError):
        return False
