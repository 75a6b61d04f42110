"""The searches' own thread: bounded, with a deadline each, and nobody else's business."""

from __future__ import annotations

import asyncio

from prometheus_client import CollectorRegistry

from chat_service.metrics import Metrics
from chat_service.searcher import Searcher
from chat_service.turn import Asked
from garita_common.core import frames
from garita_common.core.records import Answered
from tests.fakes.chat_gateway import body, stamped

from .conftest import GATEWAY, Desk, Noted, searcher_of, until


def asked(user: str, text: str = "hola", *, connection: int = 1, expires_ms: int | None = None) -> Asked:
    """A search as the committer hands it over."""
    op = frames.Search(id=1, text=text)
    return Asked(GATEWAY, stamped(user, op, connection=connection, expires_ms=expires_ms), op)


def answers(noted: Noted) -> list[Answered]:
    """What was answered."""
    return [reply for done in noted.handed for _, reply in done.replies if isinstance(reply, Answered)]


def parts(desk: Desk, **more: object) -> tuple[Searcher, Noted, CollectorRegistry]:
    """A searcher, and a publisher that notes."""
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    noted = Noted(desk, metrics)
    return searcher_of(desk, noted, metrics, **more), noted, registry


async def test_searches_are_answered_in_order(desk: Desk) -> None:
    """Found or refused, counted as any operation; those whose gateway has given up are not carried out."""
    room = await desk.room("ana")
    await desk.message("ana", room, "hola")
    await asyncio.to_thread(desk.follow)
    searcher, noted, registry = parts(desk)
    for number, (user, text) in enumerate((("ana", "hola"), ("bob", "hola"), ("ana", "?"))):
        assert searcher.put(asked(user, text, connection=number)) is None
    searcher.put(asked("eve", expires_ms=desk.now_ms - 1))

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(searcher.run())
        await until(lambda: len(answers(noted)) == 3)
        searcher.close()

    assert [(reply.connection, reply.code) for reply in answers(noted)] == [(0, ""), (1, ""), (2, "bad_request")]
    assert [len(body(reply)["hits"]) for reply in answers(noted)[:2]] == [1, 0]
    assert registry.get_sample_value("chat_commands_total", {"op": "search", "outcome": "ok"}) == 2
    assert registry.get_sample_value("chat_commands_dropped_total", {"reason": "expired"}) == 1


async def test_the_queue_is_bounded_for_each_and_for_all(desk: Desk) -> None:
    """The third of a user and the one above the bound are busy at once; what waits when it closes is too."""
    searcher, noted, _ = parts(desk, max_waiting=3)
    await asyncio.to_thread(desk.follow)
    outcomes = [searcher.put(asked(user)) for user in ("ana", "ana", "ana", "bob", "eve")]

    assert [reply.code if isinstance(reply, Answered) else "" for reply in outcomes] == ["", "", "busy", "", "busy"]
    searcher.close()
    await searcher.run()
    assert [reply.code for reply in answers(noted)] == ["busy"] * 3
    assert isinstance(searcher.put(asked("ana")), Answered)


async def test_without_an_index_searches_are_busy(desk: Desk) -> None:
    """Until there is one; the searcher goes on."""
    searcher, noted, _ = parts(desk)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(searcher.run())
        searcher.put(asked("ana"))
        await until(lambda: len(answers(noted)) == 1)
        await asyncio.to_thread(desk.follow)
        searcher.put(asked("ana"))
        await until(lambda: len(answers(noted)) == 2)
        searcher.close()

    assert [reply.code for reply in answers(noted)] == ["busy", ""]
