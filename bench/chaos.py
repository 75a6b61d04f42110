"""Hurting the stack while people talk: each process in turn is killed, then stopped for a while; how long until all is well again.

Well again means: the process is ready, a message sent after the blow has been acknowledged, and every client has a connection.
"""

import asyncio
import os
import signal
import time
from dataclasses import dataclass

import aiohttp

from bench.players import Course, Player
from bench.stacks import RunningStack, is_ready

CALM_S = 4.0
PROBE_EVERY_S = 1.0
GIVE_UP_S = 120.0
ORDER = ("redis", "chat", "gateway", "auth", "detector")


@dataclass(frozen=True)
class Blow:
    """One blow and the recovery from it, in seconds after it (after SIGCONT for a stop); None: not within two minutes."""

    process: str
    kind: str
    ready_s: float | None
    acknowledged_s: float | None
    connected_s: float | None
    lost_connections: int

    @property
    def recovered(self) -> bool:
        """Whether all came back."""
        return None not in (self.ready_s, self.acknowledged_s, self.connected_s)


async def torment(stack: RunningStack, players: list[Player], course: Course, blows: list[Blow], stop_s: float) -> None:
    """Every process, killed and then stopped for `stop_s` seconds; the results are added to `blows` as they come."""
    names = sorted(stack.facts.processes, key=_rank)
    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as tasks:
        over = asyncio.Event()
        tasks.create_task(_probe(players[-1], over))
        for name in names:
            await asyncio.sleep(CALM_S)
            blows.append(await _strike(session, stack, name, 0.0, players, course))
            await asyncio.sleep(CALM_S)
            blows.append(await _strike(session, stack, name, stop_s, players, course))
        over.set()


async def _probe(player: Player, over: asyncio.Event) -> None:
    """A message a second besides the day's own, so that recovery is seen at once in a quiet hour too. They are in the books as all others."""
    number = 0
    while not over.is_set():
        number += 1
        await asyncio.sleep(PROBE_EVERY_S)
        await player.say(f"probe {number}")


def _rank(name: str) -> int:
    return next((number for number, known in enumerate(ORDER) if name.startswith(known)), len(ORDER))


async def _strike(
    session: aiohttp.ClientSession, stack: RunningStack, name: str, stop_s: float, players: list[Player], course: Course
) -> Blow:
    """One blow: a kill, or a stop where `stop_s` is more than 0."""
    kind = f"stop {stop_s:g} s" if stop_s else "kill -9"
    pid = stack.facts.processes[name].pid
    before = sum(player.client.counters.connections for player in players)
    if pid is None:
        return Blow(name, kind, None, None, None, 0)
    if not stop_s:
        os.kill(pid, signal.SIGKILL)
        old_pid: int | None = pid
    else:
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(stop_s)
        finally:
            old_pid = None if _continue(pid) else pid
    began = time.monotonic()
    ready_s = acknowledged_s = connected_s = None
    while time.monotonic() - began < GIVE_UP_S and None in (ready_s, acknowledged_s, connected_s):
        now_s = time.monotonic() - began
        facts = stack.facts.processes[name]
        if ready_s is None and facts.pid != old_pid and await is_ready(session, facts.inner):
            ready_s = now_s
        if acknowledged_s is None and course.last_ack > began:
            acknowledged_s = course.last_ack - began
        if connected_s is None and ready_s is not None and all(player.client.is_connected for player in players):
            connected_s = now_s
        await asyncio.sleep(0.05)
    after = sum(player.client.counters.connections for player in players)
    return Blow(name, kind, ready_s, acknowledged_s, connected_s, after - before)


def _continue(pid: int) -> bool:
    """Lets a stopped process go on; False if somebody has ended it meanwhile."""
    try:
        os.kill(pid, signal.SIGCONT)
    except ProcessLookupError:
        return False
    return True
