"""Rows of rooms and events: what is read back is what was written, also before it is flushed; and how they are found."""

from __future__ import annotations

import sqlite3

import pytest

from chat_service.core.idempotency import Kept
from chat_service.core.paging import Window
from chat_service.core.rooms import Kind, Role, Room
from chat_service.store import Store
from garita_common.core.records import AttachRoom

from .conftest import Desk

ROOM = "r" + "0" * 32


def new_room(store: Store) -> Room:
    """A stored, empty room."""
    room = Room(ROOM, Kind.PUBLIC, "Plaza", "", 5, "e", 0, 0)
    store.add_room(room)
    return room


async def test_a_read_sees_what_is_not_flushed_yet(desk: Desk) -> None:
    """Events, heads and lists within one transaction."""

    def work(db: sqlite3.Connection) -> None:
        store = Store(db, 7)
        room = new_room(store)
        store.see_user("u1", "ana")
        store.add_member(room, "u1", Role.OWNER)
        store.append(room, b"one", mid=b"m" * 16)
        store.append(room, b"two", leaver="u2")

        found = store.events(ROOM, Window(1, 2, newest_first=False), 10)

        assert [(event.seq, event.frame, event.left) for event in found] == [(1, b"one", ""), (2, b"two", "u2")]
        assert store.is_message_of(ROOM, b"m" * 16)
        assert not store.is_message_of("r1", b"m" * 16)
        assert [room.head for room in store.rooms_of("u1", "", 10)] == [2]
        assert [room.members for room in store.public_rooms("u", "", 10)] == [1]

    await desk.run(work)


async def test_a_store_reads_back_what_another_wrote(desk: Desk) -> None:
    """Every field of a room, roles, kept answers, personal entries."""
    pair = ("u1", "u2")

    def write(db: sqlite3.Connection) -> None:
        store = Store(db, 7)
        store.see_user("u1", "ana")
        room = Room(ROOM, Kind.DIRECT, None, "", 5, "e", 0, 0, pair)
        store.add_room(room)
        store.add_member(room, "u1", Role.MEMBER)
        store.keep("u1", b"c" * 16, Kept(b"d" * 32, b"{}"))
        store.append_notice("u1", b"n", AttachRoom(ROOM, "e", 0))
        store.append_notice("u1", b"n2", None)
        store.flush()

    def read(db: sqlite3.Connection) -> None:
        store = Store(db, 8)
        assert store.direct_room(pair) == Room(ROOM, Kind.DIRECT, None, "", 5, "e", 0, 1, pair)
        assert store.role(ROOM, "u1") is Role.MEMBER
        assert store.role(ROOM, "u2") is None
        assert store.kept("u1", b"c" * 16) == Kept(b"d" * 32, b"{}")
        assert store.kept("u2", b"c" * 16) is None
        assert store.notice_head("u1") == 2
        assert [event.attach for event in store.notices("u1", 0, 5)] == [AttachRoom(ROOM, "e", 0), None]

    await desk.run(write)
    await desk.run(read)


async def test_a_name_belongs_to_whoever_was_seen_with_it_last(desk: Desk) -> None:
    """Names can pass on; case makes no difference."""

    def work(db: sqlite3.Connection) -> None:
        Store(db, 1).see_user("u1", "Ana")
        Store(db, 2).see_user("u2", "ana")

        found = Store(db, 3).user_named("ANA")

        assert found is not None
        assert found.id == "u2"
        assert Store(db, 3).user_named("bob") is None

    await desk.run(work)


async def test_a_seq_is_taken_once(desk: Desk) -> None:
    """The table itself refuses a second event with the same seq: a gap or a double cannot be stored."""
    await desk.run(lambda db: db.execute("INSERT INTO events VALUES ('r1', 1, NULL, '', x'00')"))

    with pytest.raises(sqlite3.IntegrityError):
        await desk.run(lambda db: db.execute("INSERT INTO events VALUES ('r1', 1, NULL, '', x'01')"))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT seq, frame, leaver FROM events WHERE room = ? AND seq BETWEEN ? AND ? ORDER BY seq DESC LIMIT ?",
        "SELECT room FROM events WHERE mid = ?",
        "SELECT digest, body FROM requests WHERE sender = ? AND cmid = ?",
        "SELECT role FROM members WHERE room = ? AND user = ?",
        "SELECT count(*) FROM members WHERE user = ?",
        "SELECT id FROM rooms WHERE pair = ?",
        "SELECT id, name FROM users WHERE name = ? ORDER BY named_ms DESC LIMIT 1",
        "SELECT id FROM rooms WHERE kind = 'public' AND id > ? ORDER BY id LIMIT ?",
        "SELECT id FROM uploads WHERE state <> 'finished' AND cleared = 0 AND created_ms < ? ORDER BY created_ms LIMIT ?",
        "SELECT coalesce(sum(state = 'open'), 0), coalesce(sum(size), 0) FROM uploads WHERE user = ? AND created_ms > ?",
    ],
)
async def test_no_question_walks_a_table(desk: Desk, sql: str) -> None:
    """The cost of a message does not grow with rooms, members elsewhere or history: each is a search by key, without sorting."""
    plan = await desk.run(lambda db: db.execute("EXPLAIN QUERY PLAN " + sql, [1] * sql.count("?")).fetchall())

    for step in plan:
        assert step[3].startswith("SEARCH"), plan
