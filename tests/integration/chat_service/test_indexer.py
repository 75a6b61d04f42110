"""The index follows by itself, and what was deleted is written out of it by itself."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from prometheus_client import CollectorRegistry

from chat_service.indexer import Indexer
from chat_service.metrics import Metrics
from garita_common.core import frames

from .conftest import Desk, ok


class _Over(Exception):
    pass


@asynccontextmanager
async def running(desk: Desk, **more: float) -> AsyncIterator[tuple[Indexer, CollectorRegistry]]:
    """An indexer at work."""
    registry = CollectorRegistry()
    indexer = Indexer(index=desk.index, path=desk.path, database=desk.database, metrics=Metrics(registry), **more)
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(indexer.run())
            yield indexer, registry
            raise _Over
    except* _Over:
        pass


async def hits(desk: Desk, text: str, wanted: int) -> None:
    """Waits until so many messages are found; the index is not helped."""
    from .test_search import _without_following

    async with asyncio.timeout(20):
        while True:
            if desk.index.exists():
                try:
                    found = await asyncio.to_thread(_without_following, desk, "ana", frames.Search(id=1, text=text))
                except Exception:  # noqa: BLE001  # the file is being made
                    found = b""
                if found.count(b'"op":"message"') == wanted:
                    return
            await asyncio.sleep(0.01)


async def test_what_was_there_and_what_comes_is_found(desk: Desk) -> None:
    """At the start what is above the marks, then whatever rooms move; also more than a slice."""
    room = await desk.room("ana")
    await desk.message("ana", room, "antes")
    async with running(desk) as (indexer, registry):
        await hits(desk, "antes", 1)
        for number in range(150):
            await desk.message("ana", room, f"{'hito' if number % 10 == 0 else 'relleno'} {number}")
        indexer.moved([room])

        await hits(desk, "hito", 15)
        assert registry.get_sample_value("chat_rooms_unindexed") == 0


async def test_what_was_deleted_is_written_out(desk: Desk) -> None:
    """Of the segments and both logs."""
    room = await desk.room("ana")
    async with running(desk, purge_every_s=0.05) as (indexer, registry):
        mid = uuid.UUID((await desk.message("ana", room, "secretisimo"))["mid"])
        indexer.moved([room])
        await hits(desk, "secretisimo", 1)
        ok(await desk.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=mid)))
        indexer.moved([room])

        async with asyncio.timeout(20):
            while not registry.get_sample_value("chat_purges_total"):
                await asyncio.sleep(0.01)

    for path in desk.path.parent.glob("chat.sqlite3*"):
        assert b"secretisimo" not in await asyncio.to_thread(path.read_bytes), path


async def test_an_index_that_is_lost_while_it_is_used_is_made_anew(desk: Desk) -> None:
    """Whatever becomes of the file, the indexer goes on."""
    room = await desk.room("ana")
    await desk.message("ana", room, "uno")
    async with running(desk) as (indexer, _):
        await hits(desk, "uno", 1)
        await asyncio.to_thread(desk.index.write_bytes, b"x" * 100_000)
        await desk.message("ana", room, "dos")
        indexer.moved([room])

        await hits(desk, "dos", 1)
        await hits(desk, "uno", 1)
