"""WebSocket frames (RFC 6455) without any I/O: bytes in, messages out, and the headers of what we send.

A frame is judged by its header, in the order its bytes come: the first byte tells opcode, reserved bits and fragmentation, the second the mask and
how the length is written, then the length is held against the limit in force. What fails is refused there, before a byte of its payload is kept. A data
frame that comes in pieces is unmasked piece by piece, and text is refused at the first byte that cannot be UTF-8, so a peer need not be heard out. What
is held never exceeds one message within its limit over all fragments, and one header or control frame.

The limits are read anew for every header (`Limits`), because they change when a connection has connected. The reader serves a server: frames of the
client must be masked, ours are not. Extensions are never negotiated, so every reserved bit is an error.
"""

import struct
from codecs import utf_8_decode
from collections.abc import Iterator
from enum import IntEnum
from typing import NamedTuple, Protocol

CONTINUATION = 0x0
TEXT = 0x1
BINARY = 0x2
CLOSE = 0x8
PING = 0x9
PONG = 0xA
_OPCODES = frozenset({CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG})
MAX_CONTROL_BYTES = 125
_TRANSLATE_FROM = 1024
_XOR = [bytes(byte ^ key for byte in range(256)) for key in range(256)]
_CLOSE_CODE = struct.Struct(">H")


class RfcCode(IntEnum):
    """The close codes of RFC 6455 §7.4.1 that this layer itself arrives at."""

    NORMAL = 1000
    GOING_AWAY = 1001
    PROTOCOL_ERROR = 1002
    NO_CODE = 1005
    INVALID_DATA = 1007
    TOO_BIG = 1009


class Violation(Exception):
    """Bytes that the RFC or the limits forbid: the connection cannot go on.

    `kind` is a constant for the record, `byte` the offending byte of the header (-1: none), `code` what a plain WebSocket server closes with.
    """

    def __init__(self, kind: str, byte: int = -1, code: RfcCode = RfcCode.PROTOCOL_ERROR) -> None:
        """Args: kind: "ws_mask", "ws_opcode" …"""
        super().__init__(kind)
        self.kind = kind
        self.byte = byte
        self.code = code


class Limits(Protocol):
    """The limits now in force, in bytes of a whole message."""

    @property
    def json_limit(self) -> int:
        """For text."""

    @property
    def chunk_limit(self) -> int:
        """For binary."""


class Message(NamedTuple):
    """A whole text (valid UTF-8) or binary message, or a control frame, unmasked."""

    opcode: int
    payload: bytes


class Reader:
    """Takes bytes as they come; one per connection."""

    __slots__ = ("_buffer", "_final", "_key", "_left", "_limits", "_message", "_opcode", "_tail")

    def __init__(self, limits: Limits) -> None:
        """Args: limits: asked at every frame header."""
        self._limits = limits
        self._buffer = b""
        self._left = 0
        self._key = b""
        self._final = False
        self._opcode = -1
        self._message: bytearray | None = None
        self._tail = b""

    @property
    def held_bytes(self) -> int:
        """What is kept of unfinished frames and messages."""
        return len(self._buffer) + len(self._message or b"")

    def feed(self, data: bytes) -> Iterator[Message | None]:
        """The messages that `data` completes, in order; None for a fragment that completes none, so that its cost can be counted.

        Raises:
            Violation: while iterating, at the first byte that may not be: of a header, or of a text that cannot become UTF-8 any more.
        """
        if self._buffer:
            data = self._buffer + data
            self._buffer = b""
        position, size = 0, len(data)
        while position < size:
            if self._left:
                piece = data[position : position + self._left]
                position += len(piece)
                self._take_piece(piece)
                if not self._left:
                    yield self._fragment_end()
                continue
            end, start, key = self._header(data, position, size)
            first = data[position]
            if end <= size and key:
                payload = _unmask(data[start:end], key)
                position = end
                yield self._frame(first, payload)
            elif not key or first & 0x08:
                self._buffer = data[position:]
                return
            else:
                self._begin(first)
                self._left, self._key = end - start, key
                position = start

    def _take_piece(self, piece: bytes) -> None:
        """A part of a data frame's payload, which is judged and kept without waiting for the rest."""
        self._left -= len(piece)
        payload = _unmask(piece, self._key)
        turn = len(piece) & 3
        self._key = self._key[turn:] + self._key[:turn]
        self._add(payload)

    def _header(self, data: bytes, at: int, size: int) -> tuple[int, int, bytes]:
        """Where the frame at `at` ends, where its payload starts, and its key; the key is empty while the header is not all there."""
        first = data[at]
        opcode = first & 0x0F
        self._judge_first(first, opcode)
        if size - at < 2:
            return at + 6, at, b""
        second = data[at + 1]
        if not second & 0x80:
            raise Violation("ws_mask", second)
        length = second & 0x7F
        start = at + 6
        if length > MAX_CONTROL_BYTES:
            if opcode & 0x08:
                raise Violation("ws_control_length", second)
            extra = 2 if length == 126 else 8
            start += extra
            if size - at < 2 + extra:
                return start, at, b""
            length = int.from_bytes(data[at + 2 : at + 2 + extra], "big")
            if length <= MAX_CONTROL_BYTES if extra == 2 else length < 65536 or length >> 63:
                raise Violation("ws_length", second)
        self._judge_length(opcode, length)
        if size < start:
            return start + length, at, b""
        return start + length, start, data[start - 4 : start]

    def _judge_first(self, first: int, opcode: int) -> None:
        if first & 0x70:
            raise Violation("ws_reserved_bits", first)
        if opcode not in _OPCODES:
            raise Violation("ws_opcode", first)
        if opcode & 0x08:
            if not first & 0x80:
                raise Violation("ws_control_fragment", first)
        elif (opcode == CONTINUATION) != (self._opcode >= 0):
            raise Violation("ws_fragment", first)

    def _judge_length(self, opcode: int, length: int) -> None:
        if opcode & 0x08:
            return
        kind = self._opcode if opcode == CONTINUATION else opcode
        limit = self._limits.json_limit if kind == TEXT else self._limits.chunk_limit
        if len(self._message or b"") + length > limit:
            raise Violation("ws_too_big", code=RfcCode.TOO_BIG)

    def _frame(self, first: int, payload: bytes) -> Message | None:
        opcode = first & 0x0F
        if opcode & 0x08:
            return Message(opcode, payload)
        if first & 0x80 and opcode != CONTINUATION:
            return _whole(opcode, payload)
        self._begin(first)
        self._add(payload)
        return self._fragment_end()

    def _begin(self, first: int) -> None:
        """A data frame that is not a whole message in one piece."""
        opcode = first & 0x0F
        if opcode != CONTINUATION:
            self._opcode = opcode
        self._final = bool(first & 0x80)

    def _add(self, payload: bytes) -> None:
        if self._opcode == TEXT and (self._tail or not payload.isascii()):
            text = self._tail + payload
            try:
                self._tail = text[utf_8_decode(text, "strict", False)[1] :]
            except UnicodeDecodeError:
                raise Violation("ws_utf8", code=RfcCode.INVALID_DATA) from None
            if (
                self._tail >= b"\xed\xa0" and self._tail[0] == 0xED
            ):  # half a surrogate, which the decoder leaves for later
                raise Violation("ws_utf8", code=RfcCode.INVALID_DATA)
        if self._message is None:
            self._message = bytearray(payload)
        else:
            self._message += payload

    def _fragment_end(self) -> Message | None:
        if not self._final:
            return None
        if self._tail:
            raise Violation("ws_utf8", code=RfcCode.INVALID_DATA)
        kind, whole = self._opcode, bytes(self._message or b"")
        self._opcode, self._message = -1, None
        return Message(kind, whole)


def _whole(opcode: int, payload: bytes) -> Message:
    if opcode == TEXT and not payload.isascii():
        try:
            payload.decode()
        except UnicodeDecodeError:
            raise Violation("ws_utf8", code=RfcCode.INVALID_DATA) from None
    return Message(opcode, payload)


def _unmask(payload: bytes, key: bytes) -> bytes:
    """`payload` XOR `key` repeated: as one big number while it is short, by table and stride above (linear in both cases)."""
    size = len(payload)
    if size <= _TRANSLATE_FROM:
        pad = (key * ((size + 3) // 4))[:size]
        return (int.from_bytes(payload, "little") ^ int.from_bytes(pad, "little")).to_bytes(size, "little")
    data = bytearray(payload)
    for offset in range(4):
        data[offset::4] = data[offset::4].translate(_XOR[key[offset]])
    return bytes(data)


def read_close(payload: bytes) -> int:
    """The code in a close frame's payload; `NO_CODE` if it has none.

    Raises:
        Violation: half a code, a code that may not be sent, or a reason that is not UTF-8 (RFC 6455 §5.5.1, §7.4).
    """
    if not payload:
        return RfcCode.NO_CODE
    if len(payload) < 2:
        raise Violation("ws_close")
    code: int = _CLOSE_CODE.unpack_from(payload)[0]
    if not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise Violation("ws_close")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise Violation("ws_utf8", code=RfcCode.INVALID_DATA) from None
    return code


def frame(opcode: int, payload: bytes) -> bytes:
    """One unmasked, unfragmented frame as a server sends it."""
    size = len(payload)
    if size <= MAX_CONTROL_BYTES:
        return bytes((0x80 | opcode, size)) + payload
    if size < 65536:
        return bytes((0x80 | opcode, 126)) + size.to_bytes(2, "big") + payload
    return bytes((0x80 | opcode, 127)) + size.to_bytes(8, "big") + payload


def close_frame(code: int, reason: str = "") -> bytes:
    """A close frame; the reason is cut to what a control frame holds."""
    if code == RfcCode.NO_CODE:
        return frame(CLOSE, b"")
    text = reason.encode()[: MAX_CONTROL_BYTES - 2].decode(errors="ignore").encode()
    return frame(CLOSE, _CLOSE_CODE.pack(code) + text)
