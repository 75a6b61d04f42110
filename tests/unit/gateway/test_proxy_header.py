"""The PROXY protocol, version 2: who the client is, and every header that is none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.core import proxy_header
from gateway.core.proxy_header import HEAD_BYTES, MAX_REST_BYTES, SIGNATURE, NotProxy

V4 = bytes([203, 0, 113, 7, 192, 0, 2, 1]) + (40_000).to_bytes(2, "big") + (443).to_bytes(2, "big")
V6 = bytes.fromhex("20010db8000000000000000000000007") + bytes(16) + V4[8:]
MAPPED = bytes(10) + b"\xff\xff" + bytes([203, 0, 113, 7]) + bytes(16) + V4[8:]
TLV = b"\x05\x00\x03abc"


def header(rest: bytes, *, command: int = 1, family: int = 0x11, version: int = 2, length: int | None = None) -> bytes:
    """A header, right or wrong."""
    size = len(rest) if length is None else length
    return SIGNATURE + bytes((version << 4 | command, family)) + size.to_bytes(2, "big") + rest


def read(data: bytes) -> str | None:
    """The client that a whole header names."""
    head = data[:HEAD_BYTES]
    assert proxy_header.rest_bytes(head) == len(data) - HEAD_BYTES
    client = proxy_header.client(head, data[HEAD_BYTES:])
    return str(client) if client is not None else None


@pytest.mark.parametrize(
    ("data", "client"),
    [
        (header(V4), "203.0.113.7"),
        (header(V4, family=0x12), "203.0.113.7"),
        (header(V4 + TLV), "203.0.113.7"),
        (header(V4 + TLV + b"\x04\x00\x00"), "203.0.113.7"),
        (header(V6, family=0x21), "2001:db8::7"),
        (header(V6 + TLV, family=0x21), "2001:db8::7"),
        (header(MAPPED, family=0x21), "203.0.113.7"),
        (header(b"/run/x".ljust(216, b"\0"), family=0x31), None),
        (header(b"", family=0x00), None),
        (header(TLV, family=0x00), None),
        (header(b"", command=0, family=0x00), None),
        (header(V4, command=0), None),
        (header(b"whatever", command=0, family=0xFF), None),
        (header(V4 + b"\x05" + (MAX_REST_BYTES - 15).to_bytes(2, "big") + bytes(MAX_REST_BYTES - 15)), "203.0.113.7"),
    ],
)
def test_a_header_names_its_client(data: bytes, client: str | None) -> None:
    """None where the proxy speaks for itself or does not know."""
    assert read(data) == client


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1\r\n", "missing"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "missing"),
        (b"\x01\x00\x00\x00\x10" + bytes(11), "missing"),
        (header(V4, version=1), "version"),
        (header(V4, version=3), "version"),
        (header(V4, command=2), "command"),
        (header(V4, family=0x10), "family"),
        (header(V4, family=0x13), "family"),
        (header(V4, family=0x41), "family"),
        (header(V4[:-1]), "too_short"),
        (header(V6[:-1], family=0x21), "too_short"),
        (header(b"", length=MAX_REST_BYTES + 1), "too_long"),
        (header(b"", length=MAX_REST_BYTES + 1, command=0), "too_long"),
        (header(V4 + b"\x05"), "extension"),
        (header(V4 + b"\x05\x00"), "extension"),
        (header(V4 + b"\x05\x00\x04abc"), "extension"),
        (header(V4 + b"\x05\xff\xffabc"), "extension"),
    ],
)
def test_what_is_no_header_is_refused(data: bytes, kind: str) -> None:
    """By a constant that says what is wrong."""
    with pytest.raises(NotProxy) as caught:
        read(data)
    assert caught.value.kind == kind


@given(st.binary(max_size=20))
def test_a_beginning_is_known_at_its_first_byte(data: bytes) -> None:
    """So that a proxy without headers is not waited for."""
    assert proxy_header.could_begin(data) == (SIGNATURE.startswith(data) or data.startswith(SIGNATURE))


@given(st.integers(0, 255), st.integers(0, 255), st.binary(max_size=60))
def test_any_header_is_read_or_refused(version: int, family: int, rest: bytes) -> None:
    """And nothing else is raised."""
    head = SIGNATURE + bytes((version, family)) + len(rest).to_bytes(2, "big")
    try:
        proxy_header.rest_bytes(head)
        proxy_header.client(head, rest)
    except NotProxy:
        pass
