"""Where the chat service's parts meet, and the order in which they start and stop.

Start: database and fence first (what was stored and not surely said is found there), then the tasks, then the bus. Stop: the bus first, then what
was read is committed, then what was committed is said; the database closes last.
"""

import asyncio
import os
import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog
from prometheus_client import CollectorRegistry

from garita_common import bus, inner, runtime
from garita_common.core import channels
from garita_common.emitter import Emitter

from . import store_outbox
from .activity_records import ActivityRecords
from .batch import BatchRunner
from .blobs import Blobs, open_blobs
from .committer import Committer
from .config import ChatConfig
from .core.texttags import TextTags
from .database import Database, open_database
from .intake import Intake
from .metrics import Metrics
from .publisher import Publisher
from .turn import Entropy
from .upkeep import Life, Sweep

log = structlog.get_logger()

DRAIN_S = 2.5
UNDER_WAY_S = 0.2
"""After UNSUBSCRIBE a batch may still be in the socket's buffer; so long it is read."""
CHANNELS = tuple(channels.shard_in(shard) for shard in range(channels.SHARDS))


class _Stopped(Exception):
    """Ends the task group once everything is said."""


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


@dataclass(frozen=True, slots=True)
class App:
    """The service's parts, ready to run."""

    database: Database
    listener: bus.Listener
    intake: Intake
    committer: Committer
    publisher: Publisher
    emitter: Emitter
    life: Life
    sweep: Sweep
    registry: CollectorRegistry

    async def run(self, stop: asyncio.Event, host: str, port: int) -> None:
        """Serves until `stop`, then drains.

        Raises:
            FenceLost: another copy has taken the database over (inside an exception group).
        """
        checks = {"redis": self._is_linked, "database": self.life.is_writable}
        try:
            async with runtime.listening(inner.application(self.registry, checks), host, port):
                await self._serve(stop)
        except* _Stopped:
            log.info("stopped")

    async def _serve(self, stop: asyncio.Event) -> None:
        await self._want_shards()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.listener.run(), name="bus")
            tasks.create_task(self.emitter.run(), name="activity")
            tasks.create_task(self.life.run(), name="life")
            tasks.create_task(self.sweep.run(), name="sweep")
            committing = tasks.create_task(self.committer.run(), name="commit")
            saying = tasks.create_task(self.publisher.run(), name="publish")
            await stop.wait()
            try:
                async with asyncio.timeout(DRAIN_S):
                    await self._drain(committing, saying)
            except TimeoutError:
                log.warning("drain_cut_short")
            raise _Stopped

    async def _want_shards(self) -> None:
        try:
            await self.listener.subscribe(CHANNELS)
        except bus.Unlinked:
            return  # wanted now, subscribed with the first link

    async def _drain(self, committing: asyncio.Task[None], saying: asyncio.Task[None]) -> None:
        await self.listener.unsubscribe(CHANNELS)
        await asyncio.sleep(UNDER_WAY_S)
        self.intake.close()
        await committing
        self.publisher.close()
        await saying
        await self.life.show()

    async def _is_linked(self) -> bool:
        return self.listener.linked


async def build(
    config: ChatConfig,
    *,
    clock: Callable[[], int] = clock_ms,
    entropy: Entropy = os.urandom,
    blobs: Blobs | None = None,
) -> App:
    """Opens the database and puts the parts together; the caller runs the app and closes its database.

    Raises:
        ConfigError: a secret, the database or the blob store cannot be used.
    """
    tags = TextTags(config.secret("simhash_key").bytes())
    blobs = blobs or open_blobs(config.blob_url)
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    database = await open_database(config.database, clock())
    metrics.fence.set(database.fence)
    behind = await database.transact(store_outbox.logs_behind)
    client = bus.connect(config.redis_url)
    emitter = Emitter(bus.connect(config.redis_url), registry, "chat")
    publisher = Publisher(client, database, emitter, ActivityRecords(tags), metrics, behind)
    intake = Intake(metrics, config.waiting_commands)
    rules = config.rules
    log.info("database_opened", fence=database.fence, logs_behind=len(behind))
    return App(
        database=database,
        listener=bus.Listener(config.redis_url, intake.on_message, publisher.on_linked),
        intake=intake,
        committer=Committer(
            intake=intake,
            database=database,
            runner=BatchRunner(database.fence, rules, clock, entropy),
            publisher=publisher,
            metrics=metrics,
            clock_ms=clock,
            batch_commands=config.batch_commands,
        ),
        publisher=publisher,
        emitter=emitter,
        life=Life(database, publisher, clock),
        sweep=Sweep(database, blobs, metrics, clock, keep_s=config.upload_keep_s, every_s=config.sweep_every_s),
        registry=registry,
    )


async def run(config: ChatConfig, stop: asyncio.Event) -> None:
    """The whole service, from settings to the end.

    Raises:
        FenceLost: another copy has taken the database over (inside an exception group).
    """
    app = await build(config)
    try:
        await app.run(stop, config.inner_host, config.inner_port)
    finally:
        await app.database.close()
