"""Files: tickets, quota, the gateway's word, downloads."""

from __future__ import annotations

import uuid

import pytest

from garita_common.core import frames
from garita_common.core.records import (
    Answered,
    DropUpload,
    FinishUpload,
    OpenDownload,
    OpenUpload,
    RecordUpload,
)
from garita_common.core.wire import CHUNK_DATA_BYTES
from tests.fakes.chat_gateway import user_id

from .conftest import Desk, ok

SHA, OTHER_SHA = "ab" * 32, "cd" * 32
MIB = 1024 * 1024


def announce(room: str, size: int = 10) -> frames.Upload:
    """A new upload's announcement."""
    return frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a.txt", size=size, sha256=SHA, type="text/plain")


def finish(upload: str) -> frames.UploadFinish:
    """A new request to finish."""
    return frames.UploadFinish(id=1, cmid=uuid.uuid4(), upload=upload)


async def recorded(desk: Desk, op: frames.UploadFinish, size: int = 10, sha256: str = SHA) -> Answered:
    """What the gateway's word about the file is answered with."""
    return await desk.ask("ana", RecordUpload(str(op.cmid), op.upload, size, sha256), Answered)


async def test_an_upload_opens_a_ticket(desk: Desk) -> None:
    """The answer leaves the offset to the gateway, which holds the bytes."""
    room = await desk.room("ana")

    reply = await desk.say("ana", announce(room))

    answer = ok(reply)
    assert (answer["offset"], answer["chunk_bytes"], answer["window"]) == (0, CHUNK_DATA_BYTES, 4)
    assert reply.directive == OpenUpload(answer["upload"], room, 10, SHA)


async def test_a_file_is_kept_when_it_is_what_was_announced(desk: Desk) -> None:
    """Finishing says nothing to the client by itself; the gateway's record is the answer, and a download opens its blob."""
    room = await desk.room("ana", "public", "bob")
    upload = ok(await desk.say("ana", announce(room)))["upload"]
    op = finish(upload)

    asked = await desk.say("ana", op)
    assert (asked.frame, asked.directive) == (b"", FinishUpload(upload, str(op.cmid), 10))
    reply = await recorded(desk, op)

    file = ok(reply)["file"]
    assert (file["name"], file["size"], file["sha256"], file["type"], file["room"]) == (
        "a.txt",
        10,
        SHA,
        "text/plain",
        room,
    )
    assert file["by"] == {"id": user_id("ana"), "name": "ana"}
    got = await desk.say("bob", frames.Download(id=1, file=file["id"], offset=4))
    answer = ok(got)
    assert (answer["file"], answer["offset"], answer["window"]) == (file, 4, 4)
    assert got.directive == OpenDownload(answer["transfer"], f"files/{upload}", 10, 4)


@pytest.mark.parametrize(("size", "sha256"), [(9, SHA), (11, SHA), (10, OTHER_SHA)])
async def test_other_bytes_are_rejected_and_the_upload_is_gone(desk: Desk, size: int, sha256: str) -> None:
    """The client hears file_rejected, the parts are dropped, and a repeat hears the same."""
    room = await desk.room("ana")
    upload = ok(await desk.say("ana", announce(room)))["upload"]
    op = finish(upload)

    reply = await recorded(desk, op, size, sha256)

    assert (reply.code, reply.directive) == ("file_rejected", DropUpload(upload))
    assert (await desk.say("ana", op)).code == "file_rejected"
    assert (await recorded(desk, op)).code == "file_rejected"
    assert await desk.count("files") == 0


async def test_finishing_is_repeatable(desk: Desk) -> None:
    """Before the record a repeat assembles again; after it, it gives the first answer; another cmid gives the same file."""
    room = await desk.room("ana")
    upload = ok(await desk.say("ana", announce(room)))["upload"]
    op = finish(upload)

    for _ in range(2):
        assert isinstance((await desk.say("ana", op)).directive, FinishUpload)
    file = ok(await recorded(desk, op))["file"]

    assert ok(await recorded(desk, op)) == {
        "op": "ok",
        "id": ok(await desk.say("ana", op))["id"] - 1,
        "dup": True,
        "file": file,
    }
    assert ok(await desk.say("ana", op))["dup"] is True
    assert ok(await desk.say("ana", finish(upload)))["file"] == file
    assert ok(await recorded(desk, finish(upload)))["file"] == file
    assert await desk.count("files") == 1


async def test_a_cmid_of_a_finish_is_for_one_upload(desk: Desk) -> None:
    """The record goes under the client's cmid, with the client's content."""
    room = await desk.room("ana")
    first, second = [ok(await desk.say("ana", announce(room)))["upload"] for _ in range(2)]
    op = finish(first)
    ok(await recorded(desk, op))

    assert (await desk.say("ana", frames.UploadFinish(id=1, cmid=op.cmid, upload=second))).code == "conflict"
    assert (await desk.ask("ana", RecordUpload("no uuid", second, 10, SHA), Answered)).code == "bad_request"


async def test_an_upload_that_is_given_up_is_over(desk: Desk) -> None:
    """Its parts go; it can be given up again, but not finished; a finished one cannot be given up."""
    room = await desk.room("ana")
    upload = ok(await desk.say("ana", announce(room)))["upload"]

    reply = await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload))
    assert (ok(reply)["upload"], reply.directive) == (upload, DropUpload(upload))
    ok(await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload)))
    assert (await desk.say("ana", finish(upload))).code == "conflict"

    kept = ok(await desk.say("ana", announce(room)))["upload"]
    ok(await recorded(desk, finish(kept)))
    assert (await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=kept))).code == "conflict"


async def test_limits_hold_at_the_limit_and_one_past_it(desk: Desk) -> None:
    """25 MiB a file, 5 open, 250 MiB in 24 h, for each user by itself."""
    room = await desk.room("ana", "public", "bob")
    assert (await desk.say("ana", announce(room, 25 * MIB + 1))).code == "too_large"

    uploads = [ok(await desk.say("ana", announce(room, 25 * MIB)))["upload"] for _ in range(5)]
    assert (await desk.say("ana", announce(room))).code == "limit"
    assert (await desk.say("bob", announce(room))).code == ""
    for upload in uploads:
        ok(await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload)))

    for _ in range(5):
        upload = ok(await desk.say("ana", announce(room, 25 * MIB)))["upload"]
        ok(await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload)))
    assert (await desk.say("ana", announce(room, 1))).code == "quota"
    desk.now_ms += 86_400_000
    assert (await desk.say("ana", announce(room, 1))).code == ""


async def test_a_download_starts_within_the_file(desk: Desk) -> None:
    """At its end there is nothing to send, past it the offset makes no sense."""
    room = await desk.room("ana")
    upload = ok(await desk.say("ana", announce(room)))["upload"]
    file = ok(await recorded(desk, finish(upload)))["file"]["id"]

    assert (await desk.say("ana", frames.Download(id=1, file=file, offset=10))).code == ""
    assert (await desk.say("ana", frames.Download(id=1, file=file, offset=11))).code == "bad_request"
