"""A pipe does what redis-py's pipeline does: all commands, answers in order, failures told, nothing repeated."""

from __future__ import annotations

import asyncio

import pytest
from redis.exceptions import RedisError, ResponseError

from garita_common import bus
from garita_common.pipe import Pipe


async def test_answers_come_in_order(redis_url: str) -> None:
    """Every command has its answer, whatever bytes it carries; the connection is used again."""
    client = bus.connect(redis_url)
    pipe = Pipe(client)
    data = bytes(range(256)) * 1000

    first = await pipe.run([("SET", "k", data), ("GET", "k"), ("PUBLISH", "nobody", b"x")])
    second = await pipe.run([("INCRBY", "n", 2), ("INCRBY", "n", 3)])

    assert first == [b"OK", data, 0]
    assert second == [2, 5]
    await client.aclose()


async def test_a_refused_command_is_told(redis_url: str) -> None:
    """What Redis refuses raises, and the next round is not answered with what was left of this one."""
    client = bus.connect(redis_url)
    pipe = Pipe(client)

    with pytest.raises(ResponseError):
        await pipe.run([("SET", "k", b"text"), ("INCRBY", "k", 1), ("GET", "k")])

    assert await pipe.run([("GET", "k")]) == [b"text"]
    await client.aclose()


async def test_a_lost_link_is_made_anew(redis_url: str) -> None:
    """A connection that the server has ended meanwhile is replaced before the next round."""
    client, other = bus.connect(redis_url), Pipe(bus.connect(redis_url))
    pipe = Pipe(client)
    (number,) = await pipe.run([("CLIENT", "ID")])

    await other.run([("CLIENT", "KILL", "ID", number)])
    for _ in range(200):
        (clients,) = await other.run([("CLIENT", "LIST")])
        if f"id={number} ".encode() not in clients:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.05)  # our end hears of it in its next turn of the loop

    (fresh,) = await pipe.run([("CLIENT", "ID")])
    assert fresh != number
    await client.aclose()


async def test_no_answer_in_time_is_a_failure(redis_url: str) -> None:
    """After the client's deadline the round has failed; the answer that comes later is not taken for the next one's."""
    client, other = bus.connect(redis_url, timeout_s=0.2), Pipe(bus.connect(redis_url))
    pipe = Pipe(client)
    await pipe.run([("PING",)])

    await other.run([("CLIENT", "PAUSE", 600, "ALL")])
    with pytest.raises((RedisError, OSError)):
        await pipe.run([("SET", "k", b"late")])
    await asyncio.sleep(0.7)

    assert await pipe.run([("PING",)]) == [b"PONG"]
    await client.aclose()


async def test_cancelled_means_cancelled(redis_url: str) -> None:
    """A cancellation ends the round at once and leaves no answer behind."""
    client = bus.connect(redis_url)
    pipe = Pipe(client)
    await pipe.run([("PING",)])

    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(pipe.run([("BLPOP", "nothing", 5)]))
        await asyncio.sleep(0.05)
        waiting.cancel()

    assert waiting.cancelled()
    assert await pipe.run([("PING",)]) == [b"PONG"]
    await client.aclose()


async def test_a_released_connection_is_the_clients_again(redis_url: str) -> None:
    """Whoever comes and goes leaves no connection taken: more pipes than the client may have connections, one after another."""
    client = bus.connect(redis_url, max_connections=1)

    for _ in range(3):
        pipe = Pipe(client)
        assert await pipe.run([("PING",)]) == [b"PONG"]
        await pipe.release()

    await client.aclose()
