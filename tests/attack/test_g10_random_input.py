"""G-10: random bytes, random JSON, and right frames with one byte changed."""

import json
import random

import pytest

from tests.attack import raw
from tests.attack.conftest import Target

ROUNDS = 60
WORDS = [
    "op",
    "id",
    "connect",
    "send",
    "room",
    "cmid",
    "text",
    "\u0000",
    "\ud800",
    "{",
    "[",
    "__class__",
    "r" + "0" * 32,
    "../..",
    "' OR 1=1 --",
    "𝕏",
    "-1",
    1e308,
    -1,
    2**64,
    None,
    True,
]


def value(chance: random.Random, depth: int = 0) -> object:
    """Any JSON value."""
    pick = chance.random()
    if depth < 4 and pick < 0.3:
        return {str(chance.choice(WORDS)): value(chance, depth + 1) for _ in range(chance.randrange(5))}
    if depth < 4 and pick < 0.45:
        return [value(chance, depth + 1) for _ in range(chance.randrange(5))]
    return chance.choice(WORDS)


def operation(chance: random.Random) -> bytes:
    """A frame with a real operation's name and any other fields."""
    frame = {
        "op": chance.choice(
            ["connect", "send", "join", "history", "upload", "download", "chunk_ack", "pong", "renew", "nope"]
        ),
        "id": chance.choice([1, -1, "x", 2**40]),
    }
    frame |= {str(chance.choice(WORDS)): value(chance) for _ in range(chance.randrange(4))}
    return json.dumps(frame).encode()


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("websocket", [False, True])
async def test_nothing_random_ends_a_process_or_writes_a_traceback(
    target: Target, no_traceback: None, seed: int, websocket: bool
) -> None:
    """Before and after `connect`, whole and broken, a new connection whenever the server had enough."""
    chance = random.Random(f"{seed}{websocket}")
    person = await target.person()
    for number in range(ROUNDS):
        try:
            if number % 20 == 0:
                async with target.connected(person, websocket=websocket) as connection:
                    for _ in range(30):
                        await connection.send_text(operation(chance))
                        await connection.receive()
                person = await target.person() if number else person
            else:
                source = raw.fresh_address()
                opened = raw.websocket(target.http(), source) if websocket else raw.tcp(target.tcp(), source)
                async with opened as connection:
                    await connection.send_raw(chance.randbytes(chance.randrange(1, 400)))
                    await connection.send_text(json.dumps(value(chance)).encode())
                    await connection.send_text(operation(chance))
                    await connection.end()
        except (raw.Closed, OSError, AssertionError):
            continue
    async with target.connected(await target.person(), websocket=websocket) as connection:
        assert (await connection.request("rooms"))["op"] == "ok"
