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
    event = parse(said(op="edited", room="r1", epoch="a", seq=4, user=17, text={"new": "shape"}))

    assert event == Event(op="edited", room="r1", epoch="a", seq=4)


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
