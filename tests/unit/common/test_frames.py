"""garita_common.core.frames."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import frames
from garita_common.core.errors import BadFrame, UnknownOp

ROOM = "r" + "a" * 32
CMID = "0190a3f0-0000-7000-8000-000000000000"
SEND = {"op": "send", "id": 1, "cmid": CMID, "room": ROOM, "text": "hola"}


def parse(frame: object) -> frames.ClientOp:
    """Parses a frame given as Python values."""
    return frames.parse(json.dumps(frame).encode())


def test_a_send_reads_with_its_defaults() -> None:
    """Optional fields have neutral values."""
    op = parse(SEND)

    assert isinstance(op, frames.Send)
    assert (op.text, op.files, op.compose) == ("hola", [], None)


@given(st.binary(max_size=300))
def test_any_bytes_give_an_operation_or_one_of_two_errors(data: bytes) -> None:
    """Nothing else ever comes out of the parser."""
    try:
        frames.parse(data)
    except (BadFrame, frames.Refused):
        pass


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(st.sampled_from(["op", "id", "cmid", "room", "text", "x"]), inner, max_size=6)
        ),
        max_leaves=20,
    )
)
def test_any_json_gives_an_operation_or_one_of_two_errors(value: object) -> None:
    """Well-formed JSON of any shape too."""
    try:
        parse(value)
    except (BadFrame, frames.Refused):
        pass


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"1", b"{", b"\xff\xfe", b'{"id":1}', b"[" * 100_000, b'{"op":1}', b'{"op":"join","id":"x"}']
)
def test_what_has_no_op_or_no_usable_id_is_malformed(data: bytes) -> None:
    """It cannot be answered, so the connection ends."""
    with pytest.raises(BadFrame):
        frames.parse(data)


def test_an_unknown_operation_is_answered_by_its_id() -> None:
    """`unknown_op`, and the connection goes on."""
    with pytest.raises(frames.Refused) as caught:
        parse({"op": "drop_tables", "id": 9})

    assert caught.value.request_id == 9
    assert isinstance(caught.value.error, UnknownOp)


@pytest.mark.parametrize(
    "change",
    [
        {"admin": True},
        {"text": 5},
        {"room": ROOM.upper()},
        {"room": ROOM + "0"},
        {"room": "../" + ROOM},
        {"cmid": "1"},
        {"id": -1},
        {"id": 2**32},
        {"files": ["f" + "0" * 32] * 11},
        {"text": "x" * (frames.MAX_TEXT_BYTES + 1)},
        {"compose": {"ms": -1, "keys": 0, "fixes": 0, "paste": False, "ikcv": 0}},
        {"compose": {"ms": 1, "keys": 0, "fixes": 0, "paste": False, "ikcv": 0, "x": 1}},
    ],
)
def test_a_changed_value_is_refused(change: dict[str, object]) -> None:
    """The same frame without the change is accepted."""
    parse(SEND)

    with pytest.raises((frames.Refused, BadFrame)):
        parse(SEND | change)


def test_a_nul_is_refused_but_a_written_backslash_is_not() -> None:
    r"""`\u0000` is U+0000; `\\u0000` is six plain characters."""
    frame = json.dumps(SEND).encode()

    assert frames.parse(frame.replace(b"hola", rb"a\\u0000")).text == r"a\u0000"  # type: ignore[union-attr]  # a Send, as above
    for text in (rb"\u0000", rb"a\\\u0000", b"\x00"):
        with pytest.raises(BadFrame):
            frames.parse(frame.replace(b"hola", text))


def test_a_lone_surrogate_is_refused() -> None:
    """It has no UTF-8."""
    with pytest.raises(BadFrame):
        frames.parse(json.dumps(SEND).encode().replace(b"hola", rb"\ud800"))


@pytest.mark.parametrize(
    ("resume", "right"),
    [
        ({ROOM: ["e", 5], "@me": 3}, True),
        ({ROOM: ["e", -1]}, False),
        ({ROOM: ["", 1]}, False),
        ({ROOM: ["e", 1, 2]}, False),
    ],
)
def test_cursors_in_connect(resume: dict[str, object], right: bool) -> None:
    """A cursor is an epoch and a seq."""
    frame = {"op": "connect", "id": 1, "v": 1, "token": "t", "resume": resume}

    if right:
        assert isinstance(parse(frame), frames.Connect)
    else:
        with pytest.raises(frames.Refused):
            parse(frame)


@pytest.mark.parametrize("kind", [*frames.GatewayOp.__args__, *frames.RoomOp.__args__])
def test_every_operation_refuses_unknown_fields(kind: type[msgspec.Struct]) -> None:
    """No operation is lax."""
    assert kind.__struct_config__.forbid_unknown_fields
    assert kind.__struct_config__.frozen
