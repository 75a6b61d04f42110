"""The blows: what may happen to a stack, one function each. A blow ends when what it did is over; recovery is not waited for."""

import asyncio
import contextlib
import os
import random
import signal
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import aiohttp

from bench import network
from bench.stacks import RunningStack, is_ready
from bench.wire import HOST, RedisServer, Wire
from garita_common.core import channels

ROLL_TIMEOUT_S = 60.0
SHARDS = " ".join(channels.shard_in(shard) for shard in range(channels.SHARDS))


@dataclass
class Victims:
    """What may be hit, and by which chance."""

    stack: RunningStack
    redis: RedisServer
    wire: Wire
    chance: random.Random
    can_cut: bool
    longest_s: float

    def pid(self, name: str) -> int | None:
        """The process of that name now."""
        return self.redis.pid if name == "redis" else self.stack.facts.processes[name].pid

    @property
    def services(self) -> list[str]:
        """Every process but Redis, gateways first."""
        return [name for name in self.stack.facts.processes if name != "redis"]

    def some_s(self, most_s: float) -> float:
        """How long something lasts, in seconds."""
        return self.chance.uniform(0.3, min(most_s, self.longest_s))


Blow = Callable[[Victims, str], Awaitable[None]]


async def kill(victims: Victims, name: str) -> None:
    """kill -9."""
    _send(victims.pid(name), signal.SIGKILL)


async def stop(victims: Victims, name: str) -> None:
    """Stopped for a while, longer than a standby waits now and then, then let go on."""
    pid = victims.pid(name)
    _send(pid, signal.SIGSTOP)
    try:
        await asyncio.sleep(victims.some_s(20))
    finally:
        _send(pid, signal.SIGCONT)


async def end(victims: Victims, name: str) -> None:
    """Told to end, as a restart does."""
    _send(victims.pid(name), signal.SIGTERM)


async def empty(victims: Victims, _: str) -> None:
    """Redis forgets everything."""
    with contextlib.suppress(OSError, TimeoutError):
        await victims.redis.ask("FLUSHALL")


async def slow(victims: Victims, _: str) -> None:
    """Every way to Redis and back takes longer."""
    victims.wire.delay_s = victims.chance.uniform(0.02, 0.4)
    await asyncio.sleep(victims.some_s(12))
    victims.wire.mend()


async def sever(victims: Victims, _: str) -> None:
    """Nobody reaches Redis, and everybody is told."""
    victims.wire.cut()
    await asyncio.sleep(victims.some_s(8))
    victims.wire.mend()


async def hold(victims: Victims, _: str) -> None:
    """Some links to Redis, or all, carry nothing for a while, and nobody is told."""
    victims.wire.hold(victims.chance.choice((0.2, 0.5, 1.0)), victims.chance)
    await asyncio.sleep(victims.some_s(15))
    victims.wire.mend()


async def deafen(victims: Victims, _: str) -> None:
    """Redis ends every subscriber's link: what is published meanwhile is heard by nobody."""
    for _again in range(3):
        with contextlib.suppress(OSError, TimeoutError):
            await victims.redis.ask("CLIENT", "KILL", "TYPE", "pubsub")
        await asyncio.sleep(0.2)


async def pretend(victims: Victims, _: str) -> None:
    """A subscriber of all commands that is counted and never reads: a PUBLISH that nobody serves says that somebody listens."""
    with contextlib.suppress(OSError):
        _reader, writer = await asyncio.open_connection(HOST, victims.redis.port)
        writer.write(f"SUBSCRIBE {SHARDS}\r\n".encode())
        await writer.drain()
        writer.transport.pause_reading()  # type: ignore[attr-defined]  # every socket's transport has it
        try:
            _send(victims.pid("chat"), signal.SIGKILL)
            await asyncio.sleep(victims.some_s(15))
        finally:
            writer.transport.abort()


async def cut(victims: Victims, name: str) -> None:
    """No packet comes to a gateway's clients, or from them."""
    facts = victims.stack.facts.processes[name]
    ports = [int(address.rsplit(":", 1)[1]) for address in (facts.http, facts.tcp) if address]
    network.cut(ports)
    try:
        await asyncio.sleep(victims.some_s(20))
    finally:
        network.mend(ports)


async def roll(victims: Victims, _: str) -> None:
    """Every service is told to end, one after the other, the next when the last is back."""
    async with aiohttp.ClientSession() as session:
        for name in victims.services:
            await roll_one(victims.stack, session, name)


async def roll_one(stack: RunningStack, session: aiohttp.ClientSession, name: str) -> None:
    """One service is told to end, and waited for. One that does not come back is found at the end of the run."""
    old_pid = stack.facts.processes[name].pid
    _send(old_pid, signal.SIGTERM)
    deadline = time.monotonic() + ROLL_TIMEOUT_S
    while time.monotonic() < deadline:
        facts = stack.facts.processes[name]
        if facts.pid not in (None, old_pid) and await is_ready(session, facts.inner):
            return
        await asyncio.sleep(0.1)


def choices(victims: Victims) -> dict[str, tuple[Blow, str]]:
    """Every blow that can be dealt here, by name, with its victim."""
    named: dict[str, tuple[Blow, str]] = {}
    for name in [*victims.services, "redis"]:
        named[f"kill {name}"] = (kill, name)
        named[f"stop {name}"] = (stop, name)
    named["end redis"] = (end, "redis")
    named["end chat"] = (end, "chat")
    for blow in (empty, slow, sever, hold, deafen, pretend, roll):
        named[blow.__name__] = (blow, "")
    if victims.can_cut:
        for name in victims.services:
            if name.startswith("gateway"):
                named[f"cut {name}"] = (cut, name)
    return named


def _send(pid: int | None, number: signal.Signals) -> None:
    """Signals a process that may just have ended."""
    if pid is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
