"""Moderation over a real database: what each act changes, says and leaves in the audit trail, and what is refused."""

from __future__ import annotations

import uuid
from typing import Any

import msgspec
import pytest

from chat_service.turn import Reported
from garita_common.core import frames
from garita_common.core.records import Recover, Recovered, RoomEvent
from tests.fakes.chat_gateway import body, user_id

from .conftest import Desk, ok, send

Fields = dict[str, Any]


def act(kind: str, room: str, **fields: Any) -> frames.RoomOp:
    """A new request. Args: fields: `user` is a name."""
    kinds: dict[str, type[frames.RoomOp]] = {
        "set_room": frames.SetRoom, "kick": frames.Kick, "ban_member": frames.BanMember, "set_role": frames.SetRole,
        "report": frames.Report, "join": frames.Join, "leave": frames.Leave, "invite": frames.Invite,
    }  # fmt: skip
    if "user" in fields and kind != "invite":
        fields["user"] = user_id(fields["user"])
    return kinds[kind](id=1, cmid=fields.pop("cmid", None) or uuid.uuid4(), room=room, **fields)  # type: ignore[call-arg]  # all of them have these


def said(desk: Desk) -> list[tuple[RoomEvent, Fields]]:
    """What the last transaction said to rooms."""
    return [
        (event, msgspec.json.decode(event.frame)) for events in desk.said[-1].room_events.values() for event in events
    ]


async def entries(desk: Desk, who: str, room: str) -> list[Fields]:
    """The audit trail, newest first."""
    found: list[Fields] = ok(await desk.say(who, frames.Audit(id=1, room=room)))["entries"]
    return found


async def staffed(desk: Desk, kind: str = "public") -> str:
    """A room with two of every role."""
    room = await desk.room("owner", kind, "owner2", "mod", "mod2", "eva", "bob", "mute")
    for name, role in (("owner2", "owner"), ("mod", "moderator"), ("mod2", "moderator"), ("mute", "muted")):
        await desk.set_role(room, name, role)
    return room


REACH = {"owner": {"mod2", "eva", "mute", "far"}, "mod": {"eva", "mute", "far"}}


@pytest.mark.parametrize("target", ["owner2", "mod2", "eva", "mute", "far"])
@pytest.mark.parametrize("actor", ["owner", "mod"])
@pytest.mark.parametrize("kind", ["kick", "ban_member", "set_role"])
async def test_acts_reach_those_below(desk: Desk, kind: str, actor: str, target: str) -> None:
    """Actor × target × act: exactly the lower roles; who is not there can only be banned."""
    await desk.know("far")
    room = await staffed(desk)
    fields = {"role": "muted"} if kind == "set_role" else {}
    wanted = "" if target in REACH[actor] else "forbidden"
    if target == "far" and kind != "ban_member":
        wanted = "not_found"

    reply = await desk.say(actor, act(kind, room, user=target, **fields))

    assert reply.code == wanted
    if wanted:
        assert said(desk) == []
        assert await entries(desk, "owner", room) == []


async def test_who_is_kicked_is_out_and_may_come_back(desk: Desk) -> None:
    """The event ends the membership for gateways, names who did it, and the trail keeps why."""
    room = await staffed(desk)

    answer = ok(await desk.say("mod", act("kick", room, user="eva", note="ruido")))

    assert answer["user"] == {"id": user_id("eva"), "name": "eva"}
    ((event, push),) = said(desk)
    assert event.left == user_id("eva")
    assert (push["change"], push["user"]["name"], push["by"]["name"]) == ("kicked", "eva", "mod")
    assert (await desk.say("eva", send(room))).code == "forbidden"
    assert (await desk.ask("eva", Recover(room, push["epoch"], 0), Recovered)).gone
    ok(await desk.say("eva", act("join", room)))
    (entry,) = await entries(desk, "mod", room)
    assert entry == {
        "n": 1, "ts": entry["ts"], "action": "kick", "note": "ruido",
        "by": {"id": user_id("mod"), "name": "mod"}, "user": {"id": user_id("eva"), "name": "eva"},
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["public", "private"])
async def test_who_is_banned_is_a_stranger(desk: Desk, kind: str) -> None:
    """The room is nowhere for them: not by id, not in a list, not by an old invitation or a repeated request; until it is taken back."""
    room = await staffed(desk, kind)
    joined = act("join", room)
    ok(await desk.say("eva", joined))
    sent = send(room)
    ok(await desk.say("eva", sent))

    answer = ok(await desk.say("mod", act("ban_member", room, user="eva", note="spam")))

    assert (answer["user"]["name"], answer["banned"]) == ("eva", True)
    ((event, push),) = said(desk)
    assert (event.left, push["change"], push["by"]["name"]) == (user_id("eva"), "banned", "mod")
    for op in (frames.GetRoom(id=1, room=room), frames.History(id=1, room=room), act("join", room), send(room)):
        assert (await desk.say("eva", op)).code == "not_found"
    for scope in ("mine", "public"):
        assert ok(await desk.say("eva", frames.ListRooms(id=1, scope=scope)))["rooms"] == []
    again = await desk.say("eva", joined)
    assert (ok(again)["dup"], again.directive) == (True, None)
    assert ok(await desk.say("eva", sent))["dup"]
    if kind == "private":
        assert (await desk.say("owner", act("invite", room, user="eva"))).code == "conflict"

    ok(await desk.say("mod2", act("ban_member", room, user="eva", banned=False)))
    ((event, push),) = said(desk)
    assert (event.left, push["change"], push["by"]["name"]) == ("", "unbanned", "mod2")
    if kind == "private":
        assert (await desk.say("eva", act("join", room))).code == "not_found"
        ok(await desk.say("owner", act("invite", room, user="eva")))
    ok(await desk.say("eva", act("join", room)))
    assert [entry["action"] for entry in await entries(desk, "owner", room)] == ["unban", "ban"]


async def test_somebody_who_never_came_can_be_banned(desk: Desk) -> None:
    """By id; their invitation ends, no membership does; nobody by an unknown id."""
    await desk.know("far")
    room = await staffed(desk, "private")
    ok(await desk.say("mod", act("invite", room, user="far")))

    ok(await desk.say("mod", act("ban_member", room, user="far")))

    ((event, push),) = said(desk)
    assert (event.left, push["change"]) == ("", "banned")
    assert (await desk.say("far", act("join", room))).code == "not_found"
    assert (await desk.say("mod", act("ban_member", room, user="nobody.ever"))).code == "not_found"
    ok(await desk.say("mod", act("ban_member", room, user="far", banned=False)))
    assert (await desk.say("far", act("join", room))).code == "not_found"


async def test_what_is_so_already_is_no_act(desk: Desk) -> None:
    """Banning the banned, the same role, the same title: answered, but no event and no entry."""
    await desk.know("far")
    room = await staffed(desk)
    ok(await desk.say("mod", act("ban_member", room, user="far")))

    for op in (
        act("ban_member", room, user="far", note="otra vez"),
        act("ban_member", room, user="eva", banned=False),
        act("set_role", room, user="eva", role="member"),
        act("set_role", room, user="mod", role="moderator"),
        act("set_room", room, title="Plaza"),
    ):
        ok(await desk.say("owner", op))
        assert said(desk) == []
    assert [entry["action"] for entry in await entries(desk, "mod", room)] == ["ban"]


@pytest.mark.parametrize("kind", ["kick", "ban_member"])
async def test_nobody_acts_on_himself(desk: Desk, kind: str) -> None:
    """Not an owner either."""
    room = await staffed(desk)

    for name in ("owner", "mod"):
        assert (await desk.say(name, act(kind, room, user=name))).code == "bad_request"


async def test_the_list_of_the_banned_is_paged(desk: Desk) -> None:
    """With who did it and why."""
    room = await desk.room("ana")
    people = [f"far{number}" for number in range(5)]
    await desk.know(*people)
    for name in people:
        ok(await desk.say("ana", act("ban_member", room, user=name, note=f"nota de {name}")))

    first = ok(await desk.say("ana", frames.ListBanned(id=1, room=room, limit=3)))
    rest = ok(await desk.say("ana", frames.ListBanned(id=1, room=room, after=first["next"], limit=3)))

    assert len(first["banned"]) == 3
    assert "next" not in rest
    found = first["banned"] + rest["banned"]
    assert {(ban["name"], ban["note"], ban["by"]["name"]) for ban in found} == {
        (name, f"nota de {name}", "ana") for name in people
    }


async def test_roles_change_what_one_may(desk: Desk) -> None:
    """From the next request on, said to the room with the new role."""
    room = await desk.room("ana", "public", "bob")

    ok(await desk.say("ana", act("set_role", room, user="bob", role="muted")))
    ((event, push),) = said(desk)
    assert (event.left, push["change"], push["role"], push["by"]["name"]) == ("", "role", "muted", "ana")
    assert (await desk.say("bob", send(room))).code == "forbidden"

    ok(await desk.say("ana", act("set_role", room, user="bob", role="moderator", note="ayuda")))
    assert (await desk.say("bob", act("set_role", room, user="bob", role="owner"))).code == "forbidden"
    ok(await desk.say("bob", act("set_room", room, topic="de Bob")))
    entry = (await entries(desk, "bob", room))[1]
    assert (entry["action"], entry["role"], entry["note"]) == ("role", "moderator", "ayuda")


async def test_the_last_owner_stays_until_there_is_another(desk: Desk) -> None:
    """Then steps down by a word, which needs no `by`."""
    room = await desk.room("ana", "public", "bob")
    down = act("set_role", room, user="ana", role="member")
    assert (await desk.say("ana", down)).code == "conflict"

    ok(await desk.say("ana", act("set_role", room, user="bob", role="owner")))
    ok(await desk.say("ana", down))

    ((_, push),) = said(desk)
    assert (push["role"], "by" in push) == ("member", False)
    assert (await desk.say("ana", act("set_room", room, topic="mío"))).code == "forbidden"


async def test_a_room_is_described_anew(desk: Desk) -> None:
    """What is absent stays; the push and the trail have both."""
    room = await desk.room("ana", "public", "bob")

    shown = ok(await desk.say("ana", act("set_room", room, topic="de todo")))["room"]
    assert (shown["title"], shown["topic"], shown["role"], shown["head"]) == ("Plaza", "de todo", "owner", 3)
    ((event, push),) = said(desk)
    assert (push["op"], push["seq"], push["title"], push["topic"]) == ("room", 3, "Plaza", "de todo")
    ok(await desk.say("ana", act("set_room", room, title="Mercado")))

    assert event.left == ""
    newest, first = await entries(desk, "ana", room)
    assert (first["action"], first["title"], first["topic"]) == ("set_room", "Plaza", "de todo")
    assert (newest["title"], newest["topic"]) == ("Mercado", "de todo")
    seen = ok(await desk.say("bob", frames.GetRoom(id=1, room=room)))["room"]
    assert (seen["title"], seen["topic"]) == ("Mercado", "de todo")
    for fields in ({}, {"title": "  "}):
        assert (await desk.say("ana", act("set_room", room, **fields))).code == "bad_request"


@pytest.mark.parametrize(
    ("roles", "heir"),
    [
        ({"bob": "moderator", "eva": "moderator"}, "bob"),
        ({"eva": "moderator"}, "eva"),
        ({}, "bob"),
        ({"bob": "muted"}, "eva"),
    ],
)
async def test_the_last_owner_leaves_somebody_in_charge(desk: Desk, roles: dict[str, str], heir: str) -> None:
    """The longest-standing moderator, else member, in the same transaction; who came back begins anew."""
    room = await desk.room("ana", "private", "zoe", "bob", "eva")
    ok(await desk.say("zoe", act("leave", room)))
    ok(await desk.say("ana", act("invite", room, user="zoe")))
    ok(await desk.say("zoe", act("join", room)))
    for name, role in roles.items():
        await desk.set_role(room, name, role)

    ok(await desk.say("ana", act("leave", room)))

    (left, went), (event, push) = said(desk)
    assert (left.left, went["change"]) == (user_id("ana"), "left")
    assert (event.left, push["user"]["name"], push["change"], push["role"]) == ("", heir, "role", "owner")
    assert ("by" in push, push["seq"]) == (False, went["seq"] + 1)
    ok(await desk.say(heir, act("invite", room, user="ana")))


async def test_another_owner_needs_no_heir(desk: Desk) -> None:
    """Nor does anybody but an owner leave one, nor a direct room."""
    room = await staffed(desk)
    for name in ("owner2", "mod"):
        ok(await desk.say(name, act("leave", room)))
        assert len(said(desk)) == 1
    await desk.know("ana", "bob")
    direct = ok(await desk.say("ana", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="bob")))
    ok(await desk.say("ana", act("leave", direct["room"]["id"])))
    assert len(said(desk)) == 1


async def test_the_first_to_come_into_a_deserted_room_owns_it(desk: Desk) -> None:
    """Where nobody was left, or only the muted; who comes next is a member."""
    room = await desk.room("ana", "public", "mute")
    await desk.set_role(room, "mute", "muted")
    ok(await desk.say("ana", act("leave", room)))
    assert len(said(desk)) == 1

    ok(await desk.say("bob", act("join", room)))
    ((_, push),) = said(desk)
    assert (push["change"], push["role"]) == ("joined", "owner")
    ok(await desk.say("eva", act("join", room)))
    assert said(desk)[0][1]["role"] == "member"


async def test_a_direct_room_has_no_moderation(desk: Desk) -> None:
    """Neither of the two may do anything to the other."""
    await desk.know("ana", "bob")
    room = ok(await desk.say("ana", frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="bob")))["room"][
        "id"
    ]

    for op in (
        act("kick", room, user="bob"),
        act("ban_member", room, user="bob"),
        act("set_role", room, user="bob", role="muted"),
        act("set_room", room, topic="x"),
        act("invite", room, user="bob"),
        frames.ListBanned(id=1, room=room),
        frames.Audit(id=1, room=room),
    ):
        assert (await desk.say("ana", op)).code == "forbidden"


async def test_a_report_shows_what_was_there_and_not_who_told(desk: Desk) -> None:
    """The text as it was then; the author is the one concerned; nothing in the whole answer names the reporter."""
    room = await desk.room("ana", "public", "bob", "chivato")
    sent = await desk.message("bob", room, "compra esto")

    report = act("report", room, mid=uuid.UUID(sent["mid"]), reason="spam", note="otra vez él")
    first = ok(await desk.say("chivato", report))["report"]

    assert said(desk) == []
    (reported,) = [found for found in desk.said[-1].sent if isinstance(found, Reported)]
    assert (reported.about, reported.op.reason) == (user_id("bob"), "spam")
    edit = frames.Edit(id=1, cmid=uuid.uuid4(), room=room, mid=uuid.UUID(sent["mid"]), text="nada")
    ok(await desk.say("bob", edit))
    reply = await desk.say("ana", frames.Audit(id=1, room=room))
    (entry,) = ok(reply)["entries"]
    assert entry == {
        "n": first, "ts": entry["ts"], "action": "report", "mid": sent["mid"], "note": "otra vez él",
        "user": {"id": user_id("bob"), "name": "bob"}, "reason": "spam", "text": "compra esto",
    }  # fmt: skip
    assert b"chivato" not in reply.frame
    assert user_id("chivato").encode() not in reply.frame
    assert (await desk.say("chivato", frames.Audit(id=1, room=room))).code == "forbidden"


async def test_a_message_is_reported_once_by_each(desk: Desk) -> None:
    """Again, by the same cmid or another, gives the same number and no second record; another member's is another."""
    room = await desk.room("ana", "public", "bob", "eva")
    mid = uuid.UUID((await desk.message("ana", room))["mid"])
    report = act("report", room, mid=mid, reason="abuse")
    first = ok(await desk.say("bob", report))["report"]

    assert ok(await desk.say("bob", report))["report"] == first
    assert desk.said[-1].sent == []
    assert ok(await desk.say("bob", act("report", room, mid=mid, reason="illegal")))["report"] == first
    assert desk.said[-1].sent == []
    assert ok(await desk.say("eva", act("report", room, mid=mid, reason="abuse")))["report"] == first + 1
    assert await desk.count("reports") == 2


async def test_what_cannot_be_reported(desk: Desk) -> None:
    """A message that is nowhere, in another room, deleted, or one's own."""
    room, other = await desk.room("ana", "public", "bob"), await desk.room("bob")
    own = uuid.UUID((await desk.message("bob", room))["mid"])
    elsewhere = uuid.UUID((await desk.message("bob", other))["mid"])
    deleted = uuid.UUID((await desk.message("ana", room))["mid"])
    ok(await desk.say("ana", frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=deleted)))

    for mid, code in (
        (uuid.uuid4(), "not_found"),
        (elsewhere, "not_found"),
        (deleted, "conflict"),
        (own, "bad_request"),
    ):
        assert (await desk.say("bob", act("report", room, mid=mid, reason="spam"))).code == code
    assert await desk.count("reports") == 0


async def test_a_moderators_deletion_is_in_the_trail(desk: Desk) -> None:
    """With the text that is gone everywhere else; an author's own is not."""
    room = await desk.room("ana", "public", "bob")
    for who, text in (("ana", "fuera de aquí"), ("bob", "me equivoqué")):
        mid = uuid.UUID((await desk.message("bob", room, text))["mid"])
        ok(await desk.say(who, frames.Delete(id=1, cmid=uuid.uuid4(), room=room, mid=mid)))

    (entry,) = await entries(desk, "ana", room)

    assert (entry["action"], entry["text"], entry["by"]["name"], entry["user"]["name"]) == (
        "delete", "fuera de aquí", "ana", "bob",
    )  # fmt: skip


async def test_the_trail_is_paged_newest_first(desk: Desk) -> None:
    """A page holds what fits a frame, however long the texts; every entry comes once."""
    room = await desk.room("ana", "public", "bob")
    for number in range(7):
        mid = uuid.UUID((await desk.message("bob", room, "\x01" * 8000 + str(number)))["mid"])
        ok(await desk.say("ana", act("report", room, mid=mid, reason="other")))

    seen: list[int] = []
    before = None
    while True:
        reply = await desk.say("ana", frames.Audit(id=1, room=room, before=before, limit=3))
        assert len(reply.frame) < 64 * 1024
        page = ok(reply)
        seen += [entry["n"] for entry in page["entries"]]
        before = page.get("next")
        if before is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]


ACTS: list[tuple[str, Fields]] = [
    ("kick", {"user": "bob"}),
    ("ban_member", {"user": "bob"}),
    ("set_role", {"user": "bob", "role": "muted"}),
    ("set_room", {"topic": "nuevo"}),
]


@pytest.mark.parametrize(("kind", "fields"), ACTS)
async def test_an_act_is_done_once_however_often_it_is_said(desk: Desk, kind: str, fields: Fields) -> None:
    """The repeat has the first answer, also after the actor has lost the role; other content is a conflict."""
    room = await desk.room("ana", "public", "bob")
    op = act(kind, room, **dict(fields))
    first = body(await desk.say("ana", op))
    await desk.set_role(room, "ana", "member")

    again = ok(await desk.say("ana", op))

    assert {**again, "id": 0} == {**first, "id": 0, "dup": True}
    assert said(desk) == []
    await desk.set_role(room, "ana", "owner")
    assert len(await entries(desk, "ana", room)) == 1
    other = msgspec.structs.replace(op, **({"topic": "otro"} if kind == "set_room" else {"note": "otra"}))
    assert (await desk.say("ana", other)).code == "conflict"


@pytest.mark.parametrize(("kind", "fields"), ACTS)
async def test_an_act_is_whole_or_nothing(desk: Desk, kind: str, fields: Fields) -> None:
    """A fault in between leaves neither the change nor the event nor the entry; the repeat does it all."""
    room = await desk.room("ana", "public", "bob")
    await desk.run(
        lambda db: db.execute("CREATE TRIGGER broken BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk'); END")
    )
    op = act(kind, room, **dict(fields))

    assert (await desk.say("ana", op)).code == "internal"
    shown = ok(await desk.say("bob", frames.GetRoom(id=1, room=room)))["room"]
    assert (shown["head"], shown["members"], shown["role"], shown["topic"]) == (2, 2, "member", "")
    assert ok(await desk.say("ana", frames.ListBanned(id=1, room=room)))["banned"] == []

    await desk.run(lambda db: db.execute("DROP TRIGGER broken"))
    assert "dup" not in ok(await desk.say("ana", op))
    assert len(await entries(desk, "ana", room)) == 1
