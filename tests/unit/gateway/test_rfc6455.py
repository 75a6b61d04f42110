"""WebSocket frames case by case (RFC 6455): what comes out, what is refused, and at which byte."""

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import rfc6455
from gateway.core.rfc6455 import Message, Reader, RfcCode, Violation
from tests.fakes.wire_clients import ws_frame

TEXT, BINARY, CLOSE, PING, PONG = rfc6455.TEXT, rfc6455.BINARY, rfc6455.CLOSE, rfc6455.PING, rfc6455.PONG


class Fixed:
    """Limits that stay until a test changes them."""

    def __init__(self, json_limit: int = 70_000, chunk_limit: int = 70_000) -> None:
        self.json_limit = json_limit
        self.chunk_limit = chunk_limit


def read(*pieces: bytes, limits: Fixed | None = None) -> list[Message]:
    """All whole messages of some reads."""
    reader = Reader(limits or Fixed())
    return [message for piece in pieces for message in reader.feed(piece) if message is not None]


def refused(*pieces: bytes, limits: Fixed | None = None) -> Violation:
    """The violation that some reads are."""
    with pytest.raises(Violation) as caught:
        read(*pieces, limits=limits)
    return caught.value


@pytest.mark.parametrize("size", [0, 1, 124, 125, 126, 127, 1023, 1024, 1025, 65_535, 65_536])
@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_a_message_of_any_size_comes_out_unmasked(opcode: int, size: int) -> None:
    """Around every length that is written differently or unmasked differently."""
    payload = b"a" * size if opcode == TEXT else os.urandom(size)

    assert read(ws_frame(opcode, payload)) == [(opcode, payload)]


@given(
    st.lists(st.tuples(st.sampled_from([TEXT, BINARY, PING, PONG]), st.binary(max_size=40)), max_size=6),
    st.lists(st.integers(1, 30), max_size=40),
)
def test_messages_survive_any_cut(messages: list[tuple[int, bytes]], cuts: list[int]) -> None:
    """However the stream is cut into reads."""
    messages = [(opcode, data.hex().encode() if opcode == TEXT else data) for opcode, data in messages]
    rest = b"".join(ws_frame(opcode, payload) for opcode, payload in messages)
    pieces = []
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]

    assert read(*[piece for piece in [*pieces, rest] if piece]) == messages


@given(st.binary(max_size=600))
def test_any_bytes_are_messages_or_a_violation(data: bytes) -> None:
    """And what is held stays within the limit of one frame and one message."""
    reader = Reader(Fixed(200, 200))
    try:
        list(reader.feed(data))
    except Violation:
        return

    assert reader.held_bytes <= 200 + 200 + 14


def test_fragments_make_one_message_with_control_frames_between() -> None:
    """RFC 6455 §5.4: a ping may come in the middle."""
    pieces = [
        ws_frame(TEXT, b"Buen", fin=False),
        ws_frame(PING, b"?"),
        ws_frame(0, b"", fin=False),
        ws_frame(0, "ósdías".encode()[:1], fin=False),
        ws_frame(0, "ósdías".encode()[1:]),
        ws_frame(TEXT, b"next"),
    ]

    assert read(*pieces) == [(PING, b"?"), (TEXT, "Buenósdías".encode()), (TEXT, b"next")]


def test_every_fragment_is_seen_by_whoever_counts() -> None:
    """A fragment that completes nothing comes out as None, so that it can be charged."""
    reader = Reader(Fixed())

    assert list(reader.feed(ws_frame(TEXT, b"", fin=False) + ws_frame(0, b"", fin=False))) == [None, None]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (ws_frame(TEXT, b"x", rsv=4), "ws_reserved_bits"),
        (ws_frame(TEXT, b"x", rsv=1), "ws_reserved_bits"),
        (b"\x52", "ws_reserved_bits"),
        (ws_frame(3, b"x"), "ws_opcode"),
        (ws_frame(11, b"x"), "ws_opcode"),
        (b"\x83", "ws_opcode"),
        (ws_frame(TEXT, b"x", mask=False), "ws_mask"),
        (b"\x81\x00", "ws_mask"),
        (ws_frame(PING, b"x", fin=False), "ws_control_fragment"),
        (ws_frame(PING, b"x" * 126), "ws_control_length"),
        (ws_frame(CLOSE, b"x" * 126), "ws_control_length"),
        (ws_frame(0, b"x"), "ws_fragment"),
        (ws_frame(0, b"x", fin=False), "ws_fragment"),
        (ws_frame(TEXT, b"x", fin=False) + ws_frame(TEXT, b"x"), "ws_fragment"),
        (ws_frame(TEXT, b"x", fin=False) + ws_frame(BINARY, b"x"), "ws_fragment"),
        (b"\x81\xfe\x00\x05", "ws_length"),
        (b"\x82\xff" + (65_535).to_bytes(8, "big"), "ws_length"),
        (b"\x82\xff\xff" + bytes(7), "ws_length"),
    ],
)
def test_what_the_rfc_forbids_is_refused_from_the_header(data: bytes, kind: str) -> None:
    """In one read and byte by byte alike."""
    assert refused(data).kind == kind
    assert refused(*[data[i : i + 1] for i in range(len(data))]).kind == kind
    assert refused(data).code is RfcCode.PROTOCOL_ERROR


def test_a_control_frame_may_be_125_bytes_long() -> None:
    """At the limit."""
    assert read(ws_frame(PING, b"x" * 125)) == [(PING, b"x" * 125)]


@pytest.mark.parametrize(("opcode", "limits"), [(TEXT, Fixed(300, 1)), (BINARY, Fixed(1, 300))])
def test_a_length_over_the_limit_is_refused_before_its_payload(opcode: int, limits: Fixed) -> None:
    """At the limit the payload is waited for; one past it the header is enough."""
    at_limit = ws_frame(opcode, b"a" * 300)[:8]
    past_it = ws_frame(opcode, b"a" * 301)[:4]

    assert read(at_limit, limits=limits) == []
    assert refused(past_it, limits=limits).code is RfcCode.TOO_BIG


def test_the_limit_holds_for_the_whole_message() -> None:
    """Fragments do not add up to more."""
    limits = Fixed(100)
    pieces = [ws_frame(TEXT, b"a" * 60, fin=False), ws_frame(0, b"a" * 40, fin=False)]

    assert read(*pieces, ws_frame(0, b""), limits=limits) == [(TEXT, b"a" * 100)]
    assert refused(*pieces, ws_frame(0, b"a")[:2], limits=limits).code is RfcCode.TOO_BIG


def test_an_impossible_length_is_never_allocated() -> None:
    """A terabyte is refused by its ten bytes."""
    assert refused(b"\x82\xff" + (1 << 40).to_bytes(8, "big")).code is RfcCode.TOO_BIG


@pytest.mark.parametrize(
    "payload", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"ok\xf0\x9f\x91"]
)
def test_text_that_is_not_utf8_is_refused(payload: bytes) -> None:
    """Also when it is only the whole message that shows it; binary may be anything."""
    assert refused(ws_frame(TEXT, payload)).code is RfcCode.INVALID_DATA
    assert refused(ws_frame(TEXT, b"a", fin=False), ws_frame(0, payload)).code is RfcCode.INVALID_DATA
    assert read(ws_frame(BINARY, payload)) == [(BINARY, payload)]


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 3999, 4000, 4999])
def test_a_close_code_that_may_be_sent_is_read(code: int) -> None:
    """With or without a reason."""
    assert rfc6455.read_close(code.to_bytes(2, "big")) == code
    assert rfc6455.read_close(code.to_bytes(2, "big") + "adiós".encode()) == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535])
def test_a_close_code_that_may_not_be_sent_is_a_violation(code: int) -> None:
    """RFC 6455 §7.4.2."""
    with pytest.raises(Violation) as caught:
        rfc6455.read_close(code.to_bytes(2, "big"))
    assert caught.value.code is RfcCode.PROTOCOL_ERROR


def test_a_close_frame_may_be_empty_but_not_half_a_code() -> None:
    """And its reason is UTF-8."""
    assert rfc6455.read_close(b"") is RfcCode.NO_CODE
    with pytest.raises(Violation):
        rfc6455.read_close(b"\x03")
    with pytest.raises(Violation) as caught:
        rfc6455.read_close(b"\x03\xe8\xff")
    assert caught.value.code is RfcCode.INVALID_DATA


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_what_we_send_is_one_unmasked_frame(size: int) -> None:
    """Its header is as short as it can be."""
    framed = rfc6455.frame(TEXT, b"a" * size)
    extra = 0 if size < 126 else 2 if size < 65_536 else 8

    assert len(framed) == size + 2 + extra
    assert framed[0] == 0x81
    assert not framed[1] & 0x80


def test_a_long_reason_is_cut_between_characters() -> None:
    """A control frame holds 125 bytes."""
    framed = rfc6455.close_frame(4501, "ñ" * 200)

    assert framed[1] <= 125
    assert framed[4:].decode() == "ñ" * 61
    assert rfc6455.close_frame(RfcCode.NO_CODE) == b"\x88\x00"
