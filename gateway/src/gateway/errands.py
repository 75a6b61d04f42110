"""Short tasks that a callback starts: attaching, files, repairs. All live in one group, which `run` owns, and there is a limit to them.

An errand for a connection that fails unexpectedly closes that connection with 4402; one of the gateway's own is logged. Neither touches the others.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any

import structlog

from garita_common.core.errors import Busy
from garita_common.logs import Sparingly

from .chat_link import Gone
from .clock import Clock
from .connection import Connection, Desk
from .metrics import Metrics

log = structlog.get_logger()


class Errands:
    """The group of short tasks."""

    def __init__(self, clock: Clock, metrics: Metrics, max_running: int) -> None:
        """Args: max_running: how many may run at a time; `running` is how many do."""
        self._sparingly = Sparingly(clock.monotonic)
        self._metrics = metrics
        self._max_running = max_running
        self._tasks: asyncio.TaskGroup | None = None
        self.running = 0
        self.desk: Desk

    async def run(self) -> None:
        """Owns the tasks until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def start(self, name: str, work: Coroutine[Any, Any, None], connection: Connection | None = None) -> None:
        """Starts one; while it runs it counts as one of its connection's requests.

        Raises:
            Busy: too many run already, or the process is ending.
        """
        if self._tasks is None or self.running >= self._max_running:
            work.close()
            self._metrics.refused.labels("errands").inc()
            raise Busy
        self.running += 1
        if connection is not None:
            connection.in_flight += 1
        self._tasks.create_task(self._guarded(name, work, connection), name=name)

    async def _guarded(self, name: str, work: Coroutine[Any, Any, None], connection: Connection | None) -> None:
        try:
            await work
        except Gone:
            pass
        except Exception as exc:
            if connection is not None:
                self.desk.failed(connection, name, exc)
            else:
                self._metrics.faults.labels(name).inc()
                if self._sparingly.due(name, type(exc).__name__):
                    log.exception("errand_failed", errand=name)
        finally:
            self.running -= 1
            if connection is not None:
                connection.in_flight -= 1
