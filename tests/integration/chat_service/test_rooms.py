"""Rooms: making, joining, leaving, inviting, listing; and what everybody is told."""

from __future__ import annotations

import uuid
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from chat_service.core.rooms import RoomLimits
from garita_common.core import frames
from garita_common.core.records import AttachRoom
from tests.fakes.chat_gateway import user_id

from .conftest import RULES, Desk, ok, send


def create(**fields: Any) -> frames.CreateRoom:
    """A new request for a room."""
    return frames.CreateRoom(id=1, cmid=uuid.uuid4(), **fields)


def join(room: str) -> frames.Join:
    """A new request to join."""
    return frames.Join(id=1, cmid=uuid.uuid4(), room=room)


def invite(room: str, user: str) -> frames.Invite:
    """A new invitation."""
    return frames.Invite(id=1, cmid=uuid.uuid4(), room=room, user=user)


def notices(desk: Desk, user: str) -> list[dict[str, Any]]:
    """What a user was told in the log @me."""
    return [
        msgspec.json.decode(event.frame) for done in desk.said for event in done.personal_events.get(user_id(user), [])
    ]


async def test_a_rooms_creator_is_its_owner_and_first_event(desk: Desk) -> None:
    """The answer's cursor lies before one's own joining, and the gateway is told to attach there."""
    reply = await desk.say("ana", create(kind="public", title="Plaza", topic="de todo"))

    answer = ok(reply)
    room = answer["room"]
    assert (room["kind"], room["title"], room["topic"], room["members"]) == ("public", "Plaza", "de todo", 1)
    assert (room["role"], room["head"], answer["seq"]) == ("owner", 1, 0)
    assert reply.directive == AttachRoom(room["id"], answer["epoch"], 0)
    ((key, events),) = desk.said[-1].room_events.items()
    assert key == (room["id"], answer["epoch"])
    assert [msgspec.json.decode(event.frame)["change"] for event in events] == ["joined"]
    (notice,) = notices(desk, "ana")
    assert (notice["log"], notice["seq"], notice["kind"]) == ("@me", 1, "joined")
    assert "role" not in notice["room"]


@pytest.mark.parametrize(
    "fields",
    [
        {"kind": "public"},
        {"kind": "private", "title": "  "},
        {"kind": "public", "title": "a", "user": "bob"},
        {"kind": "direct"},
        {"kind": "direct", "user": "bob", "title": "a"},
        {"kind": "direct", "user": "bob", "topic": "a"},
        {"kind": "direct", "user": "ana"},
    ],
)
async def test_a_room_that_makes_no_sense_is_refused(desk: Desk, fields: dict[str, str]) -> None:
    """Each kind has its own fields, and a direct room takes two."""
    await desk.know("ana", "bob")

    assert (await desk.say("ana", create(**fields))).code == "bad_request"
    assert await desk.count("rooms") == 0


async def test_a_direct_room_exists_once_per_pair(desk: Desk) -> None:
    """Both are members at once; whoever asks again, with a name in any case, gets the same one."""
    await desk.know("ana", "bob")

    first = ok(await desk.say("ana", create(kind="direct", user="BOB")))
    second_reply = await desk.say("bob", create(kind="direct", user="ana"))

    second = ok(second_reply)
    assert second["room"]["id"] == first["room"]["id"]
    assert (first["room"]["peer"]["name"], second["room"]["peer"]["name"]) == ("bob", "ana")
    assert (first["room"]["members"], first["seq"], second["seq"]) == (2, 0, 2)
    assert second_reply.directive == AttachRoom(first["room"]["id"], first["epoch"], 2)
    (notice,) = notices(desk, "bob")
    assert (notice["kind"], notice["by"]["name"], notice["room"]["peer"]["name"]) == ("direct", "ana", "ana")
    (event,) = desk.said[-2].personal_events[user_id("bob")]
    assert event.attach == AttachRoom(first["room"]["id"], first["epoch"], 1)


async def test_who_left_a_direct_room_comes_back_only_by_themselves(desk: Desk) -> None:
    """The other one cannot bring anybody back."""
    await desk.know("ana", "bob")
    room = ok(await desk.say("ana", create(kind="direct", user="bob")))["room"]["id"]
    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))

    again = ok(await desk.say("ana", create(kind="direct", user="bob")))
    assert (again["room"]["id"], again["room"]["members"]) == (room, 1)
    assert (await desk.say("bob", send(room))).code == "not_found"

    back = await desk.say("bob", create(kind="direct", user="ana"))
    assert back.directive == AttachRoom(room, again["epoch"], 3)
    ok(await desk.say("bob", send(room)))


@pytest.mark.parametrize("op", [create(kind="direct", user="nobody"), None])
async def test_an_unknown_name_is_not_found(desk: Desk, op: frames.CreateRoom | None) -> None:
    """For a direct room and for an invitation."""
    room = await desk.room("ana", "private")

    assert (await desk.say("ana", op or invite(room, "nobody"))).code == "not_found"


async def test_joining_attaches_before_ones_own_event(desk: Desk) -> None:
    """The answer's cursor is the seq before one's own joining; the user's other devices are attached by the personal event."""
    room = await desk.room("ana")
    await desk.message("ana", room)

    reply = await desk.say("bob", join(room))

    answer = ok(reply)
    assert (answer["room"], answer["seq"]) == (room, 2)
    assert reply.directive == AttachRoom(room, answer["epoch"], 2)
    done = desk.said[-1]
    assert [event.seq for event in done.room_events[(room, answer["epoch"])]] == [3]
    (event,) = done.personal_events[user_id("bob")]
    assert event.attach == reply.directive


async def test_joining_twice_changes_nothing(desk: Desk) -> None:
    """A member who joins is told where the room stands, and a connection that does not follow it yet does so from there."""
    room = await desk.room("ana", "public", "bob")

    reply = await desk.say("bob", join(room))

    answer = ok(reply)
    assert (answer["seq"], reply.directive) == (2, AttachRoom(room, answer["epoch"], 2))
    assert desk.said[-1].room_events == {}


async def test_leaving_says_who_left(desk: Desk) -> None:
    """The event names the user whose membership it ended, so that gateways can let go."""
    room = await desk.room("ana", "public", "bob")

    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))

    ((event,),) = desk.said[-1].room_events.values()
    assert (event.seq, event.left) == (3, user_id("bob"))
    assert msgspec.json.decode(event.frame)["change"] == "left"
    assert ok(await desk.say("ana", frames.GetRoom(id=1, room=room)))["room"]["members"] == 1


async def test_an_invitation_opens_a_private_room_once(desk: Desk) -> None:
    """It is used up by joining, and a second one says nothing new."""
    await desk.know("bob")
    room = await desk.room("ana", "private")
    assert (await desk.say("bob", join(room))).code == "not_found"

    answer = ok(await desk.say("ana", invite(room, "bob")))
    ok(await desk.say("ana", invite(room, "bob")))
    assert answer["user"] == {"id": user_id("bob"), "name": "bob"}
    (notice,) = notices(desk, "bob")
    assert (notice["kind"], notice["by"]["name"]) == ("invited", "ana")
    assert (await desk.say("bob", frames.History(id=1, room=room))).code == "forbidden"

    ok(await desk.say("bob", join(room)))
    assert (await desk.say("ana", invite(room, "bob"))).code == "conflict"
    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))
    assert (await desk.say("bob", join(room))).code == "not_found"


async def test_lists_are_paged(desk: Desk) -> None:
    """Every page's `next` leads on, and the last has none."""
    made = {await desk.room("ana", "public", "bob") for _ in range(5)}

    for user, scope in (("bob", "mine"), ("eva", "public")):
        seen: list[str] = []
        after = None
        while True:
            page = ok(await desk.say(user, frames.ListRooms(id=1, scope=scope, after=after, limit=2)))  # type: ignore[arg-type]  # one of the two
            seen += [room["id"] for room in page["rooms"]]
            after = page.get("next")
            if after is None:
                break
        assert len(seen) == 5
        assert set(seen) == made


async def test_a_page_of_rooms_fits_a_frame(desk: Desk) -> None:
    """Long topics make pages shorter than asked for, with more to come."""
    for _ in range(60):
        ok(await desk.say("ana", create(kind="public", title="t", topic="\x01" * 256)))

    page = ok(await desk.say("ana", frames.ListRooms(id=1, limit=100)))

    assert 0 < len(page["rooms"]) < 60
    assert page["next"] == page["rooms"][-1]["id"]
    assert len(msgspec.json.encode(page)) < 64 * 1024


async def test_members_are_listed_with_their_newest_names(desk: Desk) -> None:
    """By page, with roles."""
    room = await desk.room("ana", "public", "bob", "eva")

    first = ok(await desk.say("ana", frames.ListMembers(id=1, room=room, limit=2)))
    rest = ok(await desk.say("ana", frames.ListMembers(id=1, room=room, after=first["next"])))

    people = {entry["name"]: entry["role"] for entry in first["members"] + rest["members"]}
    assert people == {"ana": "owner", "bob": "member", "eva": "member"}
    assert "next" not in rest


async def test_rooms_and_users_are_full_at_their_limits(desk: Desk) -> None:
    """At the limit one comes in, one past it is refused; for the joiner, the creator and both of a pair."""
    small = Desk(desk.database, replace(RULES, rooms=RoomLimits(2, 2, 2)))
    room = await small.room("ana", "public", "bob")
    assert (await small.say("eva", join(room))).code == "limit"

    await small.room("ana")
    assert (await small.say("ana", create(kind="public", title="t"))).code == "limit"
    assert (await small.say("eva", create(kind="direct", user="ana"))).code == "limit"
    assert (await small.say("ana", create(kind="direct", user="eva"))).code == "limit"
    assert ok(await small.say("eva", create(kind="direct", user="bob")))["room"]["members"] == 2
