"""The index's rows: they follow the events from a mark, whatever happens in between, and hold nothing that was taken away."""

from __future__ import annotations

import asyncio
import sqlite3
import uuid
from contextlib import closing

import pytest

from chat_service import store_search
from chat_service.database import empty_log
from garita_common.core import frames

from .conftest import Desk, ok


def found(desk: Desk) -> list[tuple[int, str]]:
    """Every message in the index: its seq and its words."""
    with closing(sqlite3.connect(desk.index)) as db:
        return [(seq, words) for seq, words in db.execute("SELECT seq, words FROM docs ORDER BY n")]


async def test_a_crash_between_commit_and_index_loses_nothing(desk: Desk) -> None:
    """At the next start the rooms with something above their mark are known, and only what is missing is added."""
    room, other = await desk.room("ana"), await desk.room("ana")
    await desk.message("ana", room, "uno")
    await asyncio.to_thread(desk.follow)
    await desk.message("ana", room, "dos")
    await desk.message("ana", other, "tres")

    def again() -> tuple[list[str], list[str]]:
        with closing(store_search.connect(desk.index, desk.path)) as db:
            missing = store_search.unindexed(db)
            while missing and (left := store_search.follow(db, missing, 1)):
                missing = left
            return missing, store_search.unindexed(db)

    last, none = await asyncio.to_thread(again)

    assert none == []
    assert len(last) == 1
    indexed = await asyncio.to_thread(found, desk)
    assert sorted(words.partition("_")[2] for _, words in indexed) == ["dos", "tres", "uno"]


async def test_a_failed_transaction_leaves_the_mark(desk: Desk) -> None:
    """What it would have added is added by the next."""
    room = await desk.room("ana")
    await desk.message("ana", room, "uno")

    def fail() -> None:
        with closing(store_search.connect(desk.index, desk.path)) as db:
            db.execute("CREATE TEMP TRIGGER bad BEFORE INSERT ON main.docs BEGIN SELECT raise(ABORT, 'no'); END")
            with pytest.raises(sqlite3.Error):
                store_search.follow(db, [room], 100)
            assert store_search.unindexed(db) == [room]

    await asyncio.to_thread(fail)
    await asyncio.to_thread(desk.follow)

    assert [words for _, words in await asyncio.to_thread(found, desk)] == ["1_uno"]


@pytest.mark.parametrize("damage", ["lost", "garbage", "newer", "restored"])
async def test_an_index_that_does_not_fit_is_made_anew(desk: Desk, damage: str) -> None:
    """One of another version, of a database since restored, or of no use at all."""
    room = await desk.room("ana")
    await desk.message("ana", room, "uno")
    await asyncio.to_thread(desk.follow)

    def harm() -> None:
        if damage == "lost":
            desk.index.unlink()
        elif damage == "garbage":
            desk.index.write_bytes(b"no database" * 1000)
        else:
            with closing(sqlite3.connect(desk.index)) as db:
                statement = "PRAGMA user_version = 99" if damage == "newer" else "UPDATE rooms SET seq = 50"
                db.execute(statement)
                db.commit()

    await asyncio.to_thread(harm)
    await asyncio.to_thread(desk.follow)

    assert await asyncio.to_thread(found, desk) == [(2, "1_uno")]


async def test_a_room_with_another_epoch_is_read_anew(desk: Desk) -> None:
    """While the service runs: under another number, so that nothing of its former history is found."""
    room = await desk.room("ana")
    await desk.message("ana", room, "uno")

    def twice() -> None:
        with closing(store_search.connect(desk.index, desk.path)) as db:
            store_search.follow(db, [room], 100)
            with closing(sqlite3.connect(desk.path)) as events:
                events.execute("UPDATE rooms SET epoch = 'other'")
                events.commit()
            store_search.follow(db, [room], 100)

    await asyncio.to_thread(twice)

    assert [words for _, words in await asyncio.to_thread(found, desk)] == ["1_uno", "2_uno"]


async def test_the_reader_cannot_write(desk: Desk) -> None:
    """Neither in the events nor in the index."""
    room = await desk.room("ana")
    await desk.message("ana", room)
    await asyncio.to_thread(desk.follow)

    def write() -> None:
        with closing(store_search.connect_reader(desk.index, desk.path)) as reader:
            for statement in ("DELETE FROM main.events", "DELETE FROM search.docs"):
                with pytest.raises(sqlite3.OperationalError, match="readonly"):
                    reader.execute(statement)

    await asyncio.to_thread(write)


async def test_deleted_and_edited_text_is_in_no_byte_of_the_files(desk: Desk) -> None:
    """After the purge: long and short texts, words in the segments, what the logs held, and names of files."""
    room = await desk.room("ana")
    mids = []
    for number in range(60):
        tail = " relleno" * (300 if number % 3 == 0 else 1)
        mids.append((await desk.message("ana", room, f"secretisimo{number}x{tail}"))["mid"])
    await asyncio.to_thread(desk.follow)
    for number, mid in enumerate(mids[:40]):
        if number % 2:
            edit = frames.Edit(id=1, cmid=uuid.uuid4(), room=room, mid=uuid.UUID(mid), text=f"secretisimo{number}xbis")
            ok(await desk.say("ana", edit))
            await asyncio.to_thread(desk.follow)
        ok(await desk.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=uuid.UUID(mid))))

    def purge() -> int:
        with closing(store_search.connect(desk.index, desk.path)) as db:
            store_search.follow(db, store_search.unindexed(db), 1000)
            wanted = store_search.wanted_purge(db)
            is_first = True
            while not store_search.merge(db, first=is_first):
                is_first = False
            assert empty_log(db)
            store_search.purged(db, wanted)
            assert store_search.wanted_purge(db) == 0
        return wanted

    assert await asyncio.to_thread(purge) >= 40
    assert await desk.database.run(empty_log)

    files = [path for path in desk.path.parent.iterdir() if path.is_file()]
    assert {path.name for path in files} >= {"chat.sqlite3", "chat.sqlite3-search"}
    for path in files:
        data = await asyncio.to_thread(path.read_bytes)
        left = [number for number in range(40) if b"secretisimo%dx" % number in data]
        assert left == [], path
        if path.suffix == ".sqlite3":
            assert all(b"secretisimo%dx" % number in data for number in range(40, 60))
    hits = ok(await desk.search("ana", frames.Search(id=1, text="secretisimo", limit=100)))["hits"]
    assert len(hits) == 20
