"""Group commit: what gathered while the last transaction committed is the next one; answers leave only after it.

The committer is one task. It drops commands that have expired (their gateway has already said `busy`, and the client repeats them), hands the rest
to the database's thread as one batch, and hands what came of it to the publisher, in commit order.
"""

import time
from collections.abc import Callable

import structlog

from .batch import BatchRunner, Committed, Stamped
from .database import Database
from .indexer import Indexer
from .intake import Intake
from .metrics import Metrics
from .publisher import Publisher
from .searcher import Searcher

log = structlog.get_logger()


class Committer:
    """`run` is its one task; it ends when the intake is closed and empty."""

    def __init__(
        self,
        *,
        intake: Intake,
        database: Database,
        runner: BatchRunner,
        publisher: Publisher,
        searcher: Searcher,
        indexer: Indexer,
        metrics: Metrics,
        clock_ms: Callable[[], int],
        batch_commands: int,
    ) -> None:
        """Args: batch_commands: the most in one transaction."""
        self._intake = intake
        self._database = database
        self._runner = runner
        self._publisher = publisher
        self._searcher = searcher
        self._indexer = indexer
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._batch_commands = batch_commands

    async def run(self) -> None:
        """Commits until the intake ends.

        Raises:
            FenceLost: another copy has taken the database over.
        """
        while (work := await self._intake.take(self._batch_commands)) is not None:
            batch = self._unexpired(work.commands)
            if not batch and not work.refused:
                continue
            committed = await self._commit(batch)  # a refusal says "surely not stored", which only the owner knows
            committed.replies += work.refused
            self._pass_on(committed, len(batch))
            if not committed.is_said:
                await self._publisher.put(committed)

    async def _commit(self, batch: list[Stamped]) -> Committed:
        marks = self._publisher.take_marks()
        started_s = time.perf_counter()
        committed = await self._database.run(lambda db: self._runner.run(db, batch, marks))
        if not committed.is_marked:
            self._publisher.give_back(marks)
        metrics = self._metrics
        metrics.commit_seconds.observe(time.perf_counter() - started_s)
        metrics.batch_commands.observe(len(batch))
        if committed.is_split:
            metrics.batches_failed.inc()
        for (op, outcome), count in committed.tally.items():
            metrics.commands.labels(op, outcome).inc(count)
        for limit, count in committed.would_refuse.items():
            metrics.would_refuse.labels(limit).inc(count)
        return committed

    def _pass_on(self, committed: Committed, commands: int) -> None:
        """Hands over what goes on beside the commits: searches, and rooms whose new events are to be found."""
        for asked in committed.searches:
            refused = self._searcher.put(asked)
            if refused is not None:
                committed.replies.append((asked.gateway, refused))
        if committed.room_events:
            self._indexer.moved((room for room, _ in committed.room_events), commands)

    def _unexpired(self, commands: list[Stamped]) -> list[Stamped]:
        now_ms = self._clock_ms()
        alive = [stamped for stamped in commands if stamped[1].expires_ms > now_ms]
        if len(alive) < len(commands):
            self._metrics.dropped.labels("expired").inc(len(commands) - len(alive))
        return alive
