"""auth_service.store: all of a transaction or none of it, whatever ends it."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import sys
from pathlib import Path

import pytest

from auth_service.store import SchemaTooNew, Store, one, opened, run
from tests.integration.auth_service.conftest import PATIENCE_S

ADD = "INSERT INTO users (id, status, display_name, locale, created_ms) VALUES (?, 'active', 'x', 'en', 0)"


async def count(store: Store) -> int:
    """How many users are stored."""
    row = await one(store.reading, "SELECT count(*) AS n FROM users")
    assert row is not None
    return int(row["n"])


async def test_a_transaction_is_seen_when_it_is_whole(tmp_path: Path) -> None:
    """Not before its end, and not at all where it raises."""
    async with opened(tmp_path / "a.sqlite3") as store:
        async with store.writing() as tx:
            await run(tx, ADD, ("u1",))
            assert await count(store) == 0
        assert await count(store) == 1
        with pytest.raises(KeyError):
            async with store.writing() as tx:
                await run(tx, ADD, ("u2",))
                raise KeyError
        assert await count(store) == 1


async def test_transactions_wait_for_each_other(tmp_path: Path) -> None:
    """Fifty at once, each reading and writing: none is lost."""
    async with opened(tmp_path / "a.sqlite3") as store:

        async def add(number: int) -> None:
            async with store.writing() as tx:
                row = await one(tx, "SELECT count(*) AS n FROM users")
                await asyncio.sleep(0)
                await run(tx, ADD, (f"u{row['n'] if row else 0}-{number}",))

        async with asyncio.TaskGroup() as tasks:
            for number in range(50):
                tasks.create_task(add(number))

        assert await count(store) == 50


@pytest.mark.parametrize("turns", range(0, 40, 2))
async def test_a_cancelled_transaction_leaves_all_or_nothing_and_the_next_one_works(tmp_path: Path, turns: int) -> None:
    """Wherever the cancellation meets it, and it is never swallowed."""
    async with opened(tmp_path / "a.sqlite3") as store:

        async def add() -> None:
            async with store.writing() as tx:
                await run(tx, ADD, ("u1",))
                await run(tx, ADD, ("u2",))
            await asyncio.sleep(60)

        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(add())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task], timeout=PATIENCE_S)
            assert task.cancelled()
            task.cancel()

        async with store.writing() as tx:
            await run(tx, ADD, ("u3",))
        assert await count(store) in (1, 3)


async def test_reading_cannot_write(tmp_path: Path) -> None:
    """The reading connection refuses."""
    async with opened(tmp_path / "a.sqlite3") as store:
        with pytest.raises(sqlite3.OperationalError):
            await run(store.reading, ADD, ("u1",))


async def test_a_later_version_is_not_touched(tmp_path: Path) -> None:
    """The program says so instead of guessing."""
    path = tmp_path / "a.sqlite3"
    async with opened(path):
        pass
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(SchemaTooNew):
        async with opened(path):
            pass


async def test_the_promises_to_the_disk(tmp_path: Path) -> None:
    """WAL, every commit synced, foreign keys on, deleted content overwritten."""
    async with opened(tmp_path / "a.sqlite3") as store:
        found = {}
        async with store.writing() as tx:
            for pragma in ("journal_mode", "synchronous", "foreign_keys", "secure_delete"):
                row = await one(tx, f"PRAGMA {pragma}")
                found[pragma] = row[0] if row else None

        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


WRITER = """
import asyncio, sys
from pathlib import Path
from auth_service.store import opened, run
ADD = "INSERT INTO users (id, status, display_name, locale, created_ms) VALUES (?, 'active', 'x', 'en', 0)"
async def main():
    async with opened(Path(sys.argv[1])) as store:
        for number in range(1_000_000):
            async with store.writing() as tx:
                await run(tx, ADD, (f"a{sys.argv[2]}-{number}",))
                await run(tx, ADD, (f"b{sys.argv[2]}-{number}",))
            print(number, flush=True)
asyncio.run(main())
"""


async def test_kill_9_leaves_pairs_and_everything_that_was_reported(tmp_path: Path) -> None:
    """Ten times at arbitrary moments: both rows of a transaction or none, and none that was reported is missing."""
    path = tmp_path / "a.sqlite3"
    reported = 0
    for turn in range(10):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), str(turn), stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        async with asyncio.timeout(PATIENCE_S):
            for _ in range(turn + 1):
                reported += bool(await process.stdout.readline())
        os.kill(process.pid, signal.SIGKILL)
        rest = await process.stdout.read()
        reported += rest.count(b"\n")
        await process.wait()

    async with opened(path) as store:
        firsts = await one(store.reading, "SELECT count(*) AS n FROM users WHERE id LIKE 'a%'")
        seconds = await one(store.reading, "SELECT count(*) AS n FROM users WHERE id LIKE 'b%'")
        assert firsts is not None
        assert seconds is not None
        assert firsts["n"] == seconds["n"] >= reported
