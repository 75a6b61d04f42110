"""Rows of the search index: all its SQL. The index is the main schema of its connection; the events are attached to it, read-only, as `chat`.

It follows each room's events in `seq` order: a message is added, an edited one put in anew, a deleted one taken out. What an event says is looked up
in the message as it stands now, so going through events twice, or late, ends in the same index. Everything here runs on the index's own thread.
"""

import sqlite3
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import msgspec
from msgspec import Struct

from .core import terms
from .database import statements_of

VERSION = 1
PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = NORMAL",
    "PRAGMA secure_delete = ON",
    "PRAGMA cache_size = -16384",
)
"""Not synced with every commit: what a power cut takes is indexed again, its mark went with it."""
SLOT_BITS = 11
"""`n` is Unix milliseconds × 2048 and a number among the messages of that millisecond: under 2^53 until the year 2109."""
MERGE_PAGES = 64
"""About 5 ms of work."""
_AMENDMENTS = (b'{"op":"edited",', b'{"op":"deleted",')


class _Said(Struct):
    ts: int
    text: str = ""


class _Amended(Struct):
    of: int


_decode_said = msgspec.json.Decoder(_Said).decode
_decode_amended = msgspec.json.Decoder(_Amended).decode

Place = tuple[int, int]
"""A room's number, and a seq."""


@dataclass(frozen=True, slots=True)
class Unindexed:
    """A room's events that are not in the index yet: `seq` is the mark, `number` the room's."""

    number: int
    id: str
    seq: int


def connect(index: Path, database: Path) -> sqlite3.Connection:
    """Opens the index for writing, made anew if it is of another version or does not fit the events."""
    try:
        db = _open(index, database)
        if _fits(db):
            return db
        db.close()
    except sqlite3.DatabaseError as exc:
        if isinstance(exc, sqlite3.OperationalError):  # the disk or a lock, not what the file holds
            raise
    for suffix in ("", "-wal", "-shm"):
        index.with_name(index.name + suffix).unlink(missing_ok=True)
    return _open(index, database)


def connect_reader(index: Path, database: Path) -> sqlite3.Connection:
    """Opens the events for reading only, with the index attached as `search`."""
    db = sqlite3.connect(_read_only(database), uri=True, isolation_level=None, check_same_thread=False)
    try:
        db.execute("ATTACH DATABASE ? AS search", (_read_only(index),))
    except BaseException:
        db.close()
        raise
    return db


def unindexed(db: sqlite3.Connection) -> list[str]:
    """Every room with events that are not in the index."""
    rows = db.execute(
        "SELECT theirs.id FROM chat.rooms AS theirs LEFT JOIN rooms USING (id)"
        " WHERE rooms.seq IS NULL OR rooms.seq < theirs.head OR rooms.epoch <> theirs.epoch"
    )
    return [row[0] for row in rows]


def follow(db: sqlite3.Connection, rooms: list[str], limit: int) -> list[str]:
    """Brings up to `limit` events of these rooms into the index, in one transaction; gives the rooms that have more."""
    slice_ = _Slice(db)
    left: list[str] = []
    db.execute("BEGIN IMMEDIATE")
    try:
        for room in rooms:
            if limit <= 0:
                left.append(room)
                continue
            found = slice_.read(_room(db, room), limit)
            limit -= found
            if limit <= 0:
                left.append(room)
        slice_.write()
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    return left


def wanted_purge(db: sqlite3.Connection) -> int:
    """How often something was taken out that may still be in the segments."""
    return int(db.execute("SELECT wanted FROM purge").fetchone()[0])


def merge(db: sqlite3.Connection, *, first: bool) -> bool:
    """One step of writing the segments anew without what was taken out; whether that was the last."""
    before = db.total_changes
    db.execute("INSERT INTO terms (terms, rank) VALUES ('merge', ?)", (-MERGE_PAGES if first else MERGE_PAGES,))
    return db.total_changes - before < 2  # FTS5 §6.9: a step that changed nothing counts as one change


def purged(db: sqlite3.Connection, wanted: int) -> None:
    """Says that what was wanted is done."""
    db.execute("UPDATE purge SET wanted = wanted - ?", (wanted,))


def number_of(reader: sqlite3.Connection, room: str) -> int | None:
    """Under which number a room is in the index."""
    row = reader.execute("SELECT number FROM search.rooms WHERE id = ?", (room,)).fetchone()
    return int(row[0]) if row else None


def found(reader: sqlite3.Connection, match: str, window: tuple[int, int], limit: int) -> list[int]:
    """The newest `n` between two (both exclusive) that match."""
    rows = reader.execute(
        "SELECT rowid FROM search.terms WHERE terms MATCH ? AND rowid > ? AND rowid < ? ORDER BY rowid DESC LIMIT ?",
        (match, *window, limit),
    )
    return [row[0] for row in rows]


def frame_of(reader: sqlite3.Connection, n: int) -> bytes | None:
    """The message that was found, as it stands now; nothing if it was taken away meanwhile."""
    row = reader.execute(
        "SELECT frame FROM search.docs JOIN search.rooms ON number = docs.room"
        " JOIN main.events ON events.room = rooms.id AND events.seq = docs.seq WHERE n = ? AND mid IS NOT NULL",
        (n,),
    ).fetchone()
    return row[0] if row is not None and _decode_said(row[0]).text else None


class _Slice:
    """One transaction's changes, gathered so that the index gets them in the order of `n`, as it likes best."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._new: dict[Place, tuple[int, str]] = {}
        self._removed = 0

    def read(self, room: Unindexed, limit: int) -> int:
        """Takes in a room's next events; gives their number."""
        rows = self._db.execute(
            "SELECT seq, mid IS NOT NULL, frame FROM chat.events WHERE room = ? AND seq > ? ORDER BY seq LIMIT ?",
            (room.id, room.seq, limit),
        ).fetchall()
        for seq, is_message, frame in rows:
            if is_message:
                self._put(room.number, seq, frame)
            elif frame.startswith(_AMENDMENTS):
                self._put_again(room, _decode_amended(frame).of)
        if rows:
            self._db.execute("UPDATE rooms SET seq = ? WHERE number = ?", (rows[-1][0], room.number))
        return len(rows)

    def write(self) -> None:
        """Writes what was gathered."""
        last = -1
        docs = []
        for (number, seq), (ts, words) in sorted(self._new.items(), key=lambda item: (item[1][0], item[0])):
            last = max(last + 1, self._free(max(ts, (last + 1) >> SLOT_BITS)))
            docs.append((last, number, seq, words))
        self._db.executemany("INSERT INTO docs (n, room, seq, words) VALUES (?, ?, ?, ?)", docs)
        self._db.executemany("INSERT INTO terms (rowid, words) VALUES (?, ?)", [(doc[0], doc[3]) for doc in docs])
        if self._removed:
            self._db.execute("UPDATE purge SET wanted = wanted + ?", (self._removed,))

    def _put(self, number: int, seq: int, frame: bytes) -> None:
        said = _decode_said(frame)
        if words := terms.words_in(said.text):
            self._new[number, seq] = (said.ts, terms.tokens(number, words))

    def _put_again(self, room: Unindexed, of: int) -> None:
        self._new.pop((room.number, of), None)
        row = self._db.execute("SELECT n, words FROM docs WHERE room = ? AND seq = ?", (room.number, of)).fetchone()
        if row is not None:
            self._db.execute("INSERT INTO terms (terms, rowid, words) VALUES ('delete', ?, ?)", row)
            self._db.execute("DELETE FROM docs WHERE n = ?", row[:1])
            self._removed += 1
        now = self._db.execute("SELECT frame FROM chat.events WHERE room = ? AND seq = ?", (room.id, of)).fetchone()
        self._put(room.number, of, now[0])

    def _free(self, ts: int) -> int:
        """The first `n` from a time on that is free; a millisecond that is full runs over into the next."""
        while True:
            low, high = ts << SLOT_BITS, (ts + 1) << SLOT_BITS
            (n,) = self._db.execute("SELECT max(n) FROM docs WHERE n >= ? AND n < ?", (low, high)).fetchone()
            if n is None:
                return low
            if n + 1 < high:
                return int(n) + 1
            ts += 1


def _room(db: sqlite3.Connection, room: str) -> Unindexed:
    """Where the index stands in a room; from the beginning, under a new number, if the room's history is another than it was."""
    (epoch,) = db.execute("SELECT epoch FROM chat.rooms WHERE id = ?", (room,)).fetchone()
    row = db.execute("SELECT number, seq FROM rooms WHERE id = ? AND epoch = ?", (room, epoch)).fetchone()
    if row is not None:
        return Unindexed(row[0], room, row[1])
    db.execute("DELETE FROM rooms WHERE id = ?", (room,))
    row = db.execute(
        "INSERT INTO rooms (number, id, epoch, seq)"
        " VALUES ((SELECT 1 + max(coalesce((SELECT max(number) FROM rooms), 0), coalesce((SELECT max(room) FROM docs), 0))), ?, ?, 0)"
        " RETURNING number",
        (room, epoch),
    ).fetchone()
    return Unindexed(row[0], room, 0)


def _open(index: Path, database: Path) -> sqlite3.Connection:
    db = sqlite3.connect(index.absolute().as_uri(), uri=True, isolation_level=None, check_same_thread=False)
    try:
        for pragma in PRAGMAS:
            db.execute(pragma).fetchall()
        if not db.execute("SELECT 1 FROM sqlite_schema").fetchone():
            db.execute("BEGIN IMMEDIATE")
            for statement in statements_of(
                resources.files(__package__).joinpath("schema/search.sql").read_text("utf-8")
            ):
                db.execute(statement)
            db.execute(f"PRAGMA user_version = {VERSION:d}")
            db.execute("COMMIT")
        db.execute("ATTACH DATABASE ? AS chat", (_read_only(database),))
    except BaseException:
        db.close()
        raise
    return db


def _read_only(path: Path) -> str:
    return f"{path.absolute().as_uri()}?mode=ro"


def _fits(db: sqlite3.Connection) -> bool:
    """Whether this is an index of these events: each room's mark lies within the same history."""
    if db.execute("PRAGMA main.user_version").fetchone()[0] != VERSION:
        return False
    stray = db.execute(
        "SELECT 1 FROM rooms LEFT JOIN chat.rooms AS theirs USING (id)"
        " WHERE theirs.id IS NULL OR theirs.epoch <> rooms.epoch OR theirs.head < rooms.seq LIMIT 1"
    ).fetchone()
    return stray is None
