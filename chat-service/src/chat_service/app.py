"""Where the chat service's parts meet, and the order in which they start and stop.

A process is the owner of the database or stands by (`ownership`); it always has a link to Redis, and hears the gateways' commands only as the owner: a PUBLISH
that nobody hears tells its gateway that nothing was stored, which a listening standby would make untrue. Each time it becomes the owner a new
`Term` begins; a copy that was overtaken stands by again. The database closes last.
"""

import asyncio
import time
from collections.abc import Callable

import redis.asyncio as redis
import structlog
from prometheus_client import CollectorRegistry

from garita_common import bus, inner, runtime
from garita_common.emitter import Emitter

from . import store_outbox
from .activity_records import ActivityRecords
from .batch import BatchRunner
from .blobs import Blobs, open_blobs
from .committer import Committer
from .config import ChatConfig
from .core.texttags import TextTags
from .database import Database, FenceLost, open_database
from .entropy import EntropyPool
from .indexer import Indexer
from .intake import Intake
from .metrics import Metrics
from .operator_routes import OperatorRoutes
from .ownership import Ownership
from .publisher import Publisher
from .searcher import Searcher
from .term import Term
from .turn import Entropy
from .upkeep import Life, Sweep

log = structlog.get_logger()


class _Stopped(Exception):
    """Ends the task group once everything is said."""


def clock_ms() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class App:
    """One process of the service."""

    def __init__(
        self, config: ChatConfig, database: Database, blobs: Blobs, clock: Callable[[], int], entropy: Entropy
    ) -> None:
        """Use `build`."""
        self._config = config
        self._blobs = blobs
        self._clock = clock
        self._entropy = entropy
        self._activity = ActivityRecords(TextTags(config.secret("simhash_key").bytes()))
        self._client: redis.Redis = bus.connect(config.redis_url)
        self._term: Term | None = None
        self.registry = CollectorRegistry()
        self._metrics = Metrics(self.registry)
        self._emitter = Emitter(bus.connect(config.redis_url), self.registry, "chat")
        self.database = database
        self._operator_routes = OperatorRoutes(
            database, config.secret("operator_token"), self._metrics.operator_refused
        )
        self.listener = bus.Listener(config.redis_url, self._heard, self._linked)
        self._ownership = Ownership(database, config.database, self._metrics, clock, takeover_s=config.takeover_s)

    @property
    def role(self) -> str:
        """What this copy does now: `active` or `standby`."""
        return "active" if self._ownership.is_owner else "standby"

    @property
    def is_serving(self) -> bool:
        """Whether this copy is the owner and hears the gateways."""
        return self._term is not None and self._term.is_open and self.listener.linked

    async def run(self, stop: asyncio.Event, host: str, port: int) -> None:
        """Stands by and serves, in turn, until `stop`; then drains.

        Raises:
            ConfigError: the database cannot be written, or the address cannot be had.
        """
        checks = {"redis": self._is_linked, "database": self._is_well}
        application = inner.application(self.registry, checks, lambda: self.role)
        application.add_subapp("/v1", self._operator_routes.application())
        try:
            async with runtime.listening(application, host, port), asyncio.TaskGroup() as tasks:
                tasks.create_task(self.listener.run(), name="bus")
                tasks.create_task(self._emitter.run(), name="activity")
                while await self._ownership.take(stop):
                    await self._own(stop)
                raise _Stopped
        except* _Stopped:
            log.info("stopped")

    async def _own(self, stop: asyncio.Event) -> None:
        """One term, from taking over to giving up or being overtaken."""
        try:
            self._term = await self._new_term()
            served = await self._term.serve(stop)
        except FenceLost:
            served = False
        finally:
            self._term = None
            self._ownership.drop()
        if not served:
            self._metrics.fences_lost.inc()
            log.warning("fence_lost", fence=self.database.fence)

    async def _new_term(self) -> Term:
        config, database, metrics = self._config, self.database, self._metrics
        behind = await database.transact(store_outbox.logs_behind)
        log.info("term_begins", fence=database.fence, logs_behind=len(behind))
        publisher = Publisher(self._client, database, self._emitter, self._activity, metrics, behind)
        intake = Intake(metrics, config.waiting_commands)
        searcher = Searcher(
            index=config.search_index,
            database=config.database,
            publisher=publisher,
            metrics=metrics,
            clock_ms=self._clock,
            deadline_s=config.search_deadline_s,
            max_waiting=config.searches_waiting,
        )
        indexer = Indexer(index=config.search_index, path=config.database, database=database, metrics=metrics)
        return Term(
            ownership=self._ownership,
            listener=self.listener,
            intake=intake,
            committer=Committer(
                intake=intake,
                database=database,
                runner=BatchRunner(database.fence, config.rules, self._clock, self._entropy),
                publisher=publisher,
                searcher=searcher,
                indexer=indexer,
                metrics=metrics,
                clock_ms=self._clock,
                batch_commands=config.batch_commands,
            ),
            publisher=publisher,
            searcher=searcher,
            indexer=indexer,
            life=Life(database, publisher, self._clock, takeover_s=config.takeover_s),
            sweep=Sweep(
                database, self._blobs, metrics, self._clock, keep_s=config.upload_keep_s, every_s=config.sweep_every_s
            ),
        )

    def _heard(self, channel: str, data: bytes) -> None:
        """A batch of commands. Without a term there is none to hear, except what was under way when the last one was overtaken."""
        if self._term is not None:
            self._term.intake.on_message(channel, data)

    async def _linked(self) -> None:
        if self._term is not None:
            await self._term.publisher.on_linked()

    async def _is_linked(self) -> bool:
        return self.listener.linked and (self._term is None or self._term.is_open)

    async def _is_well(self) -> bool:
        return self._term.is_writable() if self._term is not None else self._ownership.is_watching()


async def build(
    config: ChatConfig,
    *,
    clock: Callable[[], int] = clock_ms,
    entropy: Entropy | None = None,
    blobs: Blobs | None = None,
) -> App:
    """Opens the database and puts the parts together; the caller runs the app and closes its database.

    Raises:
        ConfigError: a secret, the database or the blob store cannot be used.
    """
    for name in ("simhash_key", "operator_token"):
        config.secret(name)  # looked at before anything is made
    blobs = blobs or open_blobs(config.blob_url)
    return App(config, await open_database(config.database), blobs, clock, entropy or EntropyPool())


async def run(config: ChatConfig, stop: asyncio.Event) -> None:
    """The whole service, from settings to the end.

    Raises:
        ConfigError: see `App.run` (inside an exception group) and `build`.
    """
    app = await build(config)
    try:
        await app.run(stop, config.inner_host, config.inner_port)
    finally:
        await app.database.close()
