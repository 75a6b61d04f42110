"""TCP frames: whole ones come out, wrong ones are refused at their first wrong byte."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core.errors import BadFrame, FrameTooLarge
from garita_common.core.wire import Kind, encode_frame
from gateway.core.tcp_frames import Frame, Reader, beginning


class Fixed:
    """Limits that stay."""

    json_limit = 100
    chunk_limit = 50


def read(reader: Reader, *pieces: bytes) -> list[Frame]:
    """All frames of some reads."""
    return [frame for piece in pieces for frame in reader.feed(piece)]


@given(
    st.lists(st.tuples(st.sampled_from(Kind), st.binary(max_size=50)), max_size=8),
    st.lists(st.integers(1, 40), max_size=30),
)
def test_frames_survive_any_cut(frames: list[tuple[Kind, bytes]], cuts: list[int]) -> None:
    """However the stream is cut into reads, the same frames come out."""
    stream = b"".join(encode_frame(kind, payload) for kind, payload in frames)
    pieces, rest = [], stream
    for cut in cuts:
        pieces.append(rest[:cut])
        rest = rest[cut:]
    reader = Reader(Fixed())

    assert read(reader, *[piece for piece in [*pieces, rest] if piece]) == frames
    assert reader.held_bytes == 0


@given(st.binary(max_size=400))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    """And never more than one frame is held."""
    reader = Reader(Fixed())
    try:
        read(reader, data)
    except (BadFrame, FrameTooLarge):
        return

    assert reader.held_bytes <= 105


@pytest.mark.parametrize("byte", [0x00, 0x03, 0x52, 0x48, 0x16, 0xFF])
def test_a_wrong_kind_is_refused_at_its_byte(byte: int) -> None:
    """One byte is enough; nothing is waited for."""
    with pytest.raises(BadFrame) as caught:
        read(Reader(Fixed()), bytes((byte,)))

    assert (caught.value.kind, caught.value.byte) == ("tcp_kind", byte)


def test_a_wrong_kind_after_good_frames_is_refused_too() -> None:
    """What came before it came out."""
    reader = Reader(Fixed())
    feed = reader.feed(encode_frame(Kind.JSON, b"{}") + b"\x52\x00\x00\x00\x00")

    assert next(feed) == (Kind.JSON, b"{}")
    with pytest.raises(BadFrame) as caught:
        next(feed)
    assert caught.value.kind == "tcp_kind"


def test_a_length_is_refused_from_the_header() -> None:
    """At the limit it is waited for, one past it it is refused, each kind by its own limit."""
    for kind, limit in ((1, 100), (2, 50)):
        reader = Reader(Fixed())
        assert read(reader, bytes((kind,)) + limit.to_bytes(4, "big")) == []
        with pytest.raises(FrameTooLarge):
            read(Reader(Fixed()), bytes((kind,)) + (limit + 1).to_bytes(4, "big"))


def test_limits_are_read_for_every_header() -> None:
    """A connection that has connected may send more from its next frame on."""
    limits = Fixed()
    reader = Reader(limits)
    limits.json_limit = 1000

    assert read(reader, encode_frame(Kind.JSON, b"x" * 900)) == [(Kind.JSON, b"x" * 900)]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"R", "tcp_kind"),
        (b"RANDOM", "tcp_kind"),
        (b"G", "tcp_kind"),
        (b"GET / ", "tcp_kind"),
        (b"GET / HTTP/1.1\r\n", "http_on_tcp"),
        (b"REPORT /x HTTP/1.0\r\nHost: a\r\n", "http_on_tcp"),
        (b"\x16\x03", "tcp_kind"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc", "tls_on_tcp"),
        (b"\x16\x03\x01\x02\x00\x02", "tcp_kind"),
    ],
)
def test_the_beginning_is_named_only_when_it_says_so_whole(data: bytes, kind: str) -> None:
    """Half a word of HTTP is a wrong byte like any other."""
    assert beginning(data) == kind
    with pytest.raises(BadFrame) as caught:
        read(Reader(Fixed()), data)
    assert (caught.value.kind, caught.value.byte) == (kind, data[0])
