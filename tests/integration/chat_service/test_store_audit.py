"""Rows of the trail, of reports and of the banned."""

from __future__ import annotations

import sqlite3

from chat_service import store_audit
from chat_service.core.moderation import Action, Ban, Entry
from chat_service.core.rooms import User

from .conftest import Desk

ANA, BOB = User("ua", "ana"), User("ub", "bob")


def known(db: sqlite3.Connection) -> None:
    """Both users under the names they have now."""
    db.executemany("INSERT INTO users (id, name, named_ms) VALUES (?, ?, 0)", [("ua", "ana"), ("ub", "roberto")])


async def test_entries_are_numbered_by_room(desk: Desk) -> None:
    """From 1 on in each, read back whole, newest first, with the newest names."""

    def work(db: sqlite3.Connection) -> None:
        known(db)
        entry = Entry("r1", 7, Action.ROLE, by=ANA, user=BOB, note="n", detail={"role": "muted"})
        numbers = [store_audit.add_entry(db, entry) for _ in range(3)]
        other = store_audit.add_entry(db, Entry("r2", 8, Action.REPORT, mid="m"))

        assert (numbers, other) == ([1, 2, 3], 1)
        found = store_audit.entries(db, "r1", None, 2)
        assert [entry.n for entry in found] == [3, 2]
        assert (found[0].by, found[0].user, found[0].detail) == (ANA, User("ub", "roberto"), {"role": "muted"})
        assert [entry.n for entry in store_audit.entries(db, "r1", 2, 2)] == [1]
        (report,) = store_audit.entries(db, "r2", None, 2)
        assert (report.by, report.user, report.mid, report.action) == (None, None, "m", Action.REPORT)

    await desk.run(work)


async def test_a_ban_is_there_until_it_is_taken_back(desk: Desk) -> None:
    """In its room only."""

    def work(db: sqlite3.Connection) -> None:
        known(db)
        store_audit.ban(db, "r1", Ban(BOB, ANA, 5, "n"))

        assert store_audit.is_banned(db, "r1", "ub")
        assert not store_audit.is_banned(db, "r2", "ub")
        assert store_audit.bans(db, "r1", "", 5) == [Ban(User("ub", "roberto"), ANA, 5, "n")]
        assert store_audit.bans(db, "r1", "ub", 5) == []
        store_audit.unban(db, "r1", "ub")
        assert not store_audit.is_banned(db, "r1", "ub")

    await desk.run(work)


async def test_a_report_is_found_by_who_made_it(desk: Desk) -> None:
    """And by nobody else."""

    def work(db: sqlite3.Connection) -> None:
        store_audit.add_report(db, "ua", "m1", "r1", 4)

        assert store_audit.report_of(db, "ua", "m1") == 4
        assert store_audit.report_of(db, "ub", "m1") is None
        assert store_audit.report_of(db, "ua", "m2") is None

    await desk.run(work)
