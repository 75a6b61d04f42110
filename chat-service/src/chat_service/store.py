"""Rows of users, requests, rooms, members and events: all their SQL, one transaction at a time.

A `Store` lives for one transaction and is then thrown away, so whatever it remembers was read inside that transaction and dies with it. Events and
requests are written in one go by `flush` (two statements per batch instead of two per message); a read of such rows flushes first.
Everything here runs on the database's thread.
"""

import sqlite3
from collections.abc import Iterable

from garita_common.core.records import AttachRoom, PersonalEvent, RoomEvent, RoomHead

from . import store_audit
from .core.idempotency import Kept
from .core.moderation import HEIRS, Ban
from .core.paging import Window
from .core.rooms import Kind, Marks, Role, Room, User

EXPECTED_AT_ONCE = 32
_EXPECTED = (
    f"WITH asked (s, c) AS (VALUES {', '.join(['(?, ?)'] * EXPECTED_AT_ONCE)})"  # noqa: S608  # constant
    " SELECT sender, cmid, digest, body FROM asked CROSS JOIN requests ON sender = s AND cmid = c"
)
ROOM_COLUMNS = "rooms.id, kind, title, topic, created_ms, epoch, rooms.head, members, pair"


class Store:
    """One transaction's view; `writes` grows with everything that is changed."""

    def __init__(self, db: sqlite3.Connection, now_ms: int) -> None:
        """Args: db: inside a transaction."""
        self.db = db
        self.writes = 0
        self._now_ms = now_ms
        self._users: dict[str, User | None] = {}
        self._rooms: dict[str, Room | None] = {}
        self._roles: dict[tuple[str, str], Role | None] = {}
        self._marks: dict[tuple[str, str], Marks] = {}
        self._new_marks: dict[tuple[str, str], Marks] = {}
        self._unasked: set[tuple[str, str]] = set()
        self._kept: dict[tuple[str, bytes], Kept] = {}
        self._expected: set[tuple[str, bytes]] = set()
        self._moved: dict[str, Room] = {}
        self._new_events: list[tuple[str, int, bytes | None, str, bytes]] = []
        self._new_kept: list[tuple[str, bytes, bytes, bytes]] = []

    def flush(self) -> None:
        """Writes what was gathered."""
        if self._new_events:
            self.db.executemany(
                "INSERT INTO events (room, seq, mid, leaver, frame) VALUES (?, ?, ?, ?, ?)", self._new_events
            )
            self._new_events.clear()
        if self._new_kept:
            self.db.executemany("INSERT INTO requests (sender, cmid, digest, body) VALUES (?, ?, ?, ?)", self._new_kept)
            self._new_kept.clear()
        if self._moved:
            self.db.executemany(
                "UPDATE rooms SET head = ?, members = ?, epoch = ? WHERE id = ?",
                [(room.head, room.members, room.epoch, room.id) for room in self._moved.values()],
            )
            self._moved.clear()
        if self._new_marks:
            self.db.executemany(
                "UPDATE members SET read = ?, received = ? WHERE room = ? AND user = ?",
                [(marks.read, marks.received, *key) for key, marks in self._new_marks.items()],
            )
            self._new_marks.clear()

    # Users

    def see_user(self, user_id: str, name: str) -> User:
        """The user who says something now, under the name that the gateway vouches for."""
        known = self._users.get(user_id)
        if known is None:
            known = self.user(user_id)
        if known is not None and (known.name == name or not name):
            return known
        self.db.execute(
            "INSERT INTO users (id, name, named_ms) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (id) DO UPDATE SET name = ?2, named_ms = ?3",
            (user_id, name, self._now_ms),
        )
        self.writes += 1
        user = User(user_id, name)
        self._users[user_id] = user
        return user

    def user(self, user_id: str) -> User | None:
        """A user who was here before."""
        if user_id not in self._users:
            row = self.db.execute("SELECT name FROM users WHERE id = ?", (user_id,)).fetchone()
            self._users[user_id] = User(user_id, row[0]) if row else None
        return self._users[user_id]

    def user_named(self, name: str) -> User | None:
        """Who was last seen with this name, in whatever case."""
        row = self.db.execute(
            "SELECT id, name FROM users WHERE name = ? ORDER BY named_ms DESC LIMIT 1", (name,)
        ).fetchone()
        return User(*row) if row else None

    # Requests

    def expect(self, requests: list[tuple[str, bytes]]) -> None:
        """Looks many requests (sender and cmid) up with one statement each so many, for `kept`; a rest is looked up when it is asked for."""
        for start in range(0, len(requests) - EXPECTED_AT_ONCE + 1, EXPECTED_AT_ONCE):
            some = requests[start : start + EXPECTED_AT_ONCE]
            for sender, cmid, *kept in self.db.execute(_EXPECTED, [part for request in some for part in request]):
                self._kept[sender, cmid] = Kept(*kept)
            self._expected.update(some)

    def kept(self, sender: str, cmid: bytes) -> Kept | None:
        """The first answer to a request, from this transaction too."""
        key = (sender, cmid)
        held = self._kept.get(key)
        if held is not None or key in self._expected:
            return held
        row = self.db.execute(
            "SELECT digest, body FROM requests WHERE sender = ? AND cmid = ?", (sender, cmid)
        ).fetchone()
        return Kept(*row) if row else None

    def keep(self, sender: str, cmid: bytes, kept: Kept) -> None:
        """Keeps a first answer for ever."""
        self._kept[(sender, cmid)] = kept
        self._new_kept.append((sender, cmid, kept.digest, kept.body))
        self.writes += 1

    # Rooms

    def room(self, room_id: str) -> Room | None:
        """A room by its id, without asking whether anybody may see it: `access` does that."""
        if room_id not in self._rooms:
            row = self.db.execute(f"SELECT {ROOM_COLUMNS} FROM rooms WHERE id = ?", (room_id,)).fetchone()  # noqa: S608  # constant columns
            self._rooms[room_id] = _room(row) if row else None
        return self._rooms[room_id]

    def direct_room(self, pair: tuple[str, str]) -> Room | None:
        """The one direct room of two users."""
        row = self.db.execute("SELECT id FROM rooms WHERE pair = ?", (" ".join(pair),)).fetchone()
        return self.room(row[0]) if row else None

    def add_room(self, room: Room) -> None:
        """A new, empty room."""
        self.db.execute(
            "INSERT INTO rooms (id, kind, title, topic, created_ms, epoch, head, members, pair)"
            " VALUES (?, ?, ?, ?, ?, ?, 0, 0, ?)",
            (
                room.id,
                room.kind.value,
                room.title,
                room.topic,
                room.created_ms,
                room.epoch,
                " ".join(room.pair) if room.pair else None,
            ),
        )
        self._rooms[room.id] = room
        self.writes += 1

    def set_epoch(self, room: Room, epoch: str) -> None:
        """Says that this room's history is not the one that was known before."""
        room.epoch = epoch
        self._moved[room.id] = room
        self.writes += 1

    def describe(self, room: Room, title: str | None, topic: str) -> None:
        """Gives a room this title and topic."""
        self.db.execute("UPDATE rooms SET title = ?, topic = ? WHERE id = ?", (title, topic, room.id))
        room.title, room.topic = title, topic
        self.writes += 1

    def rooms_of(self, user: str, after: str, limit: int) -> list[Room]:
        """A user's rooms by id, after one."""
        self.flush()
        rows = self.db.execute(
            f"SELECT {ROOM_COLUMNS} FROM members JOIN rooms ON rooms.id = members.room"  # noqa: S608  # constant columns
            " WHERE user = ? AND room > ? ORDER BY room LIMIT ?",
            (user, after, limit),
        )
        return [_room(row) for row in rows]

    def public_rooms(self, user: str, after: str, limit: int) -> list[Room]:
        """The public rooms by id, after one, but for those that the user is banned from."""
        self.flush()
        rows = self.db.execute(
            f"SELECT {ROOM_COLUMNS} FROM rooms WHERE kind = 'public' AND id > ?"  # noqa: S608  # constant columns
            " AND NOT EXISTS (SELECT 1 FROM banned WHERE banned.room = rooms.id AND banned.user = ?)"
            " ORDER BY id LIMIT ?",
            (after, user, limit),
        )
        return [_room(row) for row in rows]

    def count_rooms_of(self, user: str) -> int:
        """How many rooms a user is in."""
        return int(self.db.execute("SELECT count(*) FROM members WHERE user = ?", (user,)).fetchone()[0])

    def count_unasked(self, user: str) -> int:
        """In how many direct rooms a user is that others began, without having said anything there."""
        row = self.db.execute("SELECT count(*) FROM members WHERE user = ? AND unasked = 1", (user,)).fetchone()
        return int(row[0])

    # Members, invitations and who is kept out

    def role(self, room: str, user: str) -> Role | None:
        """A user's role in a room, or nothing for who is not in it."""
        key = (room, user)
        if key not in self._roles:
            row = self.db.execute("SELECT role, unasked FROM members WHERE room = ? AND user = ?", key).fetchone()
            self._roles[key] = Role(row[0]) if row else None
            if row and row[1]:
                self._unasked.add(key)
        return self._roles[key]

    def answer(self, room: str, user: str) -> None:
        """A member says something: from now on the room is one that the user wants. Costs nothing where it was."""
        if self.role(room, user) is not None and (room, user) in self._unasked:
            self.db.execute("UPDATE members SET unasked = 0 WHERE room = ? AND user = ?", (room, user))
            self._unasked.remove((room, user))
            self.writes += 1

    def set_role(self, room: str, user: str, role: Role) -> None:
        """Gives a member another role."""
        self.db.execute("UPDATE members SET role = ? WHERE room = ? AND user = ?", (role.value, room, user))
        self._roles[(room, user)] = role
        self.writes += 1

    def count_owners(self, room: str) -> int:
        """How many owners a room has."""
        row = self.db.execute("SELECT count(*) FROM members WHERE room = ? AND role = 'owner'", (room,)).fetchone()
        return int(row[0])

    def heir(self, room: str) -> User | None:
        """Who would be a room's next owner: of the highest role that may inherit, the one who has been there longest."""
        for role in HEIRS:
            row = self.db.execute(
                "SELECT user FROM members WHERE room = ? AND role = ? ORDER BY since, user LIMIT 1", (room, role.value)
            ).fetchone()
            if row is not None:
                return self.user(row[0]) or User(row[0], "")
        return None

    def is_banned(self, room: str, user: str) -> bool:
        """Whether a user is kept out."""
        return store_audit.is_banned(self.db, room, user)

    def ban(self, room: str, ban: Ban) -> None:
        """Keeps a user out; an invitation ends."""
        store_audit.ban(self.db, room, ban)
        self.db.execute("DELETE FROM invitations WHERE room = ? AND user = ?", (room, ban.user.id))
        self.writes += 1

    def unban(self, room: str, user: str) -> None:
        """Lets a user in again."""
        store_audit.unban(self.db, room, user)
        self.writes += 1

    def is_invited(self, room: str, user: str) -> bool:
        """Whether an invitation waits."""
        found = self.db.execute("SELECT 1 FROM invitations WHERE room = ? AND user = ?", (room, user)).fetchone()
        return found is not None

    def invite(self, room: str, user: str, by: str) -> None:
        """Keeps an invitation until it is used."""
        self.db.execute("INSERT INTO invitations (room, user, by, created_ms) VALUES (?, ?, ?, ?)",
                        (room, user, by, self._now_ms))  # fmt: skip
        self.writes += 1

    def add_member(self, room: Room, user: str, role: Role, *, unasked: bool = False) -> None:
        """Puts a user into a room, before the event that says so; an invitation is used up by it. Args: unasked: into a direct room, by the other one."""
        self.db.execute(
            "INSERT INTO members (room, user, role, since, unasked) VALUES (?, ?, ?, ?, ?)",
            (room.id, user, role.value, room.head + 1, unasked),
        )
        self.db.execute("DELETE FROM invitations WHERE room = ? AND user = ?", (room.id, user))
        self._roles[(room.id, user)] = role
        if unasked:
            self._unasked.add((room.id, user))
        self._count(room, +1)

    def remove_member(self, room: Room, user: str) -> None:
        """Takes a user out of a room."""
        self.db.execute("DELETE FROM members WHERE room = ? AND user = ?", (room.id, user))
        self._roles[(room.id, user)] = None
        self._marks.pop((room.id, user), None)
        self._new_marks.pop((room.id, user), None)
        self._unasked.discard((room.id, user))
        self._count(room, -1)

    def marks(self, room: str, user: str) -> Marks:
        """How far a member has come."""
        key = (room, user)
        if key not in self._marks:
            row = self.db.execute("SELECT read, received FROM members WHERE room = ? AND user = ?", key).fetchone()
            self._marks[key] = Marks(*row) if row else Marks(0, 0)
        return self._marks[key]

    def set_marks(self, room: str, user: str, marks: Marks) -> None:
        """Says how far a member has come; one row is written, however often it is said in a transaction."""
        self._marks[(room, user)] = self._new_marks[(room, user)] = marks
        self.writes += 1

    def members(self, room: str, after: str, limit: int) -> list[tuple[User, Role, Marks]]:
        """A room's members by id, after one."""
        self.flush()
        rows = self.db.execute(
            "SELECT user, coalesce(users.name, ''), role, read, received FROM members LEFT JOIN users ON users.id = members.user"
            " WHERE room = ? AND user > ? ORDER BY user LIMIT ?",
            (room, after, limit),
        )
        return [(User(user, name), Role(role), Marks(read, got)) for user, name, role, read, got in rows]

    # Events

    def append(self, room: Room, frame: bytes, *, mid: bytes | None = None, leaver: str = "") -> RoomEvent:
        """Stores a room's next event; `frame` already carries `room.head + 1`."""
        room.head += 1
        self._moved[room.id] = room
        self._new_events.append((room.id, room.head, mid, leaver, frame))
        self.writes += 1
        return RoomEvent(room.head, frame, leaver)

    def events(self, room: str, window: Window, limit: int) -> list[RoomEvent]:
        """Up to `limit` events of a window in ascending seq, from its newest or its oldest end."""
        self.flush()
        order = "DESC" if window.newest_first else "ASC"
        rows = self.db.execute(
            f"SELECT seq, frame, leaver FROM events WHERE room = ? AND seq BETWEEN ? AND ? ORDER BY seq {order} LIMIT ?",  # noqa: S608  # two constants
            (room, window.low, window.high, limit),
        ).fetchall()
        return [RoomEvent(*row) for row in (reversed(rows) if window.newest_first else rows)]

    def is_message_of(self, room: str, mid: bytes) -> bool:
        """Whether this message is one of this room."""
        self.flush()
        row = self.db.execute("SELECT room FROM events WHERE mid = ?", (mid,)).fetchone()
        return row is not None and row[0] == room

    def heads(self, rooms: Iterable[str]) -> list[RoomHead]:
        """Where those of these rooms that exist have their heads."""
        found = (self.room(room) for room in rooms)
        return [RoomHead(room.id, room.epoch, room.head) for room in found if room is not None]

    # Personal logs

    def notice_head(self, user: str) -> int:
        """The newest seq of a user's own log; 0 when it is empty."""
        row = self.db.execute("SELECT head FROM users WHERE id = ?", (user,)).fetchone()
        return int(row[0]) if row else 0

    def append_notice(self, user: str, frame: bytes, attach: AttachRoom | None) -> PersonalEvent:
        """Stores the next entry of a user's own log; `frame` already carries `notice_head + 1`."""
        (seq,) = self.db.execute("UPDATE users SET head = head + 1 WHERE id = ? RETURNING head", (user,)).fetchone()
        room, epoch, start = (attach.room, attach.epoch, attach.seq) if attach else (None, None, None)
        self.db.execute(
            "INSERT INTO notices (user, seq, attach_room, attach_epoch, attach_seq, frame) VALUES (?, ?, ?, ?, ?, ?)",
            (user, seq, room, epoch, start, frame),
        )
        self.writes += 1
        return PersonalEvent(seq, frame, attach)

    def notices(self, user: str, after: int, limit: int) -> list[PersonalEvent]:
        """Entries of a user's own log after a seq."""
        rows = self.db.execute(
            "SELECT seq, frame, attach_room, attach_epoch, attach_seq FROM notices"
            " WHERE user = ? AND seq > ? ORDER BY seq LIMIT ?",
            (user, after, limit),
        )
        return [
            PersonalEvent(seq, frame, AttachRoom(room, epoch, start) if room is not None else None)
            for seq, frame, room, epoch, start in rows
        ]

    def _count(self, room: Room, change: int) -> None:
        room.members += change
        self._moved[room.id] = room
        self.writes += 1


def _room(row: tuple[str, str, str | None, str, int, str, int, int, str | None]) -> Room:
    room_id, kind, title, topic, created_ms, epoch, head, members, pair = row
    first, _, second = (pair or "").partition(" ")
    return Room(room_id, Kind(kind), title, topic, created_ms, epoch, head, members, (first, second) if pair else None)
