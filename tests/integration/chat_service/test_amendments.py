"""Editing, deleting and reacting: who may, what the room hears, and that history is true afterwards."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from chat_service.batch import Committed
from garita_common.core import frames
from garita_common.core.records import Answered, RecordUpload, RoomEvent
from tests.fakes.chat_gateway import stamped, user_id

from .conftest import GATEWAY, RULES, Desk, ok, send

SHA = "ab" * 32
NOBODYS = uuid.UUID(int=7)


def edit(room: str, mid: str, text: str = "adiós", **fields: Any) -> frames.Edit:
    """Another text."""
    return frames.Edit(id=1, cmid=fields.pop("cmid", None) or uuid.uuid4(), room=room, mid=uuid.UUID(mid), text=text)


def delete(room: str, mid: str, **fields: Any) -> frames.Delete:
    """An end."""
    return frames.Delete(id=1, cmid=fields.pop("cmid", None) or uuid.uuid4(), room=room, mid=uuid.UUID(mid), **fields)


def react(room: str, mid: str, emoji: str = "👍", on: bool = True, cmid: uuid.UUID | None = None) -> frames.React:
    """A reaction."""
    return frames.React(id=1, cmid=cmid or uuid.uuid4(), room=room, mid=uuid.UUID(mid), emoji=emoji, on=on)


async def history(desk: Desk, user: str, room: str) -> list[dict[str, Any]]:
    """A room's events as they are read now."""
    found: list[dict[str, Any]] = ok(await desk.say(user, frames.History(id=1, room=room, limit=100)))["events"]
    return found


def pushed(done: Committed, room: str) -> list[RoomEvent]:
    """What a transaction said to a room."""
    return [event for (to, _), events in done.room_events.items() if to == room for event in events]


async def upload(desk: Desk, user: str, room: str) -> str:
    """A finished file's id."""
    op = frames.Upload(id=1, cmid=uuid.uuid4(), room=room, name="a.txt", size=10, sha256=SHA)
    ask = RecordUpload(str(uuid.uuid4()), ok(await desk.say(user, op))["upload"], 10, SHA)
    return str(ok(await desk.ask(user, ask, Answered))["file"]["id"])


async def test_an_edit_is_an_event_and_history_has_the_newest_text_only(desk: Desk) -> None:
    """The message is marked as edited; of its edits only the newest keeps a text."""
    room = await desk.room("ana", "public", "bob")
    mid = (await desk.message("ana", room, "uno"))["mid"]
    ok(await desk.say("ana", edit(room, mid, "dos")))
    desk.now_ms += 5

    answer = ok(await desk.say("ana", edit(room, mid, "tres")))

    assert answer["seq"] == 5
    assert answer["ts"] == desk.now_ms
    message, first, second = (await history(desk, "bob", room))[-3:]
    assert (message["text"], message["edited"], message["seq"]) == ("tres", desk.now_ms, 3)
    assert (first["op"], first["text"], first["void"]) == ("edited", "", True)
    assert second == {
        "op": "edited", "room": room, "epoch": message["epoch"], "seq": 5, "ts": desk.now_ms,
        "user": {"id": user_id("ana"), "name": "ana"}, "mid": mid, "of": 3, "text": "tres",
    }  # fmt: skip


async def test_only_one_s_own_message_is_edited_and_only_where_it_is(desk: Desk) -> None:
    """Not a moderator's to do, not across rooms, not once it is deleted; not to nothing, not to too much."""
    room, other = await desk.room("ana", "public", "bob"), await desk.room("ana", "public", "bob")
    mid = (await desk.message("bob", room))["mid"]
    await desk.message("bob", other)

    assert (await desk.say("ana", edit(room, mid))).code == "forbidden"
    assert (await desk.say("bob", edit(other, mid))).code == "not_found"
    assert (await desk.say("bob", edit(room, str(NOBODYS)))).code == "not_found"
    assert (await desk.say("bob", edit(room, mid, ""))).code == "bad_request"
    assert (await desk.say("bob", edit(room, mid, "ñ" * 4097))).code == "too_large"
    ok(await desk.say("bob", edit(room, mid, "ñ" * 4096)))
    ok(await desk.say("bob", delete(room, mid)))
    assert (await desk.say("bob", edit(room, mid))).code == "conflict"


async def test_a_deletion_leaves_no_content(desk: Desk) -> None:
    """Neither in the message nor in its edits; what was there stays in its place, and replies to it too."""
    room = await desk.room("ana", "public", "bob")
    mid = (await desk.message("ana", room, "secreto"))["mid"]
    ok(await desk.say("ana", edit(room, mid, "secreto a voces")))
    ok(await desk.say("bob", send(room, "ya", reply_to=uuid.UUID(mid))))

    answer = ok(await desk.say("ana", delete(room, mid)))

    message, edited, reply, deleted = (await history(desk, "bob", room))[-4:]
    assert message["deleted"] is True
    assert not {"text", "files", "edited"} & set(message)
    assert edited["text"] == ""
    assert reply["reply_to"] == mid
    assert (deleted["op"], deleted["of"], deleted["seq"]) == ("deleted", message["seq"], answer["seq"])
    assert "by_moderator" not in deleted
    assert (await desk.say("ana", delete(room, mid))).code == "conflict"


async def test_a_repeat_gives_the_first_answer(desk: Desk) -> None:
    """Without another event; another content under the same cmid is refused."""
    room = await desk.room("ana")
    mid = (await desk.message("ana", room))["mid"]
    cmid = uuid.uuid4()
    ops: list[frames.RoomOp] = [edit(room, mid, cmid=cmid), react(room, mid), delete(room, mid)]
    for op in ops:
        first = ok(await desk.say("ana", op))
        head = len(await history(desk, "ana", room))

        again = ok(await desk.say("ana", op))

        assert again.pop("dup") is True
        assert {**again, "id": 0} == {**first, "id": 0}
        assert len(await history(desk, "ana", room)) == head
    assert (await desk.say("ana", edit(room, mid, "otro", cmid=cmid))).code == "conflict"


@pytest.mark.parametrize(
    ("actor", "author", "code"),
    [("moderator", "member", ""), ("moderator", "muted", ""), ("owner", "moderator", ""), ("moderator", "gone", ""),
     ("moderator", "owner", "forbidden"), ("moderator", "second", "forbidden"), ("member", "muted", "forbidden"), ("muted", "muted", "")],
)  # fmt: skip
async def test_moderators_delete_what_those_below_them_wrote(desk: Desk, actor: str, author: str, code: str) -> None:
    """And that is noted, with their reason."""
    room = await desk.room("owner", "public", "moderator", "second", "member", "muted", "gone")
    mid = (await desk.message(author, room))["mid"]
    for name in ("moderator", "second", "muted"):
        await desk.set_role(room, name, {"second": "moderator"}.get(name, name))
    if author == "gone":
        ok(await desk.say("gone", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))

    reply = await desk.say(actor, delete(room, mid, note="grosero"))

    done = desk.said[-1]
    assert reply.code == code
    entries = ok(await desk.say("owner", frames.Audit(id=1, room=room)))["entries"]
    if code or actor == author:
        assert entries == []
    else:
        assert b'"by_moderator":true' in pushed(done, room)[-1].frame
        assert [(entry["action"], entry["mid"], entry["note"]) for entry in entries] == [("delete", mid, "grosero")]


async def test_a_file_goes_with_the_last_message_that_shows_it(desk: Desk) -> None:
    """Not while another shows it; then it can be neither had nor shown again, and its bytes are the sweep's."""
    room = await desk.room("ana", "public", "bob")
    kept, shared = await upload(desk, "ana", room), await upload(desk, "ana", room)
    first = ok(await desk.say("ana", send(room, "", files=[kept, shared])))["mid"]
    second = ok(await desk.say("ana", send(room, "", files=[shared])))["mid"]

    ok(await desk.say("ana", delete(room, first)))

    assert (await desk.say("bob", frames.Download(id=1, file=kept))).code == "not_found"
    ok(await desk.say("bob", frames.Download(id=1, file=shared)))
    ok(await desk.say("ana", delete(room, second)))
    assert (await desk.say("bob", frames.Download(id=1, file=shared))).code == "not_found"
    assert (await desk.say("ana", send(room, "", files=[shared]))).code == "not_found"
    assert await desk.run(
        lambda db: db.execute("SELECT count(*) FROM uploads WHERE state = 'expired' AND cleared = 0").fetchone()
    ) == (2,)


async def test_reactions_are_there_once_and_can_be_taken_back(desk: Desk) -> None:
    """What is so already is no event."""
    room = await desk.room("ana", "public", "bob")
    mid = (await desk.message("ana", room))["mid"]

    first = ok(await desk.say("bob", react(room, mid)))
    same = ok(await desk.say("bob", react(room, mid)))
    back = ok(await desk.say("bob", react(room, mid, on=False)))
    gone = ok(await desk.say("bob", react(room, mid, on=False)))

    assert (first["seq"], back["seq"]) == (4, 5)
    assert set(same) == set(gone) == {"op", "id"}
    assert [(event["emoji"], event["on"], event["of"]) for event in (await history(desk, "ana", room))[-2:]] == [
        ("👍", True, 3),
        ("👍", False, 3),
    ]
    assert (await desk.say("bob", react(room, mid, "nada"))).code == "bad_request"
    ok(await desk.say("ana", delete(room, mid)))
    assert (await desk.say("bob", react(room, mid))).code == "conflict"


async def test_a_message_has_a_bounded_number_of_reactions(desk: Desk) -> None:
    """Five of a user, twenty different ones; joining one that is there is always possible."""
    room = await desk.room("u0", "public", "u1", "u2", "u3", "u4")
    mid = (await desk.message("u0", room))["mid"]
    faces = [chr(0x1F600 + number) for number in range(21)]
    for number in range(20):
        ok(await desk.say(f"u{number // 5}", react(room, mid, faces[number])))

    assert (await desk.say("u0", react(room, mid, faces[19]))).code == "limit"
    assert (await desk.say("u4", react(room, mid, faces[20]))).code == "limit"
    ok(await desk.say("u4", react(room, mid, faces[19])))
    ok(await desk.say("u0", react(room, mid, faces[0], on=False)))
    ok(await desk.say("u4", react(room, mid, faces[20])))
    assert RULES.talk.reactions_per_message == 20


async def test_one_transaction_sees_its_own_changes(desk: Desk) -> None:
    """Sent, edited twice, reacted to and deleted in one batch: each sees what the one before did, and the room hears all in order."""
    room = await desk.room("ana")
    mid = (await desk.message("ana", room))["mid"]
    ops: list[frames.RoomOp] = [
        edit(room, mid, "dos"),
        react(room, mid),
        edit(room, mid, "tres"),
        delete(room, mid),
        edit(room, mid, "no"),
    ]

    done = await desk.batch(*((GATEWAY, stamped("ana", op, connection=n)) for n, op in enumerate(ops)))

    assert [reply.code for _, reply in done.replies if isinstance(reply, Answered)] == ["", "", "", "", "conflict"]
    assert not done.is_split
    assert [event.seq for event in pushed(done, room)] == [3, 4, 5, 6]
    assert [event.get("text") for event in await history(desk, "ana", room)][-5:] == [None, "", None, "", None]
