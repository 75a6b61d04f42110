"""Signs of life, and the sweep of uploads that nobody finishes."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from chat_service import store_files
from chat_service.activity_records import ActivityRecords
from chat_service.blobs import open_blobs
from chat_service.core.limits import DAY_MS
from chat_service.core.texttags import TextTags
from chat_service.database import FenceLost
from chat_service.metrics import Metrics
from chat_service.publisher import Publisher
from chat_service.store_outbox import Log, LogKind
from chat_service.upkeep import Life, Sweep
from garita_common import bus
from garita_common.core import frames
from garita_common.core.records import Answered, RecordUpload
from garita_common.emitter import Emitter
from tests.fakes.chat_gateway import user_id

from .conftest import Desk, ok, send

SHA = "ab" * 32


def publisher(desk: Desk, url: str = "unix:///nowhere") -> Publisher:
    """A publisher that does not run."""
    registry = CollectorRegistry()
    client = bus.connect(url)
    records = ActivityRecords(TextTags(b"k" * 32))
    return Publisher(client, desk.database, Emitter(client, registry, "chat"), records, Metrics(registry), [])


class SlowBlobs:
    """A blob store that fails as long as it is told to."""

    def __init__(self) -> None:
        self.is_away = True
        self.cleared: list[str] = []

    async def clear(self, upload: str) -> None:
        """Fails, or says what would go."""
        if self.is_away:
            raise OSError
        self.cleared.append(upload)


async def test_a_sign_of_life_carries_the_marks(desk: Desk) -> None:
    """An idle service's marks are written too; when they cannot be, they are kept for the next time."""
    room = await desk.room("ana")
    said = publisher(desk)
    said.give_back({Log(LogKind.ROOM, room): 1})
    life = Life(desk.database, said, lambda: 77, takeover_s=10)

    await desk.database.run(lambda db: db.execute("PRAGMA query_only = 1"))
    await life.show()
    await desk.database.run(lambda db: db.execute("PRAGMA query_only = 0"))
    assert await desk.run(lambda db: db.execute("SELECT seen_ms FROM owner").fetchone()) == (1,)
    await life.show()

    assert await desk.run(lambda db: db.execute("SELECT seen_ms FROM owner").fetchone()) == (77,)
    assert await desk.run(lambda db: db.execute("SELECT published FROM rooms").fetchone()) == (1,)
    assert life.is_writable()


async def test_an_overtaken_owner_stops(desk: Desk) -> None:
    """Even if nobody asks anything of it."""
    await desk.database.run(lambda db: db.execute("UPDATE owner SET fence = fence + 1"))

    with pytest.raises(FenceLost):
        async with asyncio.timeout(20):
            await Life(desk.database, publisher(desk), lambda: 1, takeover_s=1).run()


async def test_old_uploads_are_closed_and_their_bytes_deleted(desk: Desk, tmp_path: Path) -> None:
    """At 24 h, not before; a finished file stays."""
    room = await desk.room("ana")
    uploads = []
    for _ in range(2):
        op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a", size=3, sha256=SHA)
        uploads.append(ok(await desk.say("ana", op))["upload"])
    open_one, finished = uploads
    ok(await desk.ask("ana", RecordUpload(str(uuid.uuid4()), finished, 3, SHA), Answered))
    for key in (f"uploads/{open_one}/000", f"files/{finished}"):
        path = tmp_path / "blobs" / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"abc")
    registry = CollectorRegistry()
    sweep = Sweep(
        desk.database,
        open_blobs((tmp_path / "blobs").as_uri()),
        Metrics(registry),
        lambda: desk.now_ms,
        keep_s=DAY_MS / 1000,
        every_s=60,
    )

    began_ms = desk.now_ms
    desk.now_ms = began_ms + DAY_MS
    assert await sweep.sweep() == 0
    desk.now_ms = began_ms + DAY_MS + 1
    assert await sweep.sweep() == 1
    assert await sweep.sweep() == 0

    assert not (tmp_path / "blobs" / f"uploads/{open_one}/000").exists()
    assert (tmp_path / "blobs" / f"files/{finished}").exists()
    finish = frames.UploadFinish(id=1, cmid=uuid.uuid4(), upload=open_one)
    assert (await desk.say("ana", finish)).code == "conflict"
    assert registry.get_sample_value("chat_uploads_swept_total") == 1


async def test_the_bytes_of_a_file_go_with_its_last_message(desk: Desk, tmp_path: Path) -> None:
    """At the next look, however new it is; the day's allowance is used all the same."""
    room = await desk.room("ana")
    announced = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a", size=3, sha256=SHA)
    upload = ok(await desk.say("ana", announced))["upload"]
    file = ok(await desk.ask("ana", RecordUpload(str(uuid.uuid4()), upload, 3, SHA), Answered))["file"]["id"]
    mid = uuid.UUID(ok(await desk.say("ana", send(room, files=[file])))["mid"])
    path = tmp_path / "blobs" / f"files/{upload}"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"abc")
    blobs = open_blobs((tmp_path / "blobs").as_uri())
    sweep = Sweep(desk.database, blobs, Metrics(CollectorRegistry()), lambda: desk.now_ms, keep_s=86_400, every_s=60)
    assert await sweep.sweep() == 0

    ok(await desk.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=mid)))

    assert await sweep.sweep() == 1
    assert not path.exists()
    assert await sweep.sweep() == 0
    assert (await desk.run(lambda db: store_files.usage(db, user_id("ana"), desk.now_ms))).day_bytes == 3
    assert (await desk.say("ana", announced)).code == "conflict"


async def test_a_sweep_that_fails_is_made_again(desk: Desk) -> None:
    """The upload is closed at once, and named until its bytes are surely gone."""
    room = await desk.room("ana")
    op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a", size=3, sha256=SHA)
    upload = ok(await desk.say("ana", op))["upload"]
    blobs = SlowBlobs()
    sweep = Sweep(desk.database, blobs, Metrics(CollectorRegistry()), lambda: desk.now_ms, keep_s=1, every_s=0.01)
    desk.now_ms += 2000

    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(sweep.run())
        await asyncio.sleep(0.05)
        blobs.is_away = False
        async with asyncio.timeout(20):
            while not blobs.cleared:
                await asyncio.sleep(0.01)
        running.cancel()

    assert blobs.cleared == [upload]
    assert await desk.run(lambda db: db.execute("SELECT state FROM uploads").fetchall()) == [("expired",)]
