"""Rows of what changes a message afterwards: edits, deletions, reactions. All their SQL, on the database's thread, inside a transaction.

History is kept true by rewriting stored frames: a message has its newest text, and only its newest `edited` event still has one. So an edit and a
deletion rewrite two rows, however often the message was edited, and a text that was taken away is in no row.
"""

from dataclasses import dataclass

from . import store_files
from .core.speech import Edited, Message, decode_edited, decode_message, encode
from .store import Store


@dataclass(frozen=True, slots=True)
class Reactions:
    """What there is on a message: how many different emoji, how many of the user's own, whether this emoji is there at all and from the user."""

    different: int
    own: int
    is_known: bool
    is_own: bool


def message(store: Store, room: str, mid: bytes) -> Message | None:
    """A message of a room, as it stands now."""
    store.flush()
    row = store.db.execute("SELECT frame FROM events WHERE mid = ? AND room = ?", (mid, room)).fetchone()
    return decode_message(row[0]) if row else None


def rewrite(store: Store, now: Message | Edited) -> None:
    """Puts another content into a stored event."""
    store.db.execute("UPDATE events SET frame = ? WHERE room = ? AND seq = ?", (encode(now), now.room, now.seq))
    store.writes += 1


def last_edit(store: Store, room: str, of: int) -> Edited | None:
    """The newest `edited` event of a message."""
    store.flush()
    row = store.db.execute(
        "SELECT frame FROM edits JOIN events USING (room, seq) WHERE room = ? AND of = ?", (room, of)
    ).fetchone()
    return decode_edited(row[0]) if row else None


def set_last_edit(store: Store, room: str, of: int, seq: int) -> None:
    """Says which `edited` event of a message is the newest."""
    store.db.execute("INSERT OR REPLACE INTO edits (room, of, seq) VALUES (?, ?, ?)", (room, of, seq))
    store.writes += 1


def reactions(store: Store, room: str, of: int, user: str, emoji: str) -> Reactions:
    """What is on a message already. The cost grows with the different emoji, which are bounded, not with the users."""
    rows = store.db.execute(
        "WITH RECURSIVE there (emoji) AS ("
        " SELECT min(emoji) FROM reactions WHERE room = ?1 AND of = ?2 UNION ALL"
        " SELECT (SELECT min(r.emoji) FROM reactions AS r WHERE room = ?1 AND of = ?2 AND r.emoji > there.emoji)"
        " FROM there WHERE there.emoji IS NOT NULL)"
        " SELECT emoji, EXISTS (SELECT 1 FROM reactions AS r"
        "   WHERE room = ?1 AND of = ?2 AND r.emoji = there.emoji AND user = ?3)"
        " FROM there WHERE emoji IS NOT NULL",
        (room, of, user),
    ).fetchall()
    return Reactions(
        different=len(rows),
        own=sum(own for _, own in rows),
        is_known=any(known == emoji for known, _ in rows),
        is_own=any(known == emoji and own for known, own in rows),
    )


def set_reaction(store: Store, room: str, of: int, user: str, emoji: str, *, on: bool) -> None:
    """Puts a reaction there, or takes it away."""
    store.db.execute(
        "INSERT INTO reactions (room, of, emoji, user) VALUES (?, ?, ?, ?)"
        if on
        else "DELETE FROM reactions WHERE room = ? AND of = ? AND emoji = ? AND user = ?",
        (room, of, emoji, user),
    )
    store.writes += 1


def show_files(store: Store, seq: int, files: list[str]) -> None:
    """Says that a message shows these files of its room."""
    store.db.executemany("INSERT INTO shown (file, seq) VALUES (?, ?)", [(file, seq) for file in files])
    store.writes += 1


def hide_files(store: Store, seq: int, files: list[str]) -> None:
    """Says that a message shows these files no more; one that no other shows is deleted, and its bytes are left to the sweep."""
    for file in files:
        store.db.execute("DELETE FROM shown WHERE file = ? AND seq = ?", (file, seq))
        if store.db.execute("SELECT 1 FROM shown WHERE file = ?", (file,)).fetchone() is None:
            store_files.delete_file(store.db, file)
    store.writes += 1
