"""What clients say: one frozen type per operation, and the one function that turns bytes into them.

Every operation is a flat JSON object with `op`. Unknown fields, unknown operations, wrong types, values outside their range, invalid UTF-8
and U+0000 are refused here, so everything behind this module trusts its types. `docs/protocol.md` §2 is the same list for people.
"""

import re
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

import msgspec
from msgspec import Meta, Struct

from . import ids
from .errors import BadFrame, UnknownOp

PROTOCOL_VERSION = 1
MAX_TEXT_BYTES = 8 * 1024
MAX_RESUME_ROOMS = 128
MAX_FILES_PER_MESSAGE = 10
MAX_PAGE = 100

RequestId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Room = Annotated[str, Meta(pattern=ids.ROOM_PATTERN)]
File = Annotated[str, Meta(pattern=ids.FILE_PATTERN)]
Transfer = Annotated[str, Meta(pattern=ids.TRANSFER_PATTERN)]
Epoch = Annotated[str, Meta(min_length=1, max_length=32)]
Name = Annotated[str, Meta(pattern=ids.NAME_PATTERN)]
Title = Annotated[str, Meta(min_length=1, max_length=64)]
Topic = Annotated[str, Meta(max_length=256)]
FileName = Annotated[str, Meta(min_length=1, max_length=255)]
MediaType = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}$")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
PageSize = Annotated[int, Meta(ge=1, le=MAX_PAGE)]
Count = Annotated[int, Meta(ge=0, le=1_000_000)]
Milliseconds = Annotated[int, Meta(ge=0, le=86_400_000)]


class Request(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", gc=False):
    """What every request carries: `id` is unique on the connection and only echoed."""

    id: RequestId


class Change(Request, frozen=True, gc=False, kw_only=True):
    """A request that changes something: a repeat of the same `cmid` gives the first answer."""

    cmid: UUID


class Compose(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    """How a text was typed: milliseconds, keystrokes, corrections, paste used, variation of the time between keys. Its absence is neutral."""

    ms: Milliseconds
    keys: Count
    fixes: Count
    paste: bool
    ikcv: Annotated[float, Meta(ge=0, le=100)]


class Cursor(Struct, frozen=True, array_like=True, forbid_unknown_fields=True, gc=False):
    """What was last seen of a room, as `[epoch, seq]`."""

    epoch: Epoch
    seq: Sequence


class Connect(Request, frozen=True, tag="connect", kw_only=True):
    """The first operation: who one is, and what was last seen (`resume`: room → [epoch, seq], "@me" → seq)."""

    v: Annotated[int, Meta(ge=0, le=1000)]
    token: Annotated[str, Meta(min_length=1, max_length=4096)]
    client: Annotated[str, Meta(max_length=64)] = ""
    resume: Annotated[dict[str, Cursor | Sequence], Meta(max_length=MAX_RESUME_ROOMS + 1)] = {}


class Renew(Request, frozen=True, gc=False, tag="renew", kw_only=True):
    """A new access token before the old one ends."""

    token: Annotated[str, Meta(min_length=1, max_length=4096)]


class Pong(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="pong", gc=False):
    """The answer to the server's `ping`; it carries no id and gets no answer."""


class Logout(Request, frozen=True, gc=False, tag="logout"):
    """Ends this connection; the account's session is ended at the auth service."""


class CreateRoom(Change, frozen=True, gc=False, tag="create_room", kw_only=True):
    """A new room. `title` for public and private ones; `user` (a name) for a direct one, which exists once per pair."""

    kind: Literal["public", "private", "direct"]
    title: Title | None = None
    topic: Topic = ""
    user: Name | None = None


class ListRooms(Request, frozen=True, gc=False, tag="rooms", kw_only=True):
    """One's own rooms, or the public ones, by page; `after` is the `next` of the page before."""

    scope: Literal["mine", "public"] = "mine"
    after: Room | None = None
    limit: PageSize = 50


class GetRoom(Request, frozen=True, gc=False, tag="room", kw_only=True):
    """One room's description."""

    room: Room


class ListMembers(Request, frozen=True, gc=False, tag="members", kw_only=True):
    """A room's members, by page; `after` is the `next` of the page before."""

    room: Room
    after: Annotated[str, Meta(pattern=ids.USER_PATTERN)] | None = None
    limit: PageSize = 50


class Join(Change, frozen=True, gc=False, tag="join", kw_only=True):
    """Becomes a member: of any public room, of a private one with an invitation."""

    room: Room


class Leave(Change, frozen=True, gc=False, tag="leave", kw_only=True):
    """Ends one's membership."""

    room: Room


class Invite(Change, frozen=True, gc=False, tag="invite", kw_only=True):
    """Lets a user, by name, join a private room."""

    room: Room
    user: Name


class Send(Change, frozen=True, tag="send", kw_only=True):
    """A message; `text` may be empty only when there are files."""

    room: Room
    text: Annotated[str, Meta(max_length=MAX_TEXT_BYTES)]
    reply_to: UUID | None = None
    files: Annotated[list[File], Meta(max_length=MAX_FILES_PER_MESSAGE)] = []
    compose: Compose | None = None


class History(Request, frozen=True, gc=False, tag="history", kw_only=True):
    """Stored events of a room, `before` (exclusive, newest first walked back) or `after` (exclusive) a seq; neither: the newest."""

    room: Room
    before: Sequence | None = None
    after: Sequence | None = None
    limit: PageSize = 50


class Upload(Change, frozen=True, gc=False, tag="upload", kw_only=True):
    """Announces a file for a room; a repeat with the same cmid resumes it at the offset that is answered."""

    room: Room
    name: FileName
    size: Annotated[int, Meta(ge=1, le=2**53 - 1)]
    sha256: Sha256
    type: MediaType = "application/octet-stream"


class UploadFinish(Change, frozen=True, gc=False, tag="upload_finish", kw_only=True):
    """All bytes are sent: check and keep them."""

    upload: Transfer


class UploadAbort(Change, frozen=True, gc=False, tag="upload_abort", kw_only=True):
    """Gives an upload up."""

    upload: Transfer


class Download(Request, frozen=True, gc=False, tag="download", kw_only=True):
    """A file's bytes from `offset` on."""

    file: File
    offset: Bytes = 0


class ChunkAck(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", tag="chunk_ack", gc=False, kw_only=True
):
    """All bytes of a transfer before `offset` have arrived; it carries no id and gets no answer."""

    transfer: Transfer
    offset: Bytes


RoomOp: TypeAlias = (
    CreateRoom
    | ListRooms
    | GetRoom
    | ListMembers
    | Join
    | Leave
    | Invite
    | Send
    | History
    | Upload
    | UploadFinish
    | UploadAbort
    | Download
)
"""What the chat service decides; the rest is the gateway's own."""

GatewayOp: TypeAlias = Connect | Renew | Pong | Logout | ChunkAck

ClientOp: TypeAlias = GatewayOp | RoomOp

_decoder: msgspec.json.Decoder[ClientOp] = msgspec.json.Decoder(ClientOp)
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class _Envelope(Struct, gc=False):
    """What an error answer needs of a frame that is not fully valid."""

    op: str
    id: RequestId | None = None


_envelope_decoder = msgspec.json.Decoder(_Envelope)
OPS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in (*GatewayOp.__args__, *RoomOp.__args__))


class Refused(Exception):
    """A frame that was understood well enough to be answered with an error: `id` is the request's, or None."""

    def __init__(self, request_id: int | None, error: UnknownOp | BadFrame) -> None:
        """Args: error: UnknownOp, or BadFrame for values that are not allowed (the connection goes on)."""
        super().__init__(str(error))
        self.request_id = request_id
        self.error = error


def parse(data: bytes | bytearray | memoryview) -> ClientOp:
    """The operation that a JSON frame holds; its size was checked before.

    Raises:
        BadFrame: no JSON object with an `op`, invalid UTF-8, U+0000: nothing a correct client sends; the connection ends with 4501.
        Refused: an object with an `op` that is unknown, or whose fields are not right: answered with an error, counted towards 4507.
    """
    try:
        op = _decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise _judge(data, exc) from exc
    raw = bytes(data)
    if b"\\u0000" in raw and _NUL.search(raw):
        raise BadFrame("U+0000 is not allowed.", kind="nul")
    return op


def _judge(data: bytes | bytearray | memoryview, exc: Exception) -> Exception:
    """Whether a frame that failed can be answered by its id."""
    try:
        envelope = _envelope_decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return BadFrame("A frame is a JSON object with an op, in UTF-8.", kind="json")
    if envelope.op not in OPS:
        return Refused(envelope.id, UnknownOp())
    sentence = str(exc) if isinstance(exc, msgspec.ValidationError) else "A value of this request is not allowed."
    return Refused(envelope.id, BadFrame(sentence, kind="fields"))
