"""What the server says, as types; nothing of it may break the client."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_client.core.hearing import (
    BadServerFrame,
    ChunkAck,
    Disconnect,
    ErrorAnswer,
    Event,
    Ok,
    Ping,
    RoomInfo,
    parse,
)


def said(**fields: object) -> bytes:
    return json.dumps(fields).encode()


def test_kinds() -> None:
    """Each kind of frame becomes its type."""
    assert parse(said(op="ok", id=3, room={"any": 1})) == Ok(3, said(op="ok", id=3, room={"any": 1}))
    assert parse(said(op="error", id=3, code="busy", message="m", temporary=True, outcome="unknown")) == ErrorAnswer(
        "busy", "m", 3, True, None, "unknown"
    )
    assert parse(said(op="disconnect", code=4401, reason="r", reconnect=True, after_ms=5)) == Disconnect(4401, "r", 5)
    assert parse(said(op="chunk_ack", transfer="t", offset=4)) == ChunkAck("t", 4)
    assert parse(said(op="ping")) == Ping()


def test_unknown_event_still_moves_the_cursor() -> None:
    """A newer event, with fields of shapes that we do not know, keeps room, epoch and seq."""
    event = parse(said(op="later", room="r1", epoch="a", seq=4, user=17, text={"new": "shape"}))

    assert event == Event(op="later", room="r1", epoch="a", seq=4)


def test_changes_of_messages() -> None:
    """Edits, deletions and reactions name the message that they are about."""
    edited = parse(said(op="edited", room="r1", epoch="a", seq=4, ts=1, mid="m", of=2, text="new"))
    reaction = parse(said(op="reaction", room="r1", epoch="a", seq=5, ts=1, mid="m", of=2, emoji="x", on=False))

    assert edited == Event(op="edited", room="r1", epoch="a", seq=4, ts=1, mid="m", of=2, text="new")
    assert isinstance(reaction, Event)
    assert (reaction.of, reaction.emoji, reaction.on) == (2, "x", False)


@pytest.mark.parametrize(
    ("frame", "passing"),
    [
        ({"op": "typing", "room": "r1", "user": {"id": "u1", "name": "a"}}, True),
        ({"op": "read", "room": "r1", "user": {"id": "u1", "name": "a"}, "read": 3, "received": 4}, True),
        ({"op": "presence", "room": "r1", "user": {"id": "u1", "name": "a"}, "here": True}, True),
        ({"op": "message", "room": "r1", "epoch": "a", "seq": 1}, False),
    ],
)
def test_what_is_said_in_passing(frame: dict[str, object], passing: bool) -> None:
    """Three kinds of pushes have no seq and move no cursor."""
    event = parse(said(**frame))

    assert isinstance(event, Event)
    assert event.is_passing == passing


@pytest.mark.parametrize(
    ("change", "ends"),
    [("left", True), ("kicked", True), ("banned", True), ("joined", False), ("role", False), ("unbanned", False)],
)
def test_what_ends_a_membership(change: str, ends: bool) -> None:
    """Going by oneself, or by a moderator."""
    assert Event(op="member", change=change).ends_membership == ends


def test_notice_carries_a_room() -> None:
    """In a notice `room` is the room itself."""
    event = parse(said(op="notice", log="@me", seq=1, kind="joined", room={"id": "r1", "kind": "public", "head": 3}))

    assert isinstance(event, Event)
    assert isinstance(event.room, RoomInfo)
    assert event.room_id == "r1"


@given(st.binary(max_size=200) | st.recursive(st.none() | st.text(max_size=5), lambda x: st.dictionaries(st.sampled_from(["op", "id", "seq"]), x)).map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_bytes_are_a_frame_or_refused(data: bytes) -> None:
    """Whatever comes: something heard, or BadServerFrame."""
    try:
        parse(data)
    except BadServerFrame:
        pass


def test_answer_without_id_is_refused() -> None:
    """An ok that belongs to nothing is not one of Garita's."""
    with pytest.raises(BadServerFrame):
        parse(said(op="ok"))
