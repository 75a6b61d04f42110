"""Taking over, standing by and giving up, over one database file."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from chat_service.database import Database, FenceLost, open_database, show_life
from chat_service.metrics import Metrics
from chat_service.ownership import Ownership
from garita_common.config import ConfigError

from .conftest import until

HOLDER = """
import asyncio, sys
from pathlib import Path
from prometheus_client import CollectorRegistry
from chat_service.database import open_database
from chat_service.metrics import Metrics
from chat_service.ownership import Ownership

async def main():
    path = Path(sys.argv[1])
    database = await open_database(path)
    ownership = Ownership(database, path, Metrics(CollectorRegistry()), lambda: 1, takeover_s=10)
    if sys.argv[2] != "taking":
        assert await ownership.take(asyncio.Event())
    if sys.argv[2] != "outside":
        await database.run(lambda db: db.execute("BEGIN IMMEDIATE"))
    if sys.argv[2] == "taking":
        ownership._make_claim(2)
    print("ready", file=sys.stderr, flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""
"""Takes the database and stays, in the middle of a transaction (or of the taking itself) if told so."""


class Copy:
    """One copy of the service, as far as owning goes."""

    def __init__(self, database: Database, path: Path, takeover_s: float) -> None:
        self.registry = CollectorRegistry()
        self.database = database
        self.ownership = Ownership(database, path, Metrics(self.registry), lambda: 5, takeover_s=takeover_s)

    def takeovers(self, reason: str) -> float:
        """How often it took over for that reason."""
        return self.registry.get_sample_value("chat_takeovers_total", {"reason": reason}) or 0.0


@asynccontextmanager
async def copy_of(folder: Path, takeover_s: float = 10.0) -> AsyncIterator[Copy]:
    """A copy that has opened the database, and nothing more."""
    path = folder / "chat.sqlite3"
    copy = Copy(await open_database(path), path, takeover_s)
    try:
        yield copy
    finally:
        copy.ownership.drop()
        await copy.database.close()


@asynccontextmanager
async def standing_by(copy: Copy) -> AsyncIterator[asyncio.Task[bool]]:
    """The copy's `take` under way while the block runs."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        taking = tasks.create_task(copy.ownership.take(stop))
        try:
            yield taking
        finally:
            stop.set()


async def taken(taking: asyncio.Task[bool]) -> bool:
    """What came of it."""
    async with asyncio.timeout(30):
        return await taking


@asynccontextmanager
async def holder(folder: Path, where: str = "outside") -> AsyncIterator[subprocess.Popen[bytes]]:
    """Another process that owns the database; it shows no life."""
    words = [sys.executable, "-c", HOLDER, str(folder / "chat.sqlite3"), where]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        try:
            assert process.stderr is not None
            assert await asyncio.to_thread(process.stderr.readline) == b"ready\n"
            yield process
        finally:
            process.kill()


async def test_what_was_released_is_taken_at_once(tmp_path: Path) -> None:
    """While it is owned a second copy waits; the file of the earlier fence goes."""
    async with copy_of(tmp_path) as one, copy_of(tmp_path) as two:
        assert await one.ownership.take(asyncio.Event())
        async with standing_by(two) as taking:
            await asyncio.sleep(0.6)
            assert not taking.done()
            assert two.ownership.is_watching()
            await one.ownership.release()
            assert await taken(taking)

        assert (one.ownership.is_owner, two.ownership.is_owner) == (False, True)
        assert two.takeovers("free") == 1
        assert (one.database.fence, two.database.fence) == (1, 2)
        assert [path.name for path in tmp_path.glob("*-owner-*")] == ["chat.sqlite3-owner-2"]
        with pytest.raises(FenceLost):
            await one.database.transact(lambda db: show_life(db, 1))


async def test_a_dead_owner_is_followed_at_once(tmp_path: Path) -> None:
    """kill -9 is seen by the lock that the kernel gives back, not by silence."""
    async with holder(tmp_path, "inside") as other, copy_of(tmp_path, takeover_s=3600) as copy:
        async with standing_by(copy) as taking:
            await asyncio.sleep(0.3)
            assert not taking.done()
            other.kill()
            assert await taken(taking)
        assert copy.takeovers("dead") == 1


async def test_a_silent_owner_is_followed_and_finds_out(tmp_path: Path) -> None:
    """It lives, so only silence tells; what it then tries is refused."""
    async with copy_of(tmp_path) as one, copy_of(tmp_path, takeover_s=1.0) as two:
        assert await one.ownership.take(asyncio.Event())
        async with standing_by(two) as taking:
            assert await taken(taking)
        assert two.takeovers("silent") == 1
        with pytest.raises(FenceLost):
            await one.ownership.release()
        assert not one.ownership.is_owner


@pytest.mark.parametrize("where", ["outside", "inside"])
async def test_a_stopped_owner_is_followed(tmp_path: Path, where: str) -> None:
    """It is left alone, unless it keeps the database's own lock: only its end gives that back."""
    async with holder(tmp_path, where) as other, copy_of(tmp_path, takeover_s=1.0) as copy:
        other.send_signal(signal.SIGSTOP)
        async with standing_by(copy) as taking:
            assert await taken(taking)
        ended = await asyncio.to_thread(other.wait, 10) if where == "inside" else other.poll()

        assert ended == (-signal.SIGKILL if where == "inside" else None)
        assert copy.registry.get_sample_value("chat_owners_ended_total") == (1 if where == "inside" else 0)


async def test_a_copy_that_was_stopped_while_it_took_over_is_ended(tmp_path: Path) -> None:
    """It is no owner yet, and would keep everybody else from becoming one."""
    async with copy_of(tmp_path) as first:
        assert await first.ownership.take(asyncio.Event())
    async with holder(tmp_path, "taking") as other, copy_of(tmp_path, takeover_s=3600) as copy:
        async with standing_by(copy) as taking:
            await asyncio.sleep(0.6)
            assert not taking.done()
            other.send_signal(signal.SIGSTOP)
            assert await taken(taking)
        assert await asyncio.to_thread(other.wait, 10) == -signal.SIGKILL
        assert copy.takeovers("dead") == 1


async def test_a_busy_owner_is_not_ended(tmp_path: Path) -> None:
    """One that runs, in a transaction longer than the silence, keeps the database."""
    async with holder(tmp_path, "inside") as other, copy_of(tmp_path, takeover_s=1.0) as copy:
        async with standing_by(copy) as taking:
            await asyncio.sleep(2.0)
            assert not taking.done()
        assert await taking is False
        assert other.poll() is None


async def test_of_two_that_stand_by_one_takes_over(tmp_path: Path) -> None:
    """The other goes on standing by, under the new owner."""
    async with copy_of(tmp_path) as owner, copy_of(tmp_path) as one, copy_of(tmp_path) as two:
        assert await owner.ownership.take(asyncio.Event())
        async with standing_by(one) as first, standing_by(two) as second:
            await owner.ownership.release()
            await until(lambda: first.done() or second.done())
            await asyncio.sleep(0.6)
            assert [first.done(), second.done()].count(True) == 1


async def test_a_later_versions_database_is_refused_whenever_it_becomes_one(tmp_path: Path) -> None:
    """Also by a copy that stood by while a later version took over."""
    async with copy_of(tmp_path) as one, copy_of(tmp_path) as two:
        assert await one.ownership.take(asyncio.Event())
        with pytest.raises(BaseExceptionGroup) as caught:
            async with standing_by(two) as taking:
                await one.database.run(lambda db: db.execute("PRAGMA user_version = 99"))
                await taken(taking)
        assert caught.group_contains(ConfigError)


async def test_a_database_that_cannot_be_written_is_a_sentence(tmp_path: Path) -> None:
    """Not a loop of silent attempts."""
    async with copy_of(tmp_path) as copy:
        await copy.database.run(lambda db: db.execute("PRAGMA query_only = 1"))
        with pytest.raises(ConfigError, match="cannot be written"):
            await copy.ownership.take(asyncio.Event())


async def test_a_damaged_row_is_waited_for(tmp_path: Path) -> None:
    """A read that fails ends nothing; readiness ends with it."""
    async with copy_of(tmp_path) as one, copy_of(tmp_path, takeover_s=1.0) as two:
        assert await one.ownership.take(asyncio.Event())
        await one.database.run(lambda db: db.execute("ALTER TABLE owner RENAME TO hidden"))
        async with standing_by(two) as taking:
            await until(lambda: not two.ownership.is_watching())
            await one.database.run(lambda db: db.execute("ALTER TABLE hidden RENAME TO owner"))
            assert await taken(taking)
