"""Where the detector's objects meet.

Order of a start: the database is opened and upgraded, the inner listener answers (not ready), the state is rebuilt, then intake, publication and the
operator routes run until the stop event. A stop just cancels: what was not committed is still pending in Redis.
"""

import asyncio
import random
import secrets
import sqlite3
import time
from contextlib import AsyncExitStack

import redis.asyncio as redis
import structlog
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from garita_common import inner
from garita_common.bus import connect
from garita_common.config import ConfigError
from garita_common.runtime import listening

from . import store as database
from .config import DetectorConfig
from .intake import Intake
from .judging import Judge
from .metrics import Metrics
from .operator_routes import OperatorRoutes
from .publication import Publisher
from .store import Store
from .upkeep import Upkeep

log = structlog.get_logger()

CHECK_S = 2.0
REBUILD_RETRY_S = 1.0


class _Stopped(Exception):
    """The stop event was set."""


async def run(config: DetectorConfig, stop: asyncio.Event) -> None:
    """Serves until `stop` is set.

    Raises:
        ConfigError: the database cannot be opened, a secret is missing, or an address cannot be had.
    """
    token = config.secret("operator_token")
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(database.opened(config.database))
        except (OSError, sqlite3.Error) as exc:
            raise ConfigError(f"The database {config.database} cannot be opened: {exc}.") from exc
        except database.SchemaTooNew as exc:
            raise ConfigError(str(exc)) from exc
        client = connect(config.redis_url)
        stack.push_async_callback(client.aclose)
        registry = CollectorRegistry()
        metrics = Metrics(registry)
        judge = Judge(
            store,
            metrics,
            loopback=config.loopback,
            max_subjects=config.max_subjects,
            now_ms=now_ms,
            luck=random.SystemRandom().random,
            new_appeal=lambda: secrets.token_hex(8),
        )
        publisher = Publisher(client, store, metrics, now_ms=now_ms, run_name=secrets.token_hex(8))
        intake = Intake(client, judge, publisher, metrics, now_ms)
        upkeep = Upkeep(
            client,
            store,
            judge,
            metrics,
            now_ms=now_ms,
            keep_events_days=config.keep_events_days,
            keep_evidence_days=config.keep_evidence_days,
        )
        routes = OperatorRoutes(store, judge, publisher, metrics, token=token, now_ms=now_ms)
        checks = _checks(client, store, judge, intake)
        await stack.enter_async_context(
            listening(inner.application(registry, checks), config.inner_host, config.inner_port)
        )
        port = await stack.enter_async_context(
            listening(routes.application(), config.operator_host, config.operator_port)
        )
        log.info("started", operator_port=port)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_stop(stop), name="stop")
                await _rebuild(judge)
                tasks.create_task(publisher.run(), name="publication")
                tasks.create_task(intake.run(), name="intake")
                tasks.create_task(upkeep.run(), name="upkeep")
        except* _Stopped:
            log.info("stopped")


def now_ms() -> int:
    """The clock of this service: Unix milliseconds."""
    return time.time_ns() // 1_000_000


async def _stop(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _Stopped


async def _rebuild(judge: Judge) -> None:
    """Until it works: a full disk or a locked file may pass."""
    while True:
        try:
            await judge.rebuild()
        except (sqlite3.Error, OSError) as exc:
            log.error("state_not_rebuilt", error=type(exc).__name__, detail=str(exc)[:200])
            await asyncio.sleep(REBUILD_RETRY_S)
        else:
            return


def _checks(client: "redis.Redis", store: Store, judge: Judge, intake: Intake) -> dict[str, inner.Check]:
    async def redis_answers() -> bool:
        try:
            async with asyncio.timeout(CHECK_S):
                return bool(await client.ping())
        except (RedisError, OSError, TimeoutError):
            return False

    async def state_rebuilt() -> bool:
        return judge.ready

    async def reading() -> bool:
        return intake.linked

    return {"redis": redis_answers, "database": store.answers, "state": state_rebuilt, "intake": reading}
