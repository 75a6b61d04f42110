"""Commands on their way in: kept in order, bounded, bad bytes counted."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from chat_service.intake import Intake
from chat_service.metrics import Metrics
from garita_common.core import records
from garita_common.core.records import AskRefused, Attach, Batch, Recover
from tests.fakes.chat_gateway import stamped

from .conftest import send

ROOM = "r" + "0" * 32


def intake(max_waiting: int = 100) -> tuple[Intake, CollectorRegistry]:
    """An empty intake and its metrics."""
    registry = CollectorRegistry()
    return Intake(Metrics(registry), max_waiting), registry


def dropped(registry: CollectorRegistry, reason: str) -> float:
    """How many were dropped for this reason."""
    return registry.get_sample_value("chat_commands_dropped_total", {"reason": reason}) or 0.0


async def test_what_gathered_is_taken_at_once_and_in_order() -> None:
    """Up to the limit; the rest is the next batch."""
    box, _ = intake()
    for start in (0, 3):
        batch = Batch("g1", [stamped("ana", Attach(), connection=start + n) for n in range(3)])
        box.on_message("chat:in:0", records.encode(batch))

    first, second = await box.take(4), await box.take(4)

    assert first is not None
    assert second is not None
    assert [(gateway, command.connection) for gateway, command in first.commands] == [("g1", n) for n in range(4)]
    assert [command.connection for _, command in second.commands] == [4, 5]


async def test_above_the_bound_commands_are_busy_at_once() -> None:
    """At the bound they are kept, one past it is refused: a client as a client, a gateway as a gateway."""
    box, registry = intake(max_waiting=2)
    commands = [stamped("ana", send(ROOM), connection=n) for n in range(3)]
    box.on_message("chat:in:0", records.encode(Batch("g1", commands)))
    box.on_message("chat:in:0", records.encode(Batch("g2", [stamped("ana", Recover(ROOM, "e", 1), connection=9)])))

    work = await box.take(10)

    assert work is not None
    assert len(work.commands) == 2
    (one, other) = work.refused
    assert (one[0], one[1].connection, one[1].code) == ("g1", 2, "busy")  # type: ignore[union-attr]  # an answer
    assert b"outcome" not in one[1].frame  # type: ignore[union-attr]  # surely not stored
    assert other == ("g2", AskRefused(9, commands[0].user, ROOM, "busy"))
    assert dropped(registry, "busy") == 2


async def test_taking_waits_until_something_comes_or_it_is_closed() -> None:
    """Closed, it gives what is left and then nothing."""
    box, _ = intake()
    async with asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(box.take(10))
        await asyncio.sleep(0)
        assert not taking.done()
        box.on_message("chat:in:0", records.encode(Batch("g1", [stamped("ana", Attach())])))
    assert taking.result() is not None

    box.on_message("chat:in:0", records.encode(Batch("g1", [stamped("ana", Attach())])))
    box.close()
    assert await box.take(10) is not None
    assert await box.take(10) is None


@given(st.binary(max_size=300))
def test_random_bytes_are_counted_and_skipped(data: bytes) -> None:
    """Nothing that comes over Redis ends the service."""

    async def hear() -> None:
        box, registry = intake()
        box.on_message("chat:in:0", data)
        box.close()
        work = await box.take(10)
        assert work is not None or dropped(registry, "undecodable") in {0, 1}

    asyncio.run(hear())


@pytest.mark.parametrize("data", [b"", b"\xc1", b"hello", records.encode(["g1"]), records.encode(["g1", [[1]]])])
async def test_bad_batches_are_counted(data: bytes) -> None:
    """Each once."""
    box, registry = intake()

    box.on_message("chat:in:0", data)

    assert dropped(registry, "undecodable") == 1
