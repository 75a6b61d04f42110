"""What `search` does: one room's messages or those of all one's rooms that have all the words, newest first.

It reads on a connection of its own that cannot write, beside the transactions of everybody else: who may see what is asked in the same read as
the messages. Each room is asked by itself, from the newest on and never further than the page needs.
"""

import heapq
import sqlite3
from collections.abc import Callable

from garita_common.core.errors import Busy
from garita_common.core.frames import Search

from . import access, store_search
from .core import paging, speech, terms
from .core.rooms import MAX_ATTACHED_ROOMS
from .store import Store

PROGRESS_STEPS = 1000
"""Steps of SQLite's machine between two looks at the clock: well under a millisecond."""
END = 2**53


def search(reader: sqlite3.Connection, user: str, op: Search, is_late: Callable[[], bool]) -> bytes:
    """The fields of the answer.

    Raises:
        BadRequest: there is nothing to look for.
        NotFound, Forbidden: as for any operation on a room.
        Busy: it took too long.
    """
    wanted = terms.query(op.text)
    reader.execute("BEGIN")
    reader.set_progress_handler(is_late, PROGRESS_STEPS)
    try:
        return _page(reader, _newest(reader, _numbers(reader, user, op), wanted, op, is_late), op)
    except sqlite3.OperationalError as exc:
        if is_late():
            raise Busy from exc
        raise
    finally:
        reader.set_progress_handler(None, 0)
        reader.execute("ROLLBACK")


def _numbers(reader: sqlite3.Connection, user: str, op: Search) -> list[int]:
    """The rooms to look in, by their numbers in the index."""
    store = Store(reader, 0)
    if op.room is not None:
        rooms = [access.room_for(store, user, op.room, Search)]
    else:
        rooms = store.rooms_of(user, "", MAX_ATTACHED_ROOMS)
    numbers = (store_search.number_of(reader, room.id) for room in rooms)
    return [number for number in numbers if number is not None]


def _newest(
    reader: sqlite3.Connection, numbers: list[int], wanted: terms.Query, op: Search, is_late: Callable[[], bool]
) -> list[int]:
    """The newest hits, one more than a page holds if there are so many."""
    limit = op.limit + 1
    before = END if op.before is None else op.before
    newest: list[int] = []
    for number in numbers:
        if is_late():
            raise Busy
        floor = newest[-1] if len(newest) == limit else 0
        more = store_search.found(reader, terms.match(number, wanted), (floor, before), limit)
        if more:
            newest = heapq.nlargest(limit, newest + more)
    return newest


def _page(reader: sqlite3.Connection, newest: list[int], op: Search) -> bytes:
    """As many hits as fit. What was deleted and is still in the index is passed over."""
    shown: list[bytes] = []
    seen: list[int] = []
    for n in newest[: op.limit]:
        frame = store_search.frame_of(reader, n)
        if frame is not None:
            if paging.fit([len(hit) for hit in [*shown, frame]]) <= len(shown):
                break
            shown.append(frame)
        seen.append(n)
    following = seen[-1] if 0 < len(seen) < len(newest) else None
    return speech.page("hits", shown, following)
