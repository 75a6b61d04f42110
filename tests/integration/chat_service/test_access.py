"""Every operation × what one is to the room: exactly what the table in `gate` says, and never another's data.

The expectation is computed from the table alone; the outcome comes from the whole path over a real database.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

import pytest

from chat_service import access
from chat_service.store import Store
from garita_common.core import frames
from garita_common.core.gate import FILE_STANDING, TABLE, Standing
from garita_common.core.records import Answered, RecordUpload
from tests.fakes.chat_gateway import body, user_id

from .conftest import Desk, ok

SHA = "ab" * 32
MISSING_ROOM = "r" + "9" * 32
MISSING_FILE = "f" + "9" * 32
MISSING_UPLOAD = "9" * 32
MISSING_MID = "99999999-9999-7999-8999-999999999999"

Who = tuple[str, Standing]
PLACES: dict[str, tuple[Who, ...]] = {
    "public": (
        ("banned", Standing.STRANGER),
        ("visitor", Standing.VISITOR),
        ("muted", Standing.MUTED),
        ("member", Standing.MEMBER),
        ("moderator", Standing.MODERATOR),
        ("owner", Standing.OWNER),
    ),
    "private": (
        ("stranger", Standing.STRANGER),
        ("banned", Standing.STRANGER),
        ("invited", Standing.VISITOR),
        ("muted", Standing.MUTED),
        ("member", Standing.MEMBER),
        ("moderator", Standing.MODERATOR),
        ("owner", Standing.OWNER),
    ),
    "direct": (("stranger", Standing.STRANGER), ("left", Standing.STRANGER), ("member", Standing.MEMBER)),
}
CASES = [(kind, name, standing) for kind, people in PLACES.items() for name, standing in people]
ROOM_OPS: tuple[type[frames.RoomOp], ...] = (
    frames.GetRoom, frames.ListMembers, frames.Join, frames.Leave, frames.Invite, frames.Send, frames.History, frames.Upload,
    frames.SetRoom, frames.Kick, frames.BanMember, frames.SetRole, frames.ListBanned, frames.Audit, frames.Report,
)  # fmt: skip
MESSAGE_OPS: tuple[type[frames.RoomOp], ...] = (
    frames.Edit, frames.Delete, frames.React, frames.Search, frames.Presence, frames.Read, frames.Received, frames.Typing,
)  # fmt: skip
FILE_OPS: tuple[type[frames.RoomOp], ...] = (frames.UploadFinish, frames.UploadAbort, frames.Download)


@dataclass
class Place:
    """A room with somebody of every standing; `file` was put there by `author`, whose upload `open_upload` is not finished; `mid` is by another."""

    desk: Desk
    room: str
    author: str
    file: str
    open_upload: str
    mid: str


async def place(desk: Desk, kind: str) -> Place:
    """A room of this kind, with everybody where they belong."""
    await desk.know("stranger", "visitor", "invited", "muted", "member", "moderator", "left", "newcomer", "banned")
    if kind == "direct":
        (room, mid), author = await _direct(desk), "member"
    else:
        room, author = await desk.room("owner", kind, "muted", "member", "moderator", "target"), "owner"
        await desk.set_role(room, "muted", "muted")
        await desk.set_role(room, "moderator", "moderator")
        if kind == "private":
            ok(await desk.say("owner", frames.Invite(id=1, cmid=uuid.uuid4(), room=room, user="invited")))
        ok(await desk.say("owner", frames.BanMember(id=1, cmid=uuid.uuid4(), room=room, user=user_id("banned"))))
        mid = (await desk.message("target", room, "de otra"))["mid"]
    await desk.message(author, room, "un secreto de esta sala")
    file = await _file(desk, author, room)
    return Place(desk, room, author, file, await _upload(desk, author, room), mid)


async def _direct(desk: Desk) -> tuple[str, str]:
    op = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="left")
    room = str(ok(await desk.say("member", op))["room"]["id"])
    await desk.say("left", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="member"))
    mid = (await desk.message("left", room))["mid"]
    ok(await desk.say("left", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))
    return room, mid


async def _upload(desk: Desk, user: str, room: str) -> str:
    op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a.txt", size=10, sha256=SHA)
    upload = str(ok(await desk.say(user, op))["upload"])
    desk.now_ms += 86_400_000  # the next one is on another day, within the limits
    return upload


async def _file(desk: Desk, user: str, room: str) -> str:
    upload = await _upload(desk, user, room)
    done = await desk.ask(user, RecordUpload(str(uuid.uuid4()), upload, 10, SHA), Answered)
    return str(ok(done)["file"]["id"])


def request(kind: type[frames.RoomOp], room: str, upload: str, file: str, mid: str = MISSING_MID) -> frames.RoomOp:
    """A valid request of this kind that names these; whoever it concerns is a plain member."""
    cmid, target = uuid.uuid4(), user_id("target")
    requests: dict[type[frames.RoomOp], frames.RoomOp] = {
        frames.GetRoom: frames.GetRoom(id=1, room=room),
        frames.ListMembers: frames.ListMembers(id=1, room=room),
        frames.Join: frames.Join(id=1, cmid=cmid, room=room),
        frames.Leave: frames.Leave(id=1, cmid=cmid, room=room),
        frames.Invite: frames.Invite(id=1, cmid=cmid, room=room, user="newcomer"),
        frames.Send: frames.Send(id=1, cmid=cmid, room=room, text="hola"),
        frames.History: frames.History(id=1, room=room),
        frames.Upload: frames.Upload(id=1, cmid=cmid, room=room, name="b.txt", size=10, sha256=SHA),
        frames.SetRoom: frames.SetRoom(id=1, cmid=cmid, room=room, topic="otra cosa"),
        frames.Kick: frames.Kick(id=1, cmid=cmid, room=room, user=target),
        frames.BanMember: frames.BanMember(id=1, cmid=cmid, room=room, user=target),
        frames.SetRole: frames.SetRole(id=1, cmid=cmid, room=room, user=target, role="muted"),
        frames.ListBanned: frames.ListBanned(id=1, room=room),
        frames.Audit: frames.Audit(id=1, room=room),
        frames.Report: frames.Report(id=1, cmid=cmid, room=room, mid=uuid.UUID(mid), reason="spam"),
        frames.Edit: frames.Edit(id=1, cmid=cmid, room=room, mid=uuid.UUID(mid), text="otro"),
        frames.Delete: frames.Delete(id=1, cmid=cmid, room=room, mid=uuid.UUID(mid)),
        frames.React: frames.React(id=1, cmid=cmid, room=room, mid=uuid.UUID(mid), emoji="👍"),
        frames.Search: frames.Search(id=1, room=room, text="secreto"),
        frames.Presence: frames.Presence(id=1, room=room),
        frames.Read: frames.Read(room=room, seq=1),
        frames.Received: frames.Received(room=room, seq=1),
        frames.Typing: frames.Typing(room=room),
        frames.UploadFinish: frames.UploadFinish(id=1, cmid=cmid, upload=upload),
        frames.UploadAbort: frames.UploadAbort(id=1, cmid=cmid, upload=upload),
        frames.Download: frames.Download(id=1, file=file),
    }
    return requests[kind]


def expected(least: Standing, standing: Standing) -> str:
    """The code that the table asks for."""
    if standing >= least:
        return ""
    return "not_found" if standing is Standing.STRANGER else "forbidden"


def test_the_tables_below_walk_every_operation() -> None:
    """An operation that is added must be added here."""
    named = {kind for kind in TABLE if kind in frames.RoomOp.__args__}

    assert named == {*ROOM_OPS, *MESSAGE_OPS, *FILE_OPS, frames.CreateRoom, frames.ListRooms}


async def answer_to(desk: Desk, name: str, op: frames.RoomOp) -> dict[str, Any]:
    """An answer without its id; empty where there is none."""
    if isinstance(op, frames.Search):
        reply: object = await desk.search(name, op)
    elif isinstance(op, frames.Hint):
        reply = next((said for _, said in (await desk.hint(name, op)).replies), None)
    else:
        reply = await desk.say(name, op)
    if not isinstance(reply, Answered) or not reply.frame:
        return {}
    return {name: value for name, value in body(reply).items() if name != "id"}


@pytest.mark.parametrize("whose", ["own", "another's"])
@pytest.mark.parametrize(("kind", "name", "standing"), CASES)
async def test_operations_on_messages_follow_the_table(
    desk: Desk, kind: str, name: str, standing: Standing, whose: str
) -> None:
    """Every one, by somebody of every standing: with a message of one's own, where that can be, and with another's, a plain member's."""
    there = await place(desk, kind)
    mid = there.mid
    if whose == "own" and standing >= Standing.MUTED:
        await desk.set_role(there.room, name, "member")
        mid = (await desk.message(name, there.room, "algo"))["mid"]
        await desk.set_role(there.room, name, name)
    for op in sorted(MESSAGE_OPS, key=lambda op: op is frames.Delete):  # nothing can be done to the message after that
        least = TABLE[op].standing
        assert least is not None
        wanted = expected(least, standing)
        if whose != "own" and op is frames.Edit:
            wanted = wanted or "forbidden"
        if whose != "own" and op is frames.Delete and standing < Standing.MODERATOR:
            wanted = wanted or "forbidden"

        answer = await answer_to(desk, name, request(op, there.room, there.open_upload, there.file, mid))

        assert answer.get("code", "") == wanted, (op, answer)
        if wanted:
            assert "secreto" not in str(answer)


@pytest.mark.parametrize(("kind", "name", "standing"), CASES)
async def test_room_operations_follow_the_table(desk: Desk, kind: str, name: str, standing: Standing) -> None:
    """Every operation on a room, by somebody of every standing in every kind of room."""
    there: Place | None = None
    for op in ROOM_OPS:
        there = there or await place(desk, kind)
        least = TABLE[op].standing
        assert least is not None
        wanted = expected(least, standing)
        if op is frames.Invite and not wanted and kind != "private":
            wanted = "bad_request"  # allowed, but only private rooms have invitations

        reply = await desk.say(name, request(op, there.room, there.open_upload, there.file, there.mid))

        assert reply.code == wanted, (op, reply.frame)
        if wanted:
            assert b"secreto" not in reply.frame
            assert reply.directive is None
        else:
            there = None  # what was allowed may have changed it


@pytest.mark.parametrize(("kind", "name", "standing"), CASES)
async def test_file_operations_follow_the_table(desk: Desk, kind: str, name: str, standing: Standing) -> None:
    """A file is for the room's members; an upload for the one who began it, whatever others are."""
    for op in FILE_OPS:
        there = await place(desk, kind)
        wanted = expected(FILE_STANDING[op], standing)
        if op is not frames.Download and name != there.author:
            wanted = "not_found"

        reply = await desk.say(name, request(op, there.room, there.open_upload, there.file, there.mid))

        assert reply.code == wanted, (op, reply.frame)
        assert (reply.directive is None) == bool(wanted)


@pytest.mark.parametrize("op", [*ROOM_OPS, *MESSAGE_OPS, *FILE_OPS])
async def test_what_does_not_exist_looks_like_what_one_may_not_know(desk: Desk, op: type[frames.RoomOp]) -> None:
    """An id that is changed to one that is nowhere is answered, byte for byte, as a room that is hidden."""
    there = await place(desk, "private")

    nowhere = await answer_to(desk, "stranger", request(op, MISSING_ROOM, MISSING_UPLOAD, MISSING_FILE))
    hidden = await answer_to(desk, "stranger", request(op, there.room, there.open_upload, there.file, there.mid))

    assert nowhere["code"] == "not_found"
    assert nowhere == hidden


async def test_finishing_needs_the_standing_still(desk: Desk) -> None:
    """Whoever was muted, or left, cannot finish what was begun before; giving it up is always allowed."""
    room = await desk.room("owner", "public", "ana")
    upload = await _upload(desk, "ana", room)
    finish = frames.UploadFinish(id=1, cmid=uuid.uuid4(), upload=upload)

    await desk.set_role(room, "ana", "muted")
    assert (await desk.say("ana", finish)).code == "forbidden"
    ok(await desk.say("ana", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))
    assert (await desk.say("ana", finish)).code == "forbidden"
    ok(await desk.say("ana", frames.UploadAbort(id=1, cmid=uuid.uuid4(), upload=upload)))


async def test_lists_show_only_what_one_may_see(desk: Desk) -> None:
    """Another's private and direct rooms are in no list."""
    public = await desk.room("ana")
    private = await desk.room("ana", "private")
    await desk.know("bob")

    of_ana = {room["id"] for room in ok(await desk.say("ana", frames.ListRooms(id=1)))["rooms"]}
    of_bob = ok(await desk.say("bob", frames.ListRooms(id=1)))["rooms"]
    open_to_bob = ok(await desk.say("bob", frames.ListRooms(id=1, scope="public")))["rooms"]

    assert of_ana == {public, private}
    assert of_bob == []
    assert [(room["id"], room["role"]) for room in open_to_bob] == [(public, None)]


async def test_access_refuses_operations_that_name_no_room(desk: Desk) -> None:
    """A handler that asks with the wrong operation is a fault of ours, not a way in."""
    room = await desk.room("ana")

    with pytest.raises(TypeError):
        await desk.run(lambda db: access.room_for(Store(db, 0), user_id("ana"), room, frames.ListRooms))
