"""Messages: what is stored, what is said, and reading back both ways."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from garita_common.core import frames
from garita_common.core.records import Answered, RecordUpload
from tests.fakes.chat_gateway import user_id

from .conftest import Desk, ok, send

SHA = "cd" * 32


def history(room: str, **page: int) -> frames.History:
    """A request for a page."""
    return frames.History(id=1, room=room, **page)


async def finished_file(desk: Desk, user: str, room: str) -> str:
    """A file that a user has put into a room."""
    op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="foto.jpg", size=3, sha256=SHA, type="image/jpeg")
    upload = ok(await desk.say(user, op))["upload"]
    reply = await desk.ask(user, RecordUpload(str(uuid.uuid4()), upload, 3, SHA), Answered)
    return str(ok(reply)["file"]["id"])


async def test_a_message_is_stored_said_and_answered_alike(desk: Desk) -> None:
    """The push and the answer name the same mid, seq and time; the push is what history gives."""
    room = await desk.room("ana")
    op = send(room, "¡Hola! \u2028 😀")

    answer = ok(await desk.say("ana", op))

    ((event,),) = desk.said[-1].room_events.values()
    push = msgspec.json.decode(event.frame)
    assert push == {
        "op": "message",
        "room": room,
        "epoch": push["epoch"],
        "seq": 2,
        "ts": answer["ts"],
        "user": {"id": user_id("ana"), "name": "ana"},
        "mid": answer["mid"],
        "cmid": str(op.cmid),
        "text": "¡Hola! \u2028 😀",
    }
    assert uuid.UUID(answer["mid"]).version == 7
    page = ok(await desk.say("ana", history(room)))
    assert page["events"][-1] == push
    assert event.frame in (await desk.say("ana", history(room))).frame


async def test_a_text_is_bounded_in_bytes_and_may_be_empty_only_with_files(desk: Desk) -> None:
    """8 KiB of UTF-8 pass, one byte more does not."""
    room = await desk.room("ana")

    assert (await desk.say("ana", send(room, "é" * 4096))).code == ""
    assert (await desk.say("ana", send(room, "é" * 4096 + "a"))).code == "too_large"
    assert (await desk.say("ana", send(room, ""))).code == "bad_request"
    assert ok(await desk.say("ana", send(room, "", files=[await finished_file(desk, "ana", room)])))["seq"] == 3


async def test_a_message_shows_only_ones_own_files_of_this_room(desk: Desk) -> None:
    """Another's file, another room's file, a file that is not: all not found; the same one twice makes no sense."""
    room = await desk.room("ana", "public", "bob")
    other = await desk.room("ana")
    own = await finished_file(desk, "ana", room)
    elsewhere = await finished_file(desk, "ana", other)
    of_bob = await finished_file(desk, "bob", room)

    for file in (elsewhere, of_bob, "f" + "0" * 32):
        assert (await desk.say("ana", send(room, files=[own, file]))).code == "not_found"
    assert (await desk.say("ana", send(room, files=[own, own]))).code == "bad_request"
    ok(await desk.say("ana", send(room, files=[own])))

    ((event,),) = desk.said[-1].room_events.values()
    (file_object,) = msgspec.json.decode(event.frame)["files"]
    assert file_object == {
        "id": own,
        "room": room,
        "name": "foto.jpg",
        "size": 3,
        "sha256": SHA,
        "type": "image/jpeg",
        "by": {"id": user_id("ana"), "name": "ana"},
        "ts": file_object["ts"],
    }


async def test_an_answer_is_to_a_message_of_the_same_room(desk: Desk) -> None:
    """Another room's message, even a visible one, is not found."""
    room, other = await desk.room("ana"), await desk.room("ana")
    here, there = await desk.message("ana", room), await desk.message("ana", other)

    reply = await desk.say("ana", send(room, reply_to=uuid.UUID(here["mid"])))
    assert ok(reply)["seq"] == 3
    ((event,),) = desk.said[-1].room_events.values()
    assert msgspec.json.decode(event.frame)["reply_to"] == here["mid"]
    for mid in (there["mid"], str(uuid.uuid4())):
        assert (await desk.say("ana", send(room, reply_to=uuid.UUID(mid)))).code == "not_found"


async def test_a_message_that_grows_too_large_when_encoded_is_refused(desk: Desk) -> None:
    """Control characters are escaped sixfold; with long file names the frame would not fit."""
    room = await desk.room("ana")
    files = []
    for _ in range(10):
        op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="\x01" * 255, size=3, sha256=SHA)
        upload = ok(await desk.say("ana", op))["upload"]
        done = await desk.ask("ana", RecordUpload(str(uuid.uuid4()), upload, 3, SHA), Answered)
        files.append(ok(done)["file"]["id"])

    assert (await desk.say("ana", send(room, "\x01" * 8192, files=files))).code == "too_large"
    assert (await desk.say("ana", send(room, "\x01" * 8192))).code == ""


async def test_history_is_read_both_ways(desk: Desk) -> None:
    """Pages join without a gap or an overlap, and `more` is true until the end."""
    room = await desk.room("ana")
    for number in range(9):
        await desk.message("ana", room, f"mensaje {number}")

    newest = ok(await desk.say("ana", history(room, limit=4)))
    assert [event["seq"] for event in newest["events"]] == [7, 8, 9, 10]
    assert (newest["head"], newest["more"]) == (10, True)
    older = ok(await desk.say("ana", history(room, before=7, limit=6)))
    assert ([event["seq"] for event in older["events"]], older["more"]) == ([1, 2, 3, 4, 5, 6], False)

    oldest = ok(await desk.say("ana", history(room, after=0, limit=9)))
    assert ([event["seq"] for event in oldest["events"]], oldest["more"]) == (list(range(1, 10)), True)
    rest = ok(await desk.say("ana", history(room, after=9)))
    assert ([event["seq"] for event in rest["events"]], rest["more"]) == ([10], False)
    assert ok(await desk.say("ana", history(room, after=10)))["events"] == []
    assert ok(await desk.say("ana", history(room, before=1)))["more"] is False


@pytest.mark.parametrize(
    ("page", "code"),
    [({"before": 4}, "cursor_invalid"), ({"after": 3}, "cursor_invalid"), ({"before": 1, "after": 1}, "bad_request")],
)
async def test_a_cursor_outside_the_history_is_invalid(desk: Desk, page: dict[str, int], code: str) -> None:
    """One past the head, in either direction; both at once make no sense."""
    room = await desk.room("ana")
    await desk.message("ana", room)

    assert (await desk.say("ana", history(room, **page))).code == code


async def test_a_page_has_at_most_60_kib_of_events(desk: Desk) -> None:
    """Fewer than asked for, the newest kept, and `more` says so; the whole frame fits 64 KiB."""
    room = await desk.room("ana")
    for _ in range(10):
        await desk.message("ana", room, "x" * 8000)

    newest = await desk.say("ana", history(room, limit=10))
    oldest = await desk.say("ana", history(room, after=1, limit=10))

    assert len(newest.frame) <= 64 * 1024
    assert [event["seq"] for event in ok(newest)["events"]] == [5, 6, 7, 8, 9, 10, 11]
    assert [event["seq"] for event in ok(oldest)["events"]] == [2, 3, 4, 5, 6, 7, 8]
    assert ok(newest)["more"] and ok(oldest)["more"]
