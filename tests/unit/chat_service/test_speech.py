"""Answers, pushes and objects have the shapes of docs/protocol.md."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from chat_service.core import speech
from chat_service.core.rooms import Kind, Role, Room, User

ANA = User("ua", "ana")
ROOM = Room("r1", Kind.PRIVATE, "Plaza", "de todo", 1000, "e1", 7, 3)


def test_a_message_without_files_and_answer_has_neither_field() -> None:
    """Absent, not null."""
    frame = speech.encode(speech.Message("r1", "e1", 8, 2000, speech.ref(ANA), "m", "c", "hola"))

    assert msgspec.json.decode(frame) == {
        "op": "message",
        "room": "r1",
        "epoch": "e1",
        "seq": 8,
        "ts": 2000,
        "user": {"id": "ua", "name": "ana"},
        "mid": "m",
        "cmid": "c",
        "text": "hola",
    }


def test_a_member_event_says_who_and_what() -> None:
    """`joined` or `left`."""
    frame = speech.encode(speech.Member("r1", "e1", 8, 2000, speech.ref(ANA), "left"))

    assert msgspec.json.decode(frame)["change"] == "left"
    assert msgspec.json.decode(frame)["op"] == "member"


def test_a_notices_room_has_no_role() -> None:
    """A notice is stored as it is; a role would grow old in it."""
    shown = speech.room_object(ROOM, None)

    assert shown == {
        "id": "r1",
        "kind": "private",
        "title": "Plaza",
        "topic": "de todo",
        "members": 3,
        "epoch": "e1",
        "head": 7,
        "created": 1000,
    }
    assert speech.own_room_object(ROOM, None, Role.MUTED, 5) == {**shown, "role": "muted", "read": 5}
    assert speech.own_room_object(ROOM, None, None, 0) == {**shown, "role": None, "read": 0}


def test_a_direct_room_shows_the_peer() -> None:
    """Its title is null."""
    room = Room("r2", Kind.DIRECT, None, "", 1000, "e1", 2, 2, ("ua", "ub"))

    shown = speech.room_object(room, User("ub", "bob"))

    assert shown["title"] is None
    assert shown["peer"] == {"id": "ub", "name": "bob"}


def test_a_repeat_is_marked() -> None:
    """`dup` stands beside the fields of the first answer."""
    body = b'{"seq":3}'

    assert msgspec.json.decode(speech.ok(5, body)) == {"op": "ok", "id": 5, "seq": 3}
    assert msgspec.json.decode(speech.ok(5, body, dup=True)) == {"op": "ok", "id": 5, "dup": True, "seq": 3}


@given(st.lists(st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), min_size=1), max_size=5))
def test_history_is_its_events_side_by_side(events: list[dict[str, object]]) -> None:
    """Joining finished JSON gives what encoding it all would give."""
    body = speech.history(ROOM, [msgspec.json.encode(event) for event in events], more=True)

    assert msgspec.json.decode(body) == {"room": "r1", "epoch": "e1", "head": 7, "events": events, "more": True}


def test_a_page_names_where_to_go_on() -> None:
    """`next` is there only if there is more."""
    assert msgspec.json.decode(speech.page("rooms", [b"1", b"2"], "r2")) == {"rooms": [1, 2], "next": "r2"}
    assert msgspec.json.decode(speech.page("rooms", [], None)) == {"rooms": []}
