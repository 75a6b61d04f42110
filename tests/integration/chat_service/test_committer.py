"""Group commit: batches form by themselves, expired commands are dropped, answers come after the commit."""

from __future__ import annotations

import asyncio
import sqlite3

import pytest
from prometheus_client import CollectorRegistry

from chat_service.committer import Committer
from chat_service.database import FenceLost
from chat_service.indexer import Indexer
from chat_service.intake import Intake
from chat_service.metrics import Metrics
from chat_service.store_outbox import Log, LogKind
from garita_common.core import frames, records
from garita_common.core.records import Answered, Batch, Command
from tests.fakes.chat_gateway import stamped

from .conftest import Desk, Noted, searcher_of, send


def parts(desk: Desk, batch_commands: int = 256) -> tuple[Intake, Noted, Committer, CollectorRegistry]:
    """A committer between an intake and a publisher that notes."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    intake, noted = Intake(metrics, 10_000), Noted(desk, metrics)
    committer = Committer(
        intake=intake,
        database=desk.database,
        runner=desk.runner,
        publisher=noted,
        searcher=searcher_of(desk, noted, metrics),
        indexer=Indexer(index=desk.index, path=desk.path, database=desk.database, metrics=metrics),
        metrics=metrics,
        clock_ms=lambda: desk.now_ms,
        batch_commands=batch_commands,
    )
    return intake, noted, committer, registry


def hear(intake: Intake, *commands: Command) -> None:
    """One batch from a gateway."""
    intake.on_message("chat:in:0", records.encode(Batch("g1", list(commands))))


async def test_what_gathered_is_one_transaction_up_to_the_limit(desk: Desk) -> None:
    """And all of it is handed on in order before the committer ends."""
    room = await desk.room("ana")
    intake, noted, committer, registry = parts(desk, batch_commands=4)
    for _ in range(10):
        hear(intake, stamped("ana", send(room)))
    intake.close()

    await committer.run()

    assert [len(done.replies) for done in noted.handed] == [4, 4, 2]
    seqs = [event.seq for done in noted.handed for events in done.room_events.values() for event in events]
    assert seqs == list(range(2, 12))
    assert registry.get_sample_value("chat_commands_total", {"op": "send", "outcome": "ok"}) == 10


async def test_commands_gather_while_a_transaction_runs(desk: Desk) -> None:
    """The next batch is what came meanwhile."""
    room = await desk.room("ana")
    intake, noted, committer, _ = parts(desk)
    entered, go_on = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: sqlite3.Connection) -> None:
        loop.call_soon_threadsafe(entered.set)
        asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result(20)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(desk.database.run(hold))
        await entered.wait()
        tasks.create_task(committer.run())
        hear(intake, stamped("ana", send(room)))
        await asyncio.sleep(0.01)
        for _ in range(20):
            hear(intake, stamped("ana", send(room)))
        go_on.set()
        intake.close()

    assert [len(done.replies) for done in noted.handed] == [1, 20]


async def test_expired_commands_are_dropped(desk: Desk) -> None:
    """At their end they are; one millisecond before it they are carried out."""
    room = await desk.room("ana")
    intake, noted, committer, registry = parts(desk)
    hear(intake, stamped("ana", send(room), expires_ms=desk.now_ms))
    hear(intake, stamped("ana", send(room), expires_ms=desk.now_ms + 1))
    intake.close()

    await committer.run()

    assert sum(len(done.replies) for done in noted.handed) == 1
    assert registry.get_sample_value("chat_commands_dropped_total", {"reason": "expired"}) == 1


async def test_refusals_are_sent_along(desk: Desk) -> None:
    """Also when there is nothing to commit."""
    intake, noted, committer, _ = parts(desk)
    intake._max_waiting = 0
    hear(intake, stamped("ana", send("r" + "0" * 32)))
    intake.close()

    await committer.run()

    ((_, reply),) = noted.handed[0].replies
    assert getattr(reply, "code", "") == "busy"


async def test_marks_that_were_not_written_are_kept(desk: Desk) -> None:
    """A batch that was split does not write them."""
    room = await desk.room("ana")
    intake, noted, committer, registry = parts(desk)
    marks = {Log(LogKind.ROOM, room): 1}
    noted.give_back(marks)
    await desk.run(
        lambda db: db.execute("CREATE TRIGGER fault BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, ''); END")
    )
    hear(intake, stamped("ana", send(room)))
    intake.close()

    await committer.run()

    assert noted.take_marks() == marks
    assert registry.get_sample_value("chat_batches_failed_total") == 1


async def test_searches_are_handed_over_and_hold_nothing_up(desk: Desk) -> None:
    """With the messages of their batch stored and answered while no search is; those that cannot wait are refused, and what is found is followed."""
    room = await desk.room("ana")
    intake, noted, committer, registry = parts(desk)
    search = stamped("ana", frames.Search(id=1, text="hola"))
    hear(intake, search, stamped("ana", send(room)), search, search, stamped("ana", send(room)))
    intake.close()

    await committer.run()

    (done,) = noted.handed
    assert [reply.code for _, reply in done.replies if isinstance(reply, Answered)] == ["", "", "busy"]
    assert registry.get_sample_value("chat_commands_total", {"op": "send", "outcome": "ok"}) == 2


async def test_what_is_said_in_passing_is_handed_on_without_a_reply(desk: Desk) -> None:
    """And a batch that says nothing at all is not."""
    room = await desk.room("ana")
    intake, noted, committer, _ = parts(desk, batch_commands=1)
    hear(intake, stamped("ana", frames.Read(room=room, seq=1)), stamped("ana", frames.Read(room=room, seq=1)))
    intake.close()

    await committer.run()

    assert [len(done.room_passing) for done in noted.handed] == [1]


async def test_an_overtaken_copy_refuses_nothing(desk: Desk) -> None:
    """`busy` says that it is surely not stored; the new owner, which heard the same command, may have stored it."""
    intake, noted, committer, _ = parts(desk)
    intake._max_waiting = 0
    hear(intake, stamped("ana", send("r" + "0" * 32)))
    intake.close()
    await desk.database.run(lambda db: db.execute("UPDATE owner SET fence = fence + 1"))

    with pytest.raises(FenceLost):
        await committer.run()

    assert noted.handed == []
