"""Commands on their way in: decoded without awaiting, held in order, handed out by the batch.

What the committer takes next is whatever came while it was committing: that is the whole of group commit. The queue is bounded; above the bound
a command is refused as `busy` (it is surely not stored), and above a second bound it is dropped, so that its gateway's deadline answers.
"""

import asyncio
from collections import deque
from dataclasses import dataclass

import msgspec
import structlog

from garita_common.core import records
from garita_common.core.errors import Busy
from garita_common.core.records import Command, Reply

from . import commands
from .metrics import Metrics

log = structlog.get_logger()

MAX_REFUSED = 20_000


@dataclass(frozen=True, slots=True)
class Work:
    """What the committer takes at once: commands with their gateways, and refusals to send along."""

    commands: list[tuple[str, Command]]
    refused: list[tuple[str, Reply]]


class Intake:
    """`on_message` is the bus's callback; `take` is the committer's."""

    def __init__(self, metrics: Metrics, max_waiting: int) -> None:
        """Args: max_waiting: commands."""
        self._metrics = metrics
        self._max_waiting = max_waiting
        self._waiting: deque[tuple[str, Command]] = deque()
        self._refused: list[tuple[str, Reply]] = []
        self._wake = asyncio.Event()
        self._is_closed = False

    def on_message(self, _: str, data: bytes) -> None:
        """Takes one published batch in."""
        try:
            batch = records.decode_batch(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            self._metrics.dropped.labels("undecodable").inc()
            return
        space = self._max_waiting - len(self._waiting)
        self._waiting.extend((batch.gateway, command) for command in batch.commands[:space])
        for command in batch.commands[max(space, 0) :]:
            self._refuse(batch.gateway, command)
        self._wake.set()

    def close(self) -> None:
        """No more will come: `take` gives what is left, then nothing."""
        self._is_closed = True
        self._wake.set()

    async def take(self, limit: int) -> Work | None:
        """Waits for work; gives at most `limit` commands, or None when closed and empty."""
        while not self._waiting and not self._refused:
            if self._is_closed:
                return None
            self._wake.clear()
            await self._wake.wait()
        waiting = self._waiting
        taken = [waiting.popleft() for _ in range(min(limit, len(waiting)))]
        refused, self._refused = self._refused, []
        self._metrics.waiting.set(len(waiting))
        return Work(taken, refused)

    def _refuse(self, gateway: str, command: Command) -> None:
        if len(self._refused) >= MAX_REFUSED:
            self._metrics.dropped.labels("overflow").inc()
            return
        self._metrics.dropped.labels("busy").inc()
        self._refused.append((gateway, commands.refusal(command, Busy())))
