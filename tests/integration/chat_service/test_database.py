"""The file: durable, one writer, upgraded by scripts, refused in one sentence."""

from __future__ import annotations

import sqlite3
import uuid
from contextlib import closing
from importlib import resources
from pathlib import Path

import msgspec
import pytest

import chat_service
from chat_service.database import SCHEMA_VERSION, FenceLost, open_database, show_life, version_of
from chat_service.ownership import open_owned
from garita_common.config import ConfigError
from garita_common.core import frames
from tests.fakes.chat_gateway import user_id

from .conftest import RULES, Desk, ok


async def test_what_was_committed_is_there_after_opening_again(tmp_path: Path) -> None:
    """And whoever owns it next has a higher fence."""
    path = tmp_path / "deep" / "chat.sqlite3"
    first, ownership = await open_owned(path)
    await first.transact(lambda db: db.execute("INSERT INTO users (id, name, named_ms) VALUES ('u1', 'ana', 1)"))
    ownership.drop()
    await first.close()

    second, _ = await open_owned(path)
    try:
        assert await second.run(lambda db: db.execute("SELECT name FROM users").fetchall()) == [("ana",)]
        assert second.fence == first.fence + 1
    finally:
        await second.close()


async def test_commits_are_durable(tmp_path: Path) -> None:
    """WAL with a flush to the disk at every commit."""
    database, _ = await open_owned(tmp_path / "chat.sqlite3")
    try:
        modes = await database.run(
            lambda db: [db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("journal_mode", "synchronous")]
        )
    finally:
        await database.close()
    assert modes == ["wal", 2]


async def test_an_overtaken_copy_cannot_write(tmp_path: Path) -> None:
    """It learns so inside its own transaction; the new owner goes on."""
    old, ownership = await open_owned(tmp_path / "chat.sqlite3")
    ownership.drop()
    new, _ = await open_owned(tmp_path / "chat.sqlite3")
    try:
        with pytest.raises(FenceLost):
            await old.transact(lambda db: show_life(db, 1))
        await new.transact(lambda db: show_life(db, 2))
        assert await new.run(lambda db: db.execute("SELECT seen_ms FROM owner").fetchone()) == (2,)
    finally:
        await old.close()
        await new.close()


async def test_opening_changes_nothing(tmp_path: Path) -> None:
    """A copy that stands by may be of a later version than the owner: the schema is upgraded by whoever takes over."""
    database = await open_database(tmp_path / "chat.sqlite3")
    try:
        assert await database.run(version_of) == 0
        assert await database.run(lambda db: db.execute("SELECT count(*) FROM sqlite_master").fetchone()) == (0,)
    finally:
        await database.close()


async def test_a_transaction_that_raises_leaves_nothing(tmp_path: Path) -> None:
    """Not even the rows before the fault."""

    def fail(db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO users (id, name, named_ms) VALUES ('u1', 'ana', 1)")
        raise ZeroDivisionError

    database, _ = await open_owned(tmp_path / "chat.sqlite3")
    try:
        with pytest.raises(ZeroDivisionError):
            await database.transact(fail)
        assert await database.run(lambda db: db.execute("SELECT * FROM users").fetchall()) == []
        assert not await database.run(lambda db: db.in_transaction)
    finally:
        await database.close()


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """With a sentence that names the setting."""
    path = tmp_path / "chat.sqlite3"
    path.write_bytes(b"this is a letter to my aunt, and no database at all" * 100)

    with pytest.raises(ConfigError, match="GARITA_CHAT_DATABASE"):
        await open_database(path)


async def test_a_folder_that_cannot_be_is_refused(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "here").write_text("")

    with pytest.raises(ConfigError, match="GARITA_CHAT_DATABASE"):
        await open_database(tmp_path / "here" / "chat.sqlite3")


async def test_a_later_schema_is_refused(tmp_path: Path) -> None:
    """An older service does not write into a newer one's rows."""
    path = tmp_path / "chat.sqlite3"
    database, _ = await open_owned(path)
    await database.run(lambda db: db.execute("PRAGMA user_version = 99"))
    await database.close()

    with pytest.raises(ConfigError, match="later version"):
        await open_database(path)


async def test_every_table_is_strict(tmp_path: Path) -> None:
    """A wrong type in a row is a fault at once, not a surprise later."""
    database, _ = await open_owned(tmp_path / "chat.sqlite3")
    try:
        tables = await database.run(
            lambda db: db.execute(
                "SELECT name, strict FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite_%'"
            ).fetchall()
        )
    finally:
        await database.close()
    assert {"events", "requests", "rooms"} <= {name for name, _ in tables}
    assert all(strict for _, strict in tables)


async def test_a_file_of_the_first_version_goes_on(tmp_path: Path) -> None:
    """Its rooms, members and messages are there, moderation works on them, and a file still goes with the last message that shows it."""
    path, room = tmp_path / "chat.sqlite3", "r" + "1" * 32
    file, mids = "f" + "2" * 32, (uuid.UUID(int=1), uuid.UUID(int=2))
    with closing(sqlite3.connect(path)) as old:
        old.executescript(resources.files(chat_service).joinpath("schema/0001.sql").read_text("utf-8"))
        old.execute("PRAGMA user_version = 1")
        people = [(user_id("ana"), "ana", "owner"), (user_id("bob"), "bob", "member")]
        old.executemany("INSERT INTO users (id, name, named_ms) VALUES (?, ?, 1)", [person[:2] for person in people])
        old.execute(
            "INSERT INTO rooms (id, kind, title, topic, created_ms, epoch, head, members)"
            " VALUES (?, 'private', 't', '', 1, 'e', 2, 2)",
            (room,),
        )
        old.executemany(
            "INSERT INTO members (room, user, role) VALUES (?, ?, ?)", [(room, who, role) for who, _, role in people]
        )
        old.execute(
            "INSERT INTO files VALUES (?, ?, ?, 'n', 1, 's', 'a/b', 1, 'files/x')", (file, room, user_id("bob"))
        )
        for seq, mid in enumerate(mids, 1):
            old.execute(
                "INSERT INTO events (room, seq, mid, leaver, frame) VALUES (?, ?, ?, '', ?)",
                (room, seq, mid.bytes, _message(room, seq, mid, file)),
            )
        old.commit()

    database, _ = await open_owned(path)
    try:
        desk = Desk(database, RULES)
        ok(await desk.say("ana", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))
        ok(await desk.say("bob", frames.Invite(id=1, cmid=uuid.uuid4(), room=room, user="ana")))
        ok(await desk.say("bob", frames.BanMember(id=1, cmid=uuid.uuid4(), room=room, user=user_id("ana"))))
        (entry,) = ok(await desk.say("bob", frames.Audit(id=1, room=room)))["entries"]
        assert entry["action"] == "ban"
        for mid, code in zip(mids, ("", "not_found"), strict=True):
            ok(await desk.say("bob", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=mid)))
            assert (await desk.say("bob", frames.Download(id=1, file=file))).code == code
        assert await database.run(version_of) == SCHEMA_VERSION
    finally:
        await database.close()


def _message(room: str, seq: int, mid: uuid.UUID, file: str) -> bytes:
    """A message that shows a file, as the first version stored it."""
    by = {"id": user_id("bob"), "name": "bob"}
    shown = {"id": file, "room": room, "name": "n", "size": 1, "sha256": "s", "type": "a/b", "by": by, "ts": 1}
    return msgspec.json.encode(
        {"op": "message", "room": room, "epoch": "e", "seq": seq, "ts": 1, "user": by, "mid": str(mid), "cmid": str(mid), "text": "t", "files": [shown]}
    )  # fmt: skip
