"""What one gateway tells another over `peer:{gateway_id}`: which of its connections have to make room, and where the shared level of a user stands."""

import msgspec
from msgspec import Struct


class MakeRoom(Struct, array_like=True, frozen=True, gc=False):
    """A connection of the hearer's that is one too many; it counts only while it still belongs to the user."""

    connection: int
    user: str


class Level(Struct, array_like=True, frozen=True, gc=False):
    """A user's shared tokens after a report, and how many gateways hold the user."""

    user: str
    tokens: float
    gateways: int


class PeerNews(Struct, array_like=True, frozen=True, gc=False):
    """One message; fields are only ever appended, with a default."""

    close: list[MakeRoom] = []
    levels: list[Level] = []


encode = msgspec.msgpack.Encoder().encode
decode = msgspec.msgpack.Decoder(PeerNews).decode
