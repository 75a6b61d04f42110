"""What deciding costs: messages through the chat service's batches, against plain inserts of the same frames, on the same disk.

`python -m bench.chat_store`: one table, as ratios. Plain: one table, no index but its key, so many rows per commit. Decided: repeats looked up, standing asked,
seq taken, frame built, answer kept. Both commit with `synchronous=FULL`; rounds alternate, so that a busy machine slows both.
"""

import asyncio
import os
import sqlite3
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import msgspec

from chat_service.batch import BatchRunner, Stamped
from chat_service.core.limits import Limit
from chat_service.core.rooms import RoomLimits, TalkLimits
from chat_service.core.uploads import UploadLimits
from chat_service.database import Database
from chat_service.ownership import open_owned
from chat_service.turn import Rules
from garita_common.core import frames
from garita_common.core.buckets import Rate
from garita_common.core.records import Answered, Command

SENDERS = 100
ROUNDS = 12
BATCHES = (1, 10, 100)
ROWS_PER_ROUND = 400
RULES = Rules(
    RoomLimits(128, 10_000, 128),
    UploadLimits(1, 1, 1),
    TalkLimits(20, 5, 100, 100),
    Rate(rate_per_s=1_000_000, burst=1_000_000),
    per_day=dict.fromkeys(Limit, 1000),
)
TEXT = "sí, mañana por la tarde nos vemos en la plaza"
_encode = msgspec.msgpack.Encoder().encode


def stamped(sender: int, op: frames.RoomOp) -> Stamped:
    """A request with a gateway's stamp."""
    user = f"u{sender:032x}"
    return "g1", Command(
        sender, 1, user, f"user{sender}", "s", "d", "127.0.0.1", 0, 2**53, False, msgspec.Raw(_encode(op))
    )


async def prepared(path: Path) -> tuple[Database, BatchRunner, str]:
    """A database with one room that every sender is in."""
    database, _ = await open_owned(path)
    runner = BatchRunner(database.fence, RULES, lambda: time.time_ns() // 1_000_000, os.urandom)
    create = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="public", title="Plaza")
    done = await database.run(lambda db: runner.run(db, [stamped(0, create)], {}))
    ((_, reply),) = done.replies
    assert isinstance(reply, Answered)
    room = str(msgspec.json.decode(reply.frame)["room"]["id"])
    joins = [stamped(sender, frames.Join(id=1, cmid=uuid.uuid4(), room=room)) for sender in range(1, SENDERS)]
    await database.run(lambda db: runner.run(db, joins, {}))
    return database, runner, room


def decided(runner: BatchRunner, room: str, size: int) -> Callable[[sqlite3.Connection], None]:
    """Work: a round of messages, `size` to a transaction."""
    batches = [
        [
            stamped((start + n) % SENDERS, frames.Send(id=1, cmid=uuid.uuid4(), room=room, text=TEXT))
            for n in range(size)
        ]
        for start in range(0, ROWS_PER_ROUND, size)
    ]

    def work(db: sqlite3.Connection) -> None:
        for batch in batches:
            done = runner.run(db, batch, {})
            assert not done.is_split

    return work


def plain(frame: bytes, size: int) -> Callable[[sqlite3.Connection], None]:
    """Work: a round of rows, `size` to a transaction."""

    def work(db: sqlite3.Connection) -> None:
        for _ in range(0, ROWS_PER_ROUND, size):
            db.execute("BEGIN IMMEDIATE")
            db.executemany("INSERT INTO plain (frame) VALUES (?)", [(frame,)] * size)
            db.execute("COMMIT")

    return work


async def timed(database: Database, work: Callable[[sqlite3.Connection], None]) -> float:
    """Seconds that a round takes."""
    began_s = time.perf_counter()
    await database.run(work)
    return time.perf_counter() - began_s


async def measure() -> None:
    """Prints the table."""
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        database, runner, room = await prepared(Path(folder) / "chat.sqlite3")
        await database.run(lambda db: db.execute("CREATE TABLE plain (seq INTEGER PRIMARY KEY, frame BLOB)"))
        frame = b"x" * 320  # as long as the frame of TEXT
        print("per commit   decided/s    plain/s    decided:plain")
        for size in BATCHES:
            ours, theirs = [], []
            for _ in range(ROUNDS):
                ours.append(await timed(database, decided(runner, room, size)))
                theirs.append(await timed(database, plain(frame, size)))
            mine, other = (ROWS_PER_ROUND / statistics.median(seconds) for seconds in (ours, theirs))
            print(f"{size:10} {mine:11,.0f} {other:10,.0f} {mine / other:16.2f}")
        await database.close()


if __name__ == "__main__":
    asyncio.run(measure())
