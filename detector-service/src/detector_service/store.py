"""The detector's database: opening, upgrading, and the one way to change it.

One connection writes, one transaction at a time, BEGIN IMMEDIATE to COMMIT with `synchronous=FULL`: a batch's events, the decisions made of them and their
bans are one transaction, so a process killed at any point leaves all of it or none. Operators read through a connection of their own.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import aiosqlite

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = sqlite3.Row
Db: TypeAlias = aiosqlite.Connection

BUSY_S = 5.0
PRAGMAS = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cache_size = -16384",
    "wal_autocheckpoint = 4000",
)
"""16 MiB of page cache: the newest ends of six indexes, which every batch writes to. A checkpoint every 16 MiB, since many batches write the same pages."""


class SchemaTooNew(Exception):
    """The database was written by a later version of this service."""


async def rows_of(db: Db, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
    """All rows of an answer."""
    return list(await db.execute_fetchall(sql, parameters))


async def one(db: Db, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
    """The first row of an answer."""
    rows = await rows_of(db, sql, parameters)
    return rows[0] if rows else None


class Store:
    """The open database."""

    def __init__(self, writer: Db, reader: Db) -> None:
        """Use `opened`."""
        self._writer = writer
        self._lock = asyncio.Lock()
        self.reading = reader

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Db]:
        """One transaction: committed at the end of the block, rolled back when it raises."""
        async with self._lock:
            await self._writer.execute("BEGIN IMMEDIATE")
            try:
                yield self._writer
                await self._writer.execute("COMMIT")
            except BaseException:
                if self._writer.in_transaction:
                    await self._writer.execute("ROLLBACK")
                raise

    async def answers(self) -> bool:
        """Whether the database can be read."""
        try:
            async with asyncio.timeout(BUSY_S):
                return bool(await rows_of(self.reading, "SELECT count(*) FROM sqlite_master"))
        except (sqlite3.Error, TimeoutError):
            return False


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    """The database at `path`, made if there is none, upgraded if it is of an earlier version.

    Raises:
        SchemaTooNew: it is of a later version.
    """
    await asyncio.to_thread(_make, path)
    async with _connection(path) as writer:
        await _upgrade(writer)
        async with _connection(path) as reader:
            await reader.execute("PRAGMA query_only = ON")
            yield Store(writer, reader)


def _make(path: Path) -> None:
    """An empty file that only its owner reads; SQLite gives its log files the same mode."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600, exist_ok=True)


@asynccontextmanager
async def _connection(path: Path) -> AsyncIterator[Db]:
    async with aiosqlite.connect(path, isolation_level=None, timeout=BUSY_S) as db:
        db.row_factory = sqlite3.Row
        for pragma in PRAGMAS:
            await db.execute(f"PRAGMA {pragma}")
        yield db


async def _upgrade(db: Db) -> None:
    steps = await asyncio.to_thread(_steps)
    row = await one(db, "PRAGMA user_version")
    version = int(row[0]) if row else 0
    if version > len(steps):
        raise SchemaTooNew(f"The detector's database is of version {version}; this program knows {len(steps)}.")
    for number, script in enumerate(steps[version:], version + 1):
        await db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _steps() -> list[str]:
    folder = resources.files("detector_service").joinpath("schema")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files]
