"""What is said in passing: marks, typing, who is here."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec

from garita_common.core import frames
from garita_common.core.records import Answered, Here, TellPresent
from tests.fakes.chat_gateway import stamped, user_id

from .conftest import GATEWAY, Desk, ok


def read(room: str, seq: int) -> frames.Read:
    """A read mark."""
    return frames.Read(room=room, seq=seq)


def received(room: str, seq: int) -> frames.Received:
    """A mark of arrival."""
    return frames.Received(room=room, seq=seq)


def to_room(desk: Desk) -> list[dict[str, Any]]:
    """What the last transaction said in passing to rooms."""
    return [msgspec.json.decode(frame) for said in desk.said[-1].room_passing.values() for frame in said.values()]


def to_own(desk: Desk) -> list[tuple[str, dict[str, Any]]]:
    """What the last transaction said in passing to users' own connections."""
    return [
        (user, msgspec.json.decode(frame))
        for user, said in desk.said[-1].own_passing.items()
        for frame in said.values()
    ]


async def members(desk: Desk, user: str, room: str) -> dict[str, tuple[int, int]]:
    """Everybody's marks."""
    found = ok(await desk.say(user, frames.ListMembers(id=1, room=room)))["members"]
    return {member["name"]: (member["read"], member["received"]) for member in found}


async def test_marks_only_go_up_and_never_above_the_head(desk: Desk) -> None:
    """What was read has arrived; what is not there cannot have been read. Members see them, the room object shows one's own."""
    room = await desk.room("ana", "public", "bob")
    await desk.message("ana", room)

    await desk.hint("bob", received(room, 2))
    await desk.hint("bob", read(room, 1))
    assert await members(desk, "ana", room) == {"ana": (0, 0), "bob": (1, 2)}
    await desk.hint("bob", read(room, 99))
    assert to_room(desk) == [
        {"op": "read", "room": room, "user": {"id": user_id("bob"), "name": "bob"}, "read": 3, "received": 3}
    ]
    for lower in (read(room, 2), received(room, 1), read(room, 3)):
        done = await desk.hint("bob", lower)
        assert done.is_said
    assert await members(desk, "ana", room) == {"ana": (0, 0), "bob": (3, 3)}
    assert ok(await desk.say("bob", frames.GetRoom(id=1, room=room)))["room"]["read"] == 3
    assert ok(await desk.say("ana", frames.ListRooms(id=1)))["rooms"][0]["read"] == 0


async def test_marks_of_one_transaction_are_one_row_and_one_push(desk: Desk) -> None:
    """However many devices say them."""
    room = await desk.room("ana", "public", "bob")
    for _ in range(5):
        await desk.message("ana", room)
    before = await desk.run(lambda db: db.total_changes)

    await desk.batch(*((GATEWAY, stamped("bob", read(room, seq))) for seq in range(1, 8)))

    assert await desk.run(lambda db: db.total_changes) == before + 1
    assert [push["read"] for push in to_room(desk)] == [7]
    assert desk.said[-1].replies == []


async def test_a_mark_is_gone_with_the_membership(desk: Desk) -> None:
    """Also when it was said in the same transaction as the leaving."""
    room = await desk.room("ana", "public", "bob")
    leave, join = (kind(id=1, cmid=uuid.uuid4(), room=room) for kind in (frames.Leave, frames.Join))

    await desk.batch(*((GATEWAY, stamped("bob", op)) for op in (read(room, 2), leave, join)))

    assert (await members(desk, "ana", room))["bob"] == (0, 0)


async def test_large_rooms_hear_of_no_marks(desk: Desk) -> None:
    """At the limit everybody does, one member above it only the user's own connections."""
    room = await desk.room("ana", "public", "bob")
    await _grow(desk, room, 100)
    await desk.hint("bob", read(room, 1))
    assert [push["read"] for push in to_room(desk)] == [1]
    assert to_own(desk) == []

    await _grow(desk, room, 101)
    await desk.hint("bob", read(room, 2))

    assert to_room(desk) == []
    assert [(user, push["read"]) for user, push in to_own(desk)] == [(user_id("bob"), 2)]


async def test_typing_is_passed_on_once_and_recorded(desk: Desk) -> None:
    """It is stored nowhere."""
    room = await desk.room("ana", "public", "bob")
    before = await desk.run(lambda db: db.total_changes)

    done = await desk.batch(*[(GATEWAY, stamped("bob", frames.Typing(room=room)))] * 2)

    assert to_room(desk) == [{"op": "typing", "room": room, "user": {"id": user_id("bob"), "name": "bob"}}]
    assert await desk.run(lambda db: db.total_changes) == before
    assert len(done.sent) == 2


async def test_a_refused_hint_is_answered_without_an_id(desk: Desk) -> None:
    """Strangers and the muted learn what any operation tells them, and nothing is passed on."""
    room, private = await desk.room("ana", "public", "bob"), await desk.room("ana", "private")
    await desk.set_role(room, "bob", "muted")
    for user, op, code in (
        ("bob", frames.Typing(room=room), "forbidden"),
        ("eve", read(private, 1), "not_found"),
        ("eve", received(room, 1), "forbidden"),
    ):
        ((_, reply),) = (await desk.hint(user, op)).replies

        assert isinstance(reply, Answered)
        assert reply.code == code
        assert "id" not in msgspec.json.decode(reply.frame)
        assert to_room(desk) == []


async def test_presence_is_a_page_of_members_for_the_gateway(desk: Desk) -> None:
    """In the order of their ids, all of them in the end."""
    room = await desk.room("ana", "public", "bob", "eva")
    names, after = [], ""
    while True:
        reply = await desk.say("bob", frames.Presence(id=1, room=room, limit=2, after=after or None))
        assert reply.frame == b""
        assert isinstance(reply.directive, TellPresent)
        assert reply.directive.room == room
        names += [name for _, name in reply.directive.members]
        after = reply.directive.next
        if not after:
            break

    assert sorted(names) == ["ana", "bob", "eva"]
    assert len(names) == 3


async def test_small_rooms_hear_who_comes_and_goes(desk: Desk) -> None:
    """Those with as many members as the limit, not those with one more; nobody is answered."""
    small, large = await desk.room("ana"), await desk.room("ana")
    await _grow(desk, small, 100)
    await _grow(desk, large, 101)

    done = await desk.hint("ana", Here(here=True))

    assert done.replies == []
    assert to_room(desk) == [
        {"op": "presence", "room": small, "user": {"id": user_id("ana"), "name": "ana"}, "here": True}
    ]


async def _grow(desk: Desk, room: str, members: int) -> None:
    await desk.run(lambda db: db.execute("UPDATE rooms SET members = ? WHERE id = ?", (members, room)))
