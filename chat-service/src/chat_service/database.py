"""The SQLite file: one connection on one thread, its schema, and the fence that says who may write.

Work on the database is a plain function that gets the `sqlite3` connection and runs whole on aiosqlite's thread: one hop per transaction instead
of one per statement, which is what makes a batch of a hundred messages cost little more than one. Durability: WAL with `synchronous=FULL`, so a
transaction that has returned survives the process and the machine.

The fence: whoever takes the database over (`ownership`) raises a number in the one row of `owner`; every transaction asks whether the number is still its own. A
copy that was overtaken finds out inside its own transaction, and nothing of it is kept.
"""

import asyncio
import contextlib
import re
import sqlite3
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import TypeVar

import aiosqlite

from garita_common.config import ConfigError

ResultT = TypeVar("ResultT")

BUSY_S = 5.0
CACHED_STATEMENTS = 256
SCHEMA_VERSION = sum(
    re.fullmatch(r"\d{4}\.sql", step.name) is not None
    for step in resources.files(__package__).joinpath("schema").iterdir()
)
"""As many as there are steps in `schema/`, 0001.sql and on."""
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA secure_delete = ON",
    "PRAGMA temp_store = MEMORY",
    "PRAGMA cache_size = -65536",
    "PRAGMA wal_autocheckpoint = 4000",
)
"""What is deleted is overwritten. 64 MiB of page cache; a checkpoint every 16 MiB, since it stops the commits for as long as it lasts."""


class FenceLost(Exception):
    """Another copy has taken the database over: this one must stop."""


class Link(aiosqlite.Connection):
    """An aiosqlite connection that can run a whole function on its thread."""

    async def work(self, function: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Runs `function` on the database's thread and gives its result."""
        result: ResultT = await self._execute(function, self._conn)  # type: ignore[no-untyped-call]  # aiosqlite leaves it untyped
        return result

    async def give_up(self) -> None:
        """Ends a connection that may never have come up, and waits for its thread, which would else speak to a loop that is gone."""
        with contextlib.suppress(sqlite3.Error, ValueError):
            await self.close()
        await asyncio.to_thread(self._thread.join, BUSY_S)


class Database:
    """The open file, owned under `fence` (0: not owned yet)."""

    def __init__(self, link: Link) -> None:
        """Use `open_database`."""
        self._link = link
        self.fence = 0

    async def run(self, function: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Runs `function` on the database's thread; it begins and ends its own transactions (`transact`)."""
        return await self._link.work(function)

    async def transact(self, function: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Runs `function` in one transaction of its own.

        Raises:
            FenceLost: see `transact`.
        """
        fence = self.fence
        return await self._link.work(lambda db: transact(db, fence, function))

    async def close(self) -> None:
        """Ends the connection and its thread, after what was begun."""
        await self._link.close()


async def open_database(path: Path) -> Database:
    """Opens (or makes) the file; nothing is changed in it before somebody owns it.

    Raises:
        ConfigError: the file cannot be opened, or was made by a later version.
    """
    link = Link(lambda: _connect(path), iter_chunk_size=64)
    try:
        await link
        await link.work(version_of)
    except (sqlite3.Error, OSError) as exc:
        await link.give_up()
        raise ConfigError(f"The database of GARITA_CHAT_DATABASE cannot be opened for writing: {exc}.") from exc
    except ConfigError:
        await link.give_up()
        raise
    return Database(link)


def transact(db: sqlite3.Connection, fence: int, function: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
    """Runs `function` between BEGIN and COMMIT on the database's thread; nothing of it stays if it raises.

    Raises:
        FenceLost: the fence is no longer `fence`.
    """
    db.execute("BEGIN IMMEDIATE")
    try:
        check_fence(db, fence)
        result = function(db)
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return result


def check_fence(db: sqlite3.Connection, fence: int) -> None:
    """Lets the owner go on.

    Raises:
        FenceLost: somebody else is the owner now.
    """
    (current,) = db.execute("SELECT fence FROM owner WHERE one = 1").fetchone()
    if current != fence:
        raise FenceLost(f"fence {fence} was overtaken by {current}")


def empty_log(db: sqlite3.Connection) -> bool:
    """Moves the write-ahead log into the file and empties it, so that no earlier version of a row is left there; whether nobody was in the way.

    It waits for no reader, for commits wait meanwhile. Called outside a transaction.
    """
    db.execute("PRAGMA busy_timeout = 0")
    try:
        (is_busy, *_) = db.execute("PRAGMA main.wal_checkpoint(TRUNCATE)").fetchone()
    finally:
        db.execute(f"PRAGMA busy_timeout = {int(BUSY_S * 1000)}")
    return not is_busy


def show_life(db: sqlite3.Connection, now_ms: int) -> None:
    """Writes the owner's sign of life; called within a transaction."""
    db.execute("UPDATE owner SET seen_ms = ? WHERE one = 1", (now_ms,))


def _connect(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    db = sqlite3.connect(
        path, timeout=BUSY_S, isolation_level=None, cached_statements=CACHED_STATEMENTS, check_same_thread=False
    )
    try:
        for pragma in PRAGMAS:
            db.execute(pragma).fetchall()
    except BaseException:
        db.close()
        raise
    return db


def version_of(db: sqlite3.Connection) -> int:
    """The version of the schema; 0 for a new file.

    Raises:
        ConfigError: a later one than this service knows.
    """
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise ConfigError("The database was made by a later version of Garita; this one does not read it.")
    return int(version)


def upgrade(db: sqlite3.Connection) -> None:
    """Brings the schema up to date; called within a transaction.

    Raises:
        ConfigError: it is a later one than this service knows.
    """
    for number in range(version_of(db) + 1, SCHEMA_VERSION + 1):
        for statement in statements_of(
            resources.files(__package__).joinpath(f"schema/{number:04}.sql").read_text("utf-8")
        ):
            db.execute(statement)
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def statements_of(script: str) -> list[str]:
    """A script as single statements: `executescript` would commit the transaction that it runs in."""
    found, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found
