"""Who is there before a stack starts: users, rooms and members, and what they have said so far, put into the store's own file by the store's own code.

Users and rooms have numbers; their ids follow from them.
"""

import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from chat_service import store_search
from chat_service.core import speech
from chat_service.core.rooms import Kind, Role, Room, User
from chat_service.database import upgrade
from chat_service.store import Store
from garita_common.core import ids

BORN_MS = 1_700_000_000_000
ROWS_AT_ONCE = 20_000
INDEX_SUFFIX = "-search"


@dataclass(frozen=True)
class Town:
    """`rooms`: per room the numbers of its members. `said`: messages that are stored already, spread evenly over the rooms."""

    users: int
    rooms: list[list[int]] = field(default_factory=list)
    said: int = 0


def user_id(number: int) -> str:
    """A user's id."""
    return ids.user_id(number.to_bytes(16, "big"))


def user_name(number: int) -> str:
    """A user's name."""
    return f"user{number}"


def room_id(number: int) -> str:
    """A room's id."""
    return ids.room_id(number.to_bytes(16, "big"))


def settle_in(town: Town, path: Path) -> None:
    """Writes a town into a new database; nothing waits for the disk, since nobody depends on it yet."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = OFF")
        db.execute("BEGIN")
        upgrade(db)
        _people(db, town)
        for start in range(0, town.said, ROWS_AT_ONCE):
            _words(db, town, range(start, min(start + ROWS_AT_ONCE, town.said)))
        db.execute("UPDATE rooms SET published = head")  # what was said has gone out long ago
        db.execute("COMMIT")
    if town.said:
        _index(path)


def _index(path: Path) -> None:
    """Fills the search index, as the service would do in its own time: what is measured later is not its catching up."""
    with closing(store_search.connect(path.with_name(path.name + INDEX_SUFFIX), path)) as db:
        db.execute("PRAGMA synchronous = OFF")
        rooms = store_search.unindexed(db)
        while rooms:
            rooms = store_search.follow(db, rooms, ROWS_AT_ONCE)


def _people(db: sqlite3.Connection, town: Town) -> None:
    store = Store(db, BORN_MS)
    for number in range(town.users):
        store.see_user(user_id(number), user_name(number))
    for number, members in enumerate(town.rooms):
        room = Room(
            id=room_id(number), kind=Kind.PRIVATE, title=f"Room {number}", topic="", created_ms=BORN_MS, epoch="e1", head=0,
            members=0,
        )  # fmt: skip
        store.add_room(room)
        for place, member in enumerate(members):
            store.add_member(room, user_id(member), Role.MEMBER if place else Role.OWNER)
    store.flush()


def _words(db: sqlite3.Connection, town: Town, numbers: range) -> None:
    """Messages by their rooms' first members, in turn over the rooms."""
    store = Store(db, BORN_MS)
    for number in numbers:
        place = number % len(town.rooms)
        sender = town.rooms[place][0]
        room = store.room(room_id(place))
        assert room is not None
        mid = ids.uuid7(BORN_MS + number, number.to_bytes(10, "big"))
        message = speech.Message(
            room=room.id, epoch=room.epoch, seq=room.head + 1, ts=BORN_MS + number,
            user=speech.ref(User(user_id(sender), user_name(sender))), mid=mid, cmid=str(uuid.UUID(int=number)),
            text=f"what was said before, number {number}",
        )  # fmt: skip
        store.append(room, speech.encode(message), mid=uuid.UUID(mid).bytes)
    store.flush()
    db.executemany(
        "INSERT INTO requests (sender, cmid, digest, body) VALUES (?, ?, ?, ?)",
        [
            (user_id(town.rooms[number % len(town.rooms)][0]), uuid.UUID(int=number).bytes, bytes(32), b"{}")
            for number in numbers
        ],
    )
