"""What gateway and chat service say to each other over Redis: msgpack arrays, so that a field added at the end is skipped by an older reader.

The gateway trusts no client; the chat service trusts the gateway's stamp (`user`, `sid`, `did`, `ip`). An answer goes to the connection it is
for only if that connection still belongs to the same user. Events travel as finished JSON: encoded once by the chat service, framed once
by each gateway.

Channels (`channels.py`): `chat:in:{shard}` carries a `Batch`, `gw:{id}` a list of `Reply`, `room:{id}` a `RoomBatch`, `user:{id}` a `PersonalBatch`.
"""

from typing import TypeAlias

import msgspec
from msgspec import Struct

from .frames import RoomOp


class Record(Struct, array_like=True, frozen=True, gc=False):
    """Base of all: a msgpack array; fields are only ever appended, with a default."""


class Attach(Record, frozen=True, tag="@attach"):
    """A user has connected: which rooms, and where their heads are. Answered with `Attached`."""


class Recover(Record, frozen=True, tag="@recover"):
    """Events of a room after a client's cursor. `epoch` empty: no cursor, only the head is asked for. Answered with `Recovered`.

    `room` "@me" is the user's personal log, whose epoch is always empty: `seq` -1 then means no cursor.
    """

    room: str
    epoch: str
    seq: int
    limit: int = 300
    max_bytes: int = 256 * 1024


class Repair(Record, frozen=True, tag="@repair"):
    """The gateway itself missed events of a room (a gap): the same answer as `Recover`, without asking for a member (connection 0, user "")."""

    room: str
    epoch: str
    seq: int
    limit: int = 300
    max_bytes: int = 256 * 1024


class CompareHeads(Record, frozen=True, tag="@heads"):
    """Where the heads of these rooms are; rooms of one shard. Answered with `HeadsCompared`."""

    rooms: list[str]


class RecordUpload(Record, frozen=True, tag="@uploaded"):
    """The gateway has put an upload together: its true size (bytes) and SHA-256 (hex). Answered as the client's `upload_finish`."""

    cmid: str
    upload: str
    size: int
    sha256: str


class Here(Record, frozen=True, tag="@here"):
    """The stamped user has come (`here`) or is gone from all gateways: said in passing to those of the user's rooms that are small enough. Not answered."""

    here: bool


GatewayAsk: TypeAlias = Attach | Recover | Repair | CompareHeads | RecordUpload | Here


NO_REQUEST = -1


class Command(Record, frozen=True):
    """One request with the gateway's stamp. `op` is msgpack: a client's `RoomOp` (a map with `op`) if `asked` is false, else a `GatewayAsk`.

    `request` is `NO_REQUEST` for a hint (read, received, typing): it is answered only by an error, which then has no id.
    """

    connection: int
    request: int
    user: str
    name: str
    sid: str
    did: str
    ip: str
    received_ms: int
    expires_ms: int
    asked: bool
    op: msgspec.Raw


class Batch(Record, frozen=True):
    """The commands of one gateway and one event-loop turn for one shard."""

    gateway: str
    commands: list[Command]


class AttachRoom(Record, frozen=True, tag="attach"):
    """The gateway is to attach the connection (or all of the user's) to a room, with this cursor: pushes start at seq + 1."""

    room: str
    epoch: str
    seq: int


class OpenUpload(Record, frozen=True, tag="upload"):
    """The connection may send chunks of this upload. The gateway finds out by itself how much it already holds."""

    upload: str
    room: str
    size: int
    sha256: str


class FinishUpload(Record, frozen=True, tag="finish"):
    """The client's `upload_finish` is allowed: put the parts together, then say `RecordUpload`; nothing is sent to the client yet."""

    upload: str
    cmid: str
    size: int


class DropUpload(Record, frozen=True, tag="drop"):
    """The upload is over: its parts are deleted."""

    upload: str


class OpenDownload(Record, frozen=True, tag="download"):
    """The connection may have this file: blob `key`, from `offset`; the transfer's id is in the answer too."""

    transfer: str
    key: str
    size: int
    offset: int


class TellPresent(Record, frozen=True, tag="present"):
    """The answer to `presence`: the gateway leaves those of `members` ([id, name]) that are connected somewhere, and tells the client; `next` as in any page."""

    room: str
    members: list[list[str]]
    next: str = ""


Directive: TypeAlias = AttachRoom | OpenUpload | FinishUpload | DropUpload | OpenDownload | TellPresent


class RoomHead(Record, frozen=True):
    """A room's newest stored event."""

    room: str
    epoch: str
    seq: int


class RoomEvent(Record, frozen=True):
    """One stored event: `frame` is its JSON as clients get it; `left` is the user whose membership it ended, or empty."""

    seq: int
    frame: bytes
    left: str = ""


class PersonalEvent(Record, frozen=True):
    """One entry of a user's own log; `attach` names a room that the user has just come to be in."""

    seq: int
    frame: bytes
    attach: AttachRoom | None = None


class Answered(Record, frozen=True, tag="answered"):
    """The answer to a client's request, as finished JSON; `code` is its error code, or empty. `directive` is carried out first."""

    connection: int
    user: str
    request: int
    frame: bytes
    code: str = ""
    directive: Directive | None = None


class Attached(Record, frozen=True, tag="attached"):
    """The user's rooms (at most 128), and the head of the personal log (0: empty)."""

    connection: int
    user: str
    rooms: list[RoomHead]
    me_head: int


class Recovered(Record, frozen=True, tag="recovered"):
    """`recovered` true: `events` are all after the cursor, in order, up to `head`. False: too many, or a cursor that is not ours: `events` is empty.

    `gone` true: the room is not (or no longer) this user's.
    """

    connection: int
    user: str
    room: str
    epoch: str
    head: int
    recovered: bool
    events: list[RoomEvent]
    gone: bool = False


class HeadsCompared(Record, frozen=True, tag="heads"):
    """The heads of the rooms that exist."""

    rooms: list[RoomHead]


class AskRefused(Record, frozen=True, tag="refused"):
    """A `GatewayAsk` that could not be answered (connection 0 for the gateway's own)."""

    connection: int
    user: str
    room: str
    code: str


Reply: TypeAlias = Answered | Attached | Recovered | HeadsCompared | AskRefused


class RoomBatch(Record, frozen=True):
    """New events of a room, in `seq` order without gaps within the batch.

    `passing` holds finished JSON that is not stored and has no seq (typing, read marks, presence): for whoever follows the room now, dropped first
    where a queue is half full.
    """

    room: str
    epoch: str
    events: list[RoomEvent]
    passing: list[bytes] = []


class PersonalBatch(Record, frozen=True, tag="personal"):
    """New entries of a user's own log, and `passing` as in a `RoomBatch`, for all of the user's connections."""

    user: str
    events: list[PersonalEvent]
    passing: list[bytes] = []


encode = msgspec.msgpack.Encoder().encode
decode_batch = msgspec.msgpack.Decoder(Batch).decode
decode_room_op = msgspec.msgpack.Decoder(RoomOp).decode
decode_ask = msgspec.msgpack.Decoder(GatewayAsk).decode
decode_replies = msgspec.msgpack.Decoder(list[Reply]).decode
decode_room_batch = msgspec.msgpack.Decoder(RoomBatch).decode
decode_personal_batch = msgspec.msgpack.Decoder(PersonalBatch).decode
