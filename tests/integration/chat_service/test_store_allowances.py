"""Rows of what was used up."""

from __future__ import annotations

import sqlite3

from chat_service import store_allowances

from .conftest import Desk


async def test_a_day_is_counted_and_then_forgotten(desk: Desk) -> None:
    """One row per user and thing, whatever the day; others' are others'."""

    def work(db: sqlite3.Connection) -> None:
        for _ in range(3):
            store_allowances.use(db, "ua", "reports", 100)
        assert store_allowances.used(db, "ua", "reports", 100) == 3
        assert store_allowances.used(db, "ub", "reports", 100) == 0
        assert store_allowances.used(db, "ua", "rooms", 100) == 0
        assert store_allowances.used(db, "ua", "reports", 101) == 0

        store_allowances.use(db, "ua", "reports", 101)
        assert store_allowances.used(db, "ua", "reports", 101) == 1
        assert db.execute("SELECT count(*) FROM allowances").fetchone() == (1,)

    await desk.run(work)
