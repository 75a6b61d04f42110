"""The TCP transport's frame: `kind: u8`, `length: u32` big-endian, payload; and the binary chunk inside either transport.

`parse_header` judges a frame by its first five bytes, so a wrong kind or an excessive length is refused before a byte of the body is kept.
"""

import struct
from enum import IntEnum
from typing import NamedTuple

from .errors import BadFrame, FrameTooLarge
from .ids import TransferId

HEADER_BYTES = 5
CHUNK_HEADER_BYTES = 24
CHUNK_DATA_BYTES = 64 * 1024
_HEADER = struct.Struct(">BI")
_CHUNK = struct.Struct(">16sQ")


class Kind(IntEnum):
    """What a TCP frame carries."""

    JSON = 0x01
    CHUNK = 0x02


class Header(NamedTuple):
    """A frame's kind and the length of its payload in bytes."""

    kind: Kind
    length: int


class Chunk(NamedTuple):
    """A piece of a file: at most 64 KiB of data at `offset` (bytes from the start) of a transfer."""

    transfer: TransferId
    offset: int
    data: memoryview


def check_kind(byte: int) -> Kind:
    """The kind that a first byte names.

    Raises:
        BadFrame: any byte but 0x01 and 0x02.
    """
    if byte == Kind.JSON:
        return Kind.JSON
    if byte == Kind.CHUNK:
        return Kind.CHUNK
    raise BadFrame("The first byte of a frame is 0x01 or 0x02.", kind="tcp_kind", byte=byte)


def parse_header(data: bytes | bytearray | memoryview, *, json_limit: int, chunk_limit: int) -> Header:
    """The header in the first five bytes of `data`, held against the limits now in force (bytes of payload).

    Raises:
        BadFrame: an unknown kind.
        FrameTooLarge: a length over the limit of its kind.
    """
    kind = check_kind(data[0])
    length = int.from_bytes(data[1:5], "big")
    if length > (json_limit if kind is Kind.JSON else chunk_limit):
        raise FrameTooLarge
    return Header(kind, length)


def encode_frame(kind: Kind, payload: bytes) -> bytes:
    """One frame as it goes over TCP."""
    return _HEADER.pack(kind, len(payload)) + payload


def encode_chunk(transfer: TransferId, offset: int, data: bytes | memoryview) -> bytes:
    """The payload of a chunk frame: transfer (16 bytes), offset (u64 big-endian), data."""
    return _CHUNK.pack(bytes.fromhex(transfer), offset) + bytes(data)


def parse_chunk(payload: bytes | memoryview) -> Chunk:
    """A chunk from the payload of a chunk frame.

    Raises:
        BadFrame: fewer bytes than the chunk's own header, or no data.
    """
    if len(payload) <= CHUNK_HEADER_BYTES:
        raise BadFrame("A chunk is a transfer id, an offset and at least one byte.", kind="chunk_short")
    transfer, offset = _CHUNK.unpack_from(payload)
    return Chunk(TransferId(transfer.hex()), offset, memoryview(payload)[CHUNK_HEADER_BYTES:])
