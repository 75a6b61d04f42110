"""Repeats: the first answer again, before permissions; what it opens only if one may have it still."""

from __future__ import annotations

import uuid
from pathlib import Path

import msgspec
import pytest

from chat_service.ownership import open_owned
from garita_common.core import frames
from garita_common.core.records import Answered, AttachRoom, DropUpload, OpenUpload, RecordUpload
from tests.fakes.chat_gateway import body, stamped

from .conftest import GATEWAY, RULES, Desk, ok, send

SHA = "ab" * 32


def announce(room: str) -> frames.Upload:
    """A new upload's announcement."""
    return frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a.txt", size=10, sha256=SHA)


async def test_a_repeat_gives_the_first_answer(desk: Desk) -> None:
    """Marked as a repeat, stored once, said once; over whatever connection."""
    room = await desk.room("ana")
    op = send(room)

    first = ok(await desk.say("ana", op))
    second = ok(await desk.say("ana", msgspec.structs.replace(op, id=99)))

    assert second == {**first, "id": second["id"], "dup": True}
    assert desk.said[-1].room_events == {}
    assert desk.said[-1].sent == []
    assert ok(await desk.say("ana", frames.History(id=1, room=room)))["head"] == 2


async def test_a_repeat_within_one_batch_is_one_too(desk: Desk) -> None:
    """The same request twice, and a contradiction, in one transaction."""
    room = await desk.room("ana")
    op = send(room)
    other = msgspec.structs.replace(op, text="adiós")

    done = await desk.batch(*[(GATEWAY, stamped("ana", said, connection=n)) for n, said in enumerate([op, op, other])])

    answers = [body(reply) for _, reply in done.replies if isinstance(reply, Answered)]
    assert [(answer.get("seq"), answer.get("dup"), answer.get("code")) for answer in answers] == [
        (2, None, None),
        (2, True, None),
        (None, None, "conflict"),
    ]
    assert [len(events) for events in done.room_events.values()] == [1]


async def test_other_content_under_a_cmid_is_a_conflict(desk: Desk) -> None:
    """And takes no seq; the same cmid of another sender is another request."""
    room = await desk.room("ana", "public", "bob")
    op = send(room)
    ok(await desk.say("ana", op))

    assert (await desk.say("ana", send(room, "adiós", cmid=op.cmid))).code == "conflict"
    assert (await desk.say("ana", frames.Leave(id=1, cmid=op.cmid, room=room))).code == "conflict"
    assert ok(await desk.say("bob", op))["seq"] == 4


async def test_a_repeat_is_answered_before_permissions(desk: Desk) -> None:
    """Who has left meanwhile still learns that the message was stored; a new one is refused."""
    room = await desk.room("ana", "private", "bob")
    op = send(room)
    first = ok(await desk.say("bob", op))
    leave = frames.Leave(id=1, cmid=uuid.uuid4(), room=room)
    ok(await desk.say("bob", leave))

    assert ok(await desk.say("bob", op))["mid"] == first["mid"]
    assert ok(await desk.say("bob", leave))["dup"] is True
    assert (await desk.say("bob", send(room))).code == "not_found"


async def test_a_refusal_is_not_kept(desk: Desk) -> None:
    """What was refused changed nothing, and may be allowed later under the same cmid."""
    room = await desk.room("ana")
    op = send(room)

    assert (await desk.say("bob", op)).code == "forbidden"
    ok(await desk.say("bob", frames.Join(id=1, cmid=uuid.uuid4(), room=room)))
    assert "dup" not in ok(await desk.say("bob", op))


@pytest.mark.parametrize("creates", [True, False])
async def test_coming_into_a_room_attaches_again_only_a_member(desk: Desk, creates: bool) -> None:
    """The first answer's cursor; after leaving, the answer without the directive."""
    room = await desk.room("ana")
    op: frames.RoomOp = (
        frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="private", title="t")
        if creates
        else frames.Join(id=1, cmid=uuid.uuid4(), room=room)
    )
    first = await desk.say("bob", op)

    again = await desk.say("bob", op)
    assert ok(again)["dup"] is True
    assert isinstance(again.directive, AttachRoom)
    assert again.directive == first.directive

    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=again.directive.room)))
    assert (await desk.say("bob", op)).directive is None


async def test_an_open_upload_is_resumed(desk: Desk) -> None:
    """The same ticket again; a finished one says that nothing is left to send; one that is over says so."""
    room = await desk.room("ana")
    op = announce(room)
    upload = ok(await desk.say("ana", op))["upload"]

    again = await desk.say("ana", op)
    assert again.directive == OpenUpload(upload, room, 10, SHA)
    assert (ok(again)["upload"], ok(again)["offset"]) == (upload, 0)

    ok(await desk.ask("ana", RecordUpload(str(uuid.uuid4()), upload, 10, SHA), Answered))
    finished = await desk.say("ana", op)
    assert (ok(finished)["offset"], finished.directive) == (10, None)
    assert await desk.count("uploads") == 1


async def test_an_upload_that_is_over_is_not_resumed(desk: Desk) -> None:
    """Given up, or no longer allowed to send: the client's bytes would go nowhere."""
    room = await desk.room("ana", "public", "bob")
    given_up, kept = announce(room), announce(room)
    upload = ok(await desk.say("bob", given_up))["upload"]
    ok(await desk.say("bob", kept))
    abort = frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload)
    ok(await desk.say("bob", abort))

    assert (await desk.say("bob", given_up)).code == "conflict"
    assert (await desk.say("bob", abort)).directive == DropUpload(upload)
    await desk.set_role(room, "bob", "muted")
    assert (await desk.say("bob", kept)).code == "conflict"


async def test_a_cmid_is_kept_as_long_as_its_message(tmp_path: Path) -> None:
    """A phone that comes back after a year, to a service that was restarted, is told that it has said that already."""
    op, answers = None, []
    for year in range(2):
        database, ownership = await open_owned(tmp_path / "chat.sqlite3")
        desk = Desk(database, RULES)
        desk.now_ms += year * 365 * 86_400_000
        op = op or send(await desk.room("ana"))
        answers.append(ok(await desk.say("ana", op)))
        ownership.drop()
        await database.close()

    assert answers[1] == {**answers[0], "id": answers[1]["id"], "dup": True}
