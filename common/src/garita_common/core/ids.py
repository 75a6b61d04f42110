"""Identifiers: their types, their shapes and how they are made from bytes that the caller draws.

Every id is unguessable (128 random bits) but for `MessageId`, a UUIDv7 whose first 48 bits are its time. An id is never a permission: who
knows one still passes the checks.
"""

from typing import NewType

UserId = NewType("UserId", str)
RoomId = NewType("RoomId", str)
FileId = NewType("FileId", str)
TransferId = NewType("TransferId", str)
MessageId = NewType("MessageId", str)
SessionId = NewType("SessionId", str)
DeviceId = NewType("DeviceId", str)
GatewayId = NewType("GatewayId", str)
ConnectionId = NewType("ConnectionId", int)

ID_BYTES = 16
USER_PATTERN = "^u[0-9a-f]{32}$"
ROOM_PATTERN = "^r[0-9a-f]{32}$"
FILE_PATTERN = "^f[0-9a-f]{32}$"
TRANSFER_PATTERN = "^[0-9a-f]{32}$"
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{1,31}$"


def user_id(entropy: bytes) -> UserId:
    """A user's id from 16 random bytes."""
    return UserId("u" + _hex(entropy))


def room_id(entropy: bytes) -> RoomId:
    """A room's id from 16 random bytes."""
    return RoomId("r" + _hex(entropy))


def file_id(entropy: bytes) -> FileId:
    """A file's id from 16 random bytes."""
    return FileId("f" + _hex(entropy))


def transfer_id(entropy: bytes) -> TransferId:
    """A transfer's id from 16 random bytes; on the wire it is those bytes themselves."""
    return TransferId(_hex(entropy))


def uuid7(ms: int, entropy: bytes) -> MessageId:
    """A UUIDv7 (RFC 9562 §5.7) of the Unix time `ms` and 10 random bytes."""
    if len(entropy) != 10:
        raise ValueError("a UUIDv7 takes 10 random bytes")
    tail = int.from_bytes(entropy, "big") & ((1 << 74) - 1)
    value = (ms & ((1 << 48) - 1)) << 80 | 0x7 << 76 | (tail >> 62) << 64 | 0b10 << 62 | tail & ((1 << 62) - 1)
    text = f"{value:032x}"
    return MessageId(f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}")


def _hex(entropy: bytes) -> str:
    if len(entropy) != ID_BYTES:
        raise ValueError("an id takes 16 random bytes")
    return entropy.hex()
