"""The account database: opening, upgrading, and the one way to change it.

Everything that changes goes through `writing`: one connection, one transaction at a time, BEGIN IMMEDIATE to COMMIT, `synchronous=FULL`. A transaction
holds all that belongs together (the account and its first session, the ended session and its revocation, the code and the message with it), so that a
process killed at any point leaves all of it or none. Reads have a connection of their own and never see half a transaction.
"""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path
from typing import TypeAlias

import aiosqlite

Value: TypeAlias = str | int | float | bytes | None
Row: TypeAlias = sqlite3.Row
Db: TypeAlias = aiosqlite.Connection

BUSY_S = 5.0


class SchemaTooNew(Exception):
    """The database was written by a later version of this service."""


async def run(db: Db, sql: str, parameters: Sequence[Value] = ()) -> int:
    """Carries out one statement; returns how many rows it changed."""
    async with db.execute(sql, parameters) as cursor:
        return cursor.rowcount


async def one(db: Db, sql: str, parameters: Sequence[Value] = ()) -> Row | None:
    """The first row of an answer."""
    rows = await rows_of(db, sql, parameters)
    return rows[0] if rows else None


async def rows_of(db: Db, sql: str, parameters: Sequence[Value] = ()) -> list[Row]:
    """All rows of an answer, in one trip to the connection's thread. RETURNING answers too."""
    rows: Iterable[Row] = await db.execute_fetchall(sql, parameters)
    return list(rows)


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
            try:
                await self._writer.execute("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.execute("COMMIT")
            except BaseException:
                await self._undo()
                raise

    async def _undo(self) -> None:
        """Rolls back whatever is open. A cancelled statement still runs in the connection's thread, so this waits its turn behind it, also behind a COMMIT
        that nobody waits for any more: then there is nothing left to undo.
        """
        try:
            await self._writer.execute("ROLLBACK")
        except sqlite3.OperationalError:
            pass


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
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",
            "foreign_keys = ON",
            "secure_delete = ON",  # what is removed (codes, successors of refresh tokens) is gone from the file too
            "trusted_schema = OFF",
        ):
            await db.execute(f"PRAGMA {pragma}")
        yield db


async def _upgrade(db: Db) -> None:
    steps = _steps()
    row = await one(db, "PRAGMA user_version")
    version = int(row[0]) if row else 0
    if version > len(steps):
        raise SchemaTooNew(f"The account database is of version {version}; this program knows {len(steps)}.")
    for number, script in enumerate(steps[version:], version + 1):
        await db.executescript(f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;")


def _steps() -> list[str]:
    folder = resources.files("auth_service").joinpath("schema")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [file.read_text(encoding="utf-8") for file in files]
