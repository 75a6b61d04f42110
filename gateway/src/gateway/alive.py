"""Which gateways are alive: each beats in one sorted set, and each watches the others.

A gateway counts as dead when its beat has not changed for `gone_s` as this process saw it with its own clock: clocks of two hosts need not agree, and while
Redis itself is away nobody dies. Of those who notice a death exactly one is told to clear up after it (the one whose ZREM took the entry out). An id is
random per process start, so a gateway that was taken for dead and goes on (it was stopped, or Redis was emptied) finds its own entry missing, and
whatever it keeps in Redis for others is written anew.
"""

import asyncio
from collections.abc import Callable

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import channels

from .clock import Clock

log = structlog.get_logger()


class Alive:
    """This gateway's heartbeat, and those of the others; `run` is its one task."""

    def __init__(self, client: "redis.Redis", gateway_id: str, clock: Clock, *, every_s: float, gone_s: float) -> None:
        """Args: every_s: between two beats; gone_s: without a new beat a gateway is dead. `ids` are the living as of the last beat, this one always among them."""
        self._client = client
        self._id = gateway_id
        self._clock = clock
        self._every_s = every_s
        self._gone_s = gone_s
        self._seen: dict[str, tuple[float, float]] = {}
        self._beaten_s = float("-inf")
        self.ids: frozenset[str] = frozenset({gateway_id})
        self.on_beat: list[Callable[[bool], None]] = []
        """Called after each beat; true: this gateway's entry was not there, so nobody kept what it had written (also at the first)."""
        self.on_dead: list[Callable[[str], None]] = []
        """Called with the id of a dead gateway, in exactly one of the living."""

    async def run(self) -> None:
        """Beats until cancelled."""
        while True:
            try:
                await self.beat()
            except (RedisError, OSError, TimeoutError) as exc:
                log.warning("beat_failed", error=type(exc).__name__)
            await asyncio.sleep(self._every_s)

    async def beat(self) -> None:
        """One beat, and a look at the others'.

        Raises:
            RedisError, OSError, TimeoutError: Redis is away.
        """
        async with self._client.pipeline(transaction=False) as pipe:
            pipe.zadd(channels.GATEWAYS_ALIVE, {self._id: self._clock.unix_ms()})
            pipe.zrange(channels.GATEWAYS_ALIVE, 0, -1, withscores=True)
            added, rows = await pipe.execute()
        now_s = self._clock.monotonic()
        if now_s - self._beaten_s > self._gone_s / 2:
            self._seen.clear()  # Redis was away, or this process or host stood still: the others may have had no chance to beat either
        self._beaten_s = now_s
        dead = self._look({name.decode(): score for name, score in rows}, now_s)
        for name in dead:
            if await self._client.zrem(channels.GATEWAYS_ALIVE, name):
                log.info("gateway_gone", gateway=name)
                for told in self.on_dead:
                    told(name)
        for beaten in self.on_beat:
            beaten(bool(added))

    def _look(self, beats: dict[str, float], now_s: float) -> list[str]:
        """Takes the others' beats; returns the dead. An entry that is missing (Redis was emptied) is no death yet, only no new beat."""
        seen = self._seen
        for name, score in beats.items():
            if name not in seen or seen[name][0] != score:
                seen[name] = (score, now_s)
        dead = [name for name, (_, since_s) in seen.items() if name != self._id and now_s - since_s >= self._gone_s]
        for name in dead:
            del seen[name]
        self.ids = frozenset(seen) | {self._id}
        return dead
