"""What the server says, as types: answers, pushes, and the events that a program reads.

Unknown fields are ignored and an event of an unknown kind is still an `Event`, because its `seq` moves the cursor: a newer server may
have events that this client has never heard of.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Struct

from .errors import GaritaError

Count = Annotated[int, Meta(ge=0)]


PASSING = frozenset({"typing", "read", "presence"})


class BadServerFrame(GaritaError):
    """Bytes that no Garita server sends: the other side is something else."""


class Person(Struct, frozen=True, gc=False):
    """A user, as others see one."""

    id: str
    name: str


class RoomInfo(Struct, frozen=True, gc=False):
    """A room; `role` is one's own, None for someone who is not in it; `peer` is the other one of a direct room."""

    id: str
    kind: str
    title: str | None = None
    topic: str = ""
    members: Count = 0
    epoch: str = ""
    head: Count = 0
    role: str | None = None
    read: Count = 0
    created: int = 0
    peer: Person | None = None


class FileInfo(Struct, frozen=True, gc=False):
    """A finished file of a room."""

    id: str
    room: str
    name: str
    size: Count
    sha256: str
    type: str = "application/octet-stream"
    by: Person | str | None = None
    ts: int = 0


class Event(Struct, frozen=True, gc=False, kw_only=True, omit_defaults=True):
    """Something that happened: a push of the server's, or one of the client's own (`reset`, `gone`: see `cursors`; `refused`: see `Client.hint`).

    `room` is the room's id; only in a `notice` it is the room itself. `of` is the `seq` of the message that an `edited`, `deleted` or `reaction` is
    about. `edited` (a time) and `deleted` stand on a message of the history, `void` on an edit that has no text any more. `typing`, `read` and `presence` have no `seq`.
    """

    op: str
    room: str | RoomInfo | None = None
    epoch: str | None = None
    seq: Count | None = None
    ts: int | None = None
    user: Person | None = None
    mid: str | None = None
    cmid: str | None = None
    text: str | None = None
    reply_to: str | None = None
    files: tuple[FileInfo, ...] = ()
    change: str | None = None
    log: str | None = None
    kind: str | None = None
    by: Person | None = None
    of: Count | None = None
    emoji: str | None = None
    on: bool = True
    edited: int | None = None
    void: bool = False
    deleted: bool = False
    by_moderator: bool = False
    role: str | None = None
    title: str | None = None
    topic: str | None = None
    read: Count | None = None
    received: Count | None = None
    here: bool = False
    until: int | None = None

    @property
    def room_id(self) -> str | None:
        """The id of the room that this is about."""
        return self.room.id if isinstance(self.room, RoomInfo) else self.room

    @property
    def is_passing(self) -> bool:
        """Whether it was said in passing: nothing is missing where one of these is."""
        return self.op in PASSING

    @property
    def ends_membership(self) -> bool:
        """Whether `user` is not in the room any more."""
        return self.op == "member" and self.change in ("left", "kicked", "banned")


class _BareEvent(Struct, frozen=True, gc=False):
    """What the cursor needs of an event whose other fields this client cannot read."""

    op: str
    room: str | None = None
    epoch: str | None = None
    seq: Count | None = None
    log: str | None = None


class Ok(Struct, frozen=True, gc=False):
    """The answer to request `id`; `raw` is the whole frame, to be read as what was asked for."""

    id: int
    raw: bytes


class ErrorAnswer(Struct, frozen=True, gc=False):
    """A refusal; without an `id` it is about a hint, or about the transfer that it names."""

    code: str
    message: str
    id: int | None = None
    temporary: bool = False
    retry_after_ms: Count | None = None
    outcome: str | None = None
    transfer: str | None = None


class Disconnect(Struct, frozen=True, gc=False):
    """The server's last words."""

    code: int
    reason: str = ""
    after_ms: Count = 0
    until: int | None = None
    appeal: str | None = None


class ChunkAck(Struct, frozen=True, gc=False):
    """All bytes of a transfer before `offset` have arrived at the server."""

    transfer: str
    offset: Count


class Ping(Struct, frozen=True, gc=False):
    """To be answered with `pong`."""


Heard: TypeAlias = Ok | ErrorAnswer | Disconnect | ChunkAck | Ping | Event


class _Head(Struct, frozen=True, gc=False):
    op: str


class _OkHead(Struct, frozen=True, gc=False):
    id: int


_head = msgspec.json.Decoder(_Head)
_ok = msgspec.json.Decoder(_OkHead)
_error = msgspec.json.Decoder(ErrorAnswer)
_disconnect = msgspec.json.Decoder(Disconnect)
_chunk_ack = msgspec.json.Decoder(ChunkAck)
_event = msgspec.json.Decoder(Event)
_bare = msgspec.json.Decoder(_BareEvent)


def parse(data: bytes) -> Heard:
    """What a JSON frame of the server's says.

    Raises:
        BadServerFrame: no object with an `op`, or an answer without its fields.
    """
    try:
        match _head.decode(data).op:
            case "ok":
                return Ok(_ok.decode(data).id, data)
            case "error":
                return _error.decode(data)
            case "disconnect":
                return _disconnect.decode(data)
            case "chunk_ack":
                return _chunk_ack.decode(data)
            case "ping":
                return Ping()
            case _:
                return parse_event(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise BadServerFrame("The other side does not speak Garita's protocol.") from exc


def parse_event(data: bytes | msgspec.Raw) -> Event:
    """An event, with as much of it as this client can read.

    Raises:
        msgspec.MsgspecError: not even an object with an `op`.
    """
    try:
        return _event.decode(data)
    except msgspec.ValidationError:
        pass
    try:
        bare = _bare.decode(data)
    except msgspec.ValidationError:
        return Event(op=_head.decode(data).op)
    return Event(op=bare.op, room=bare.room, epoch=bare.epoch, seq=bare.seq, log=bare.log)
