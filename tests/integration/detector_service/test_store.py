"""detector_service.store: opening, upgrading, transactions."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from detector_service import store as database
from detector_service.store import SchemaTooNew, one, rows_of


async def test_a_new_database_is_private_durable_and_strict(tmp_path: Path) -> None:
    """WAL, full synchronisation, foreign keys, and a file only its owner reads."""
    path = tmp_path / "sub" / "detector.sqlite3"
    async with database.opened(path) as store, store.writing() as db:
        settings = [
            (await rows_of(db, f"PRAGMA {name}"))[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
        tables = await rows_of(
            db,
            "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND NOT strict AND name NOT LIKE 'sqlite_%'",
        )

    assert settings == ["wal", 2, 1]
    assert tables == []
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_database_opens_again_with_all_it_held(tmp_path: Path) -> None:
    """And its version is not raised twice."""
    path = tmp_path / "detector.sqlite3"
    for expected in (0, 1):
        async with database.opened(path) as store:
            assert len(await rows_of(store.reading, "SELECT * FROM accounts")) == expected
            async with store.writing() as db:
                await db.execute("INSERT INTO accounts VALUES ('u1', 5) ON CONFLICT DO NOTHING")


async def test_a_transaction_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """And the next one works."""
    async with database.opened(tmp_path / "detector.sqlite3") as store:
        with pytest.raises(sqlite3.IntegrityError):
            async with store.writing() as db:
                await db.execute("INSERT INTO accounts VALUES ('u1', 5)")
                await db.execute("INSERT INTO accounts VALUES ('u1', 6)")
        async with store.writing() as db:
            await db.execute("INSERT INTO accounts VALUES ('u2', 5)")

        rows = await rows_of(store.reading, "SELECT user FROM accounts")
        assert [row["user"] for row in rows] == ["u2"]
        assert await store.answers()


async def test_operators_only_read(tmp_path: Path) -> None:
    """Their connection cannot write at all."""
    async with database.opened(tmp_path / "detector.sqlite3") as store:
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            await one(store.reading, "DELETE FROM bans")


async def test_a_database_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """Nothing is guessed about it."""
    path = tmp_path / "detector.sqlite3"
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(SchemaTooNew, match="version 99"):
        async with database.opened(path):
            pass
