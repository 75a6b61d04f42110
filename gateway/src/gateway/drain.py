"""How everybody is asked to go when this process is to end: without cutting an answer, and no faster than another gateway can take them.

    needed   the time in which another gateway takes in so many connections (60 s per 10 000)
    window   the time over which they are told here: all of `needed` that there is time for, if another gateway is alive; none, if this is the only one,
             for then nobody can be served until this process is over

The i-th connection is told at i/n of the window to come back at i/n of the needed time, which is what `after_ms` makes up. So with another gateway at hand
people are away for a moment only, each in turn; alone, all are told at once and come back spread out.

Who is to go gets no new requests answered (busy: nothing was done), and goes as soon as the running ones are answered and nothing is left to be read, or after
`answer_s`. The whole ends after `total_s` and a last second for closing.
"""

import asyncio
from collections import deque
from collections.abc import Callable

import structlog

from garita_common.core.errors import CloseCode

from .clock import Clock
from .connection import Connection
from .core.limits import DrainTimes

log = structlog.get_logger()

TICK_S = 0.02
PER_TICK = 200
"""So many are told within one turn of the loop: about 10 ms of work."""


class Drain:
    """One process's drain."""

    def __init__(
        self, connections: dict[int, Connection], clock: Clock, times: DrainTimes, is_alone: Callable[[], bool]
    ) -> None:
        """Args: connections: all that are open, a live view; is_alone: whether no other gateway is alive. `leaving` holds those that are to go."""
        self._connections = connections
        self._clock = clock
        self._times = times
        self._is_alone = is_alone
        self._until_s: dict[Connection, float] = {}
        self._back_s: dict[Connection, float] = {}
        self.leaving: set[Connection] = set()

    async def run(self) -> None:
        """Asks everybody to go, and returns when all sockets are closed or time is up."""
        times, start_s = self._times, self._clock.monotonic()
        waiting = deque(self._connections.values())
        count = len(waiting)
        needed_s = times.spread_s * count / 10_000
        self._back_s = {connection: start_s + place / count * needed_s for place, connection in enumerate(waiting)}
        window_s = 0.0 if self._is_alone() else max(0.0, min(needed_s, times.total_s - times.answer_s))
        log.info("draining", connections=count, window_s=round(window_s, 1))
        while (waiting or self.leaving) and self._clock.monotonic() - start_s < times.total_s:
            now_s = self._clock.monotonic()
            for _ in range(min(PER_TICK, len(waiting))):
                place = (count - len(waiting)) / count
                if place * window_s > now_s - start_s:
                    break
                self._ask_to_go(waiting.popleft(), now_s)
            self._close_idle(now_s)
            await asyncio.sleep(TICK_S)
        for connection in list(self._connections.values()):
            self._close(connection, self._clock.monotonic())
        await self._wait_closed()

    def _ask_to_go(self, connection: Connection, now_s: float) -> None:
        self.leaving.add(connection)
        self._until_s[connection] = now_s + self._times.answer_s

    def _close_idle(self, now_s: float) -> None:
        """Closes those that are to go and have all that they wait for, or have waited long enough."""
        for connection in list(self.leaving):
            if connection.closed or connection.is_idle or now_s >= self._until_s[connection]:
                self._close(connection, now_s)

    def _close(self, connection: Connection, now_s: float) -> None:
        self.leaving.discard(connection)
        after_ms = int(max(0.0, self._back_s.get(connection, now_s) - now_s) * 1000)
        connection.close(CloseCode.DRAIN, "This server restarts. Please come back.", after_ms=after_ms)

    async def _wait_closed(self) -> None:
        until_s = self._clock.monotonic() + self._times.close_s
        while self._connections and self._clock.monotonic() < until_s:
            await asyncio.sleep(TICK_S)
        for connection in list(self._connections.values()):
            connection.abort()
