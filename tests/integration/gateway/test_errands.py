"""Short tasks: bounded, and a fault in one touches no other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from garita_common.core.errors import Busy
from gateway.chat_link import Gone
from gateway.clock import Clock
from gateway.errands import Errands
from gateway.metrics import Metrics

from .rig import eventually, rig


@asynccontextmanager
async def errands(max_running: int = 10) -> AsyncIterator[tuple[Errands, CollectorRegistry]]:
    """Errands that run."""
    registry = CollectorRegistry()
    it = Errands(Clock(), Metrics(registry), max_running)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(it.run())
        await asyncio.sleep(0)
        yield it, registry
        task.cancel()


async def test_so_many_may_run_and_not_one_more() -> None:
    """And one that ends makes room."""
    async with errands(2) as (it, _):
        go = asyncio.Event()

        async def wait() -> None:
            await go.wait()

        it.start("a", wait())
        it.start("b", wait())
        with pytest.raises(Busy):
            it.start("c", wait())

        go.set()
        await eventually(lambda: it.running == 0)
        it.start("d", wait())


async def test_what_is_done_for_a_connection_counts_as_one_of_its_requests(tmp_path: Path, redis_url: str) -> None:
    """Until it ends, also by a fault: nobody may take the connection for idle."""
    async with rig(tmp_path, redis_url) as held, errands() as (it, _):
        await held.tcp()
        await eventually(lambda: held.gateway.desk.connections)
        connection = next(iter(held.gateway.desk.connections.values()))
        it.desk = held.gateway.desk
        go = asyncio.Event()

        async def fail() -> None:
            await go.wait()
            raise RuntimeError

        it.start("work", fail(), connection)
        assert (connection.in_flight, connection.is_idle) == (1, False)
        go.set()

        await eventually(lambda: connection.in_flight == 0)


async def test_a_fault_is_counted_and_ends_nothing_else() -> None:
    """A connection that is gone is no fault."""
    async with errands() as (it, registry):

        async def fail(exc: Exception) -> None:
            raise exc

        for exc in (RuntimeError("a"), Gone(), ValueError("b")):
            it.start("work", fail(exc))

        await eventually(lambda: it.running == 0)
        assert registry.get_sample_value("gateway_faults_total", {"where": "work"}) == 2


async def test_nothing_starts_before_or_after() -> None:
    """When the process ends, whoever asks is told."""
    it = Errands(Clock(), Metrics(CollectorRegistry()), 10)

    async def work() -> None:
        pass

    with pytest.raises(Busy):
        it.start("early", work())
