"""Both transports as cheaply as Python can speak them: finished requests out, frame borders in.

A WebSocket client has to mask; the key 0 is a key like any other and leaves the payload as it is. Nothing here checks what the server sends beyond
finding where a frame ends: that is the work of the tests.
"""

import base64
from collections.abc import Iterator

TCP, WS = 0, 1
NAMES = ("tcp", "ws")
TRANSPORT_NAMES = ("TCP", "WebSocket")

FIRST_REQUEST = 1_000_000
"""Request ids have seven digits from the first on, so that all frames of a template are equally long."""
CONNECT_ID = 1
RENEW_ID = 9_999_999
"""Above every request's, and as long: an answer's id stands at a fixed place."""

_UPGRADE = (
    "GET /v1/socket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: garita.v1\r\n\r\n"
)
_CLOSE = 8


def upgrade(host: str, number: int) -> bytes:
    """The request that a WebSocket begins with. Args: number: makes its key."""
    return _UPGRADE.format(host=host, key=base64.b64encode(number.to_bytes(16, "big")).decode()).encode()


def framed(transport: int, payload: bytes) -> bytes:
    """A JSON frame as a client sends it."""
    size = len(payload)
    if transport == TCP:
        return b"\x01" + size.to_bytes(4, "big") + payload
    if size < 126:
        return bytes((0x81, 0x80 | size)) + bytes(4) + payload
    return b"\x81\xfe" + size.to_bytes(2, "big") + bytes(4) + payload


def answer(transport: int, payload: bytes) -> bytes:
    """A JSON frame as a server sends it."""
    size = len(payload)
    if transport == TCP:
        return b"\x01" + size.to_bytes(4, "big") + payload
    if size < 126:
        return bytes((0x81, size)) + payload
    return b"\x81\x7e" + size.to_bytes(2, "big") + payload


def template(transport: int, mark: int, room: str, text: str) -> bytes:
    """A `send` to be filled in by `template % (request, number)`, of the same length whatever the two are.

    Args: mark: of the client, so that no two say the same cmid.
    """
    shape = (
        f'{{"op":"send","id":%07d,"cmid":"{mark:08x}-0000-4000-8000-%012x","room":"{room}","text":"{text}"}}'.encode()
    )
    whole = framed(transport, shape % (FIRST_REQUEST, 0))
    head = whole[: whole.index(b"{")]
    return head.replace(b"%", b"%%") + shape


def frames(transport: int, data: bytes) -> Iterator[tuple[int, int]]:
    """Start and end of the payload of each whole frame of a server in `data`; control frames but close are passed over."""
    at, size = 0, len(data)
    if transport == TCP:
        while size - at >= 5:
            start = at + 5
            at = start + int.from_bytes(data[at + 1 : start], "big")
            if at > size:
                return
            yield start, at
        return
    while size - at >= 2:
        length, start = data[at + 1], at + 2
        if length == 126:
            start = at + 4
            length = int.from_bytes(data[at + 2 : start], "big")
        elif length == 127:
            start = at + 10
            length = int.from_bytes(data[at + 2 : start], "big")
        if start + length > size:
            return
        opcode = data[at] & 0x0F
        at = start + length
        if opcode == _CLOSE:
            return
        if opcode < _CLOSE:
            yield start, at


def requests(transport: int, data: bytes) -> Iterator[tuple[int, int]]:
    """The same for frames of a client, which are masked with the key 0."""
    at, size = 0, len(data)
    if transport == TCP:
        yield from frames(TCP, data)
        return
    while size - at >= 6:
        length, start = data[at + 1] & 0x7F, at + 6
        if length == 126:
            start = at + 8
            length = int.from_bytes(data[at + 2 : at + 4], "big")
        if start + length > size:
            return
        at = start + length
        yield start, at
