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
MAX_SEARCH = 128

RequestId = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Sequence = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Bytes = Annotated[int, Meta(ge=0, le=2**53 - 1)]
Room = Annotated[str, Meta(pattern=ids.ROOM_PATTERN)]
File = Annotated[str, Meta(pattern=ids.FILE_PATTERN)]
Transfer = Annotated[str, Meta(pattern=ids.TRANSFER_PATTERN)]
Epoch = Annotated[str, Meta(min_length=1, max_length=32)]
User = Annotated[str, Meta(pattern=ids.USER_PATTERN)]
Name = Annotated[str, Meta(pattern=ids.NAME_PATTERN)]
Title = Annotated[str, Meta(min_length=1, max_length=64)]
Topic = Annotated[str, Meta(max_length=256)]
Note = Annotated[str, Meta(max_length=512)]
Emoji = Annotated[str, Meta(min_length=1, max_length=16)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_BYTES)]
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


class Hint(Struct, frozen=True, forbid_unknown_fields=True, tag_field="op", gc=False, kw_only=True):
    """Something said in passing about a room: it has no `id`, is not answered, and an error about it has no id either."""

    room: Room


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


class Clear(Request, frozen=True, gc=False, tag="clear", kw_only=True):
    """The proof of the auth service that a challenge was solved: good once, for a minute, in its own session."""

    clear: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


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
    after: User | None = None
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


class SetRoom(Change, frozen=True, gc=False, tag="set_room", kw_only=True):
    """Changes a room's title or topic; what is absent stays."""

    room: Room
    title: Title | None = None
    topic: Topic | None = None


class Kick(Change, frozen=True, gc=False, tag="kick", kw_only=True):
    """Ends another member's membership; they may join again."""

    room: Room
    user: User
    note: Note = ""


class BanMember(Change, frozen=True, gc=False, tag="ban_member", kw_only=True):
    """Keeps a user out of a room, member or not; `banned` false lets them in again."""

    room: Room
    user: User
    banned: bool = True
    note: Note = ""


class SetRole(Change, frozen=True, gc=False, tag="set_role", kw_only=True):
    """Gives a member another role."""

    room: Room
    user: User
    role: Literal["owner", "moderator", "member", "muted"]
    note: Note = ""


class ListBanned(Request, frozen=True, gc=False, tag="banned", kw_only=True):
    """Who is kept out of a room, by page."""

    room: Room
    after: User | None = None
    limit: PageSize = 50


class Audit(Request, frozen=True, gc=False, tag="audit", kw_only=True):
    """What moderators did in a room and what was reported there, newest first; `before` is the `next` of the page before."""

    room: Room
    before: Sequence | None = None
    limit: PageSize = 50


class Send(Change, frozen=True, tag="send", kw_only=True):
    """A message; `text` may be empty only when there are files."""

    room: Room
    text: Text
    reply_to: UUID | None = None
    files: Annotated[list[File], Meta(max_length=MAX_FILES_PER_MESSAGE)] = []
    compose: Compose | None = None


class Edit(Change, frozen=True, gc=False, tag="edit", kw_only=True):
    """Another text for a message of one's own."""

    room: Room
    mid: UUID
    text: Text


class Delete(Change, frozen=True, gc=False, tag="delete", kw_only=True):
    """Takes a message's content away: one's own, or as a moderator anybody's below."""

    room: Room
    mid: UUID
    note: Note = ""


class React(Change, frozen=True, gc=False, tag="react", kw_only=True):
    """Puts a reaction on a message, or takes it back with `on` false."""

    room: Room
    mid: UUID
    emoji: Emoji
    on: bool = True


class Report(Change, frozen=True, gc=False, tag="report", kw_only=True):
    """Tells the moderators and the operator of a message that should not be there."""

    room: Room
    mid: UUID
    reason: Literal["spam", "abuse", "illegal", "other"]
    note: Note = ""


class Search(Request, frozen=True, gc=False, tag="search", kw_only=True):
    """Messages whose text has all the words, newest first, in one room or in all of one's own; `before` is the `next` of the page before."""

    text: Annotated[str, Meta(min_length=1, max_length=MAX_SEARCH)]
    room: Room | None = None
    before: Sequence | None = None
    limit: PageSize = 20


class Presence(Request, frozen=True, gc=False, tag="presence", kw_only=True):
    """Which members of a room are connected now, by page of its members."""

    room: Room
    after: User | None = None
    limit: PageSize = 100


class Read(Hint, frozen=True, gc=False, tag="read", kw_only=True):
    """One has read everything up to `seq`."""

    seq: Sequence


class Received(Hint, frozen=True, gc=False, tag="received", kw_only=True):
    """Everything up to `seq` has arrived at a device of one's own."""

    seq: Sequence


class Typing(Hint, frozen=True, gc=False, tag="typing", kw_only=True):
    """One is writing in this room now."""


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


HintOp: TypeAlias = Read | Received | Typing
"""What carries no id and gets no answer but an error."""

RoomOp: TypeAlias = (
    CreateRoom
    | SetRoom
    | ListRooms
    | GetRoom
    | ListMembers
    | Join
    | Leave
    | Invite
    | Kick
    | BanMember
    | SetRole
    | ListBanned
    | Audit
    | Send
    | Edit
    | Delete
    | React
    | Report
    | History
    | Search
    | Presence
    | Read
    | Received
    | Typing
    | Upload
    | UploadFinish
    | UploadAbort
    | Download
)
"""What the chat service decides; the rest is the gateway's own."""

GatewayOp: TypeAlias = Connect | Renew | Clear | Pong | Logout | ChunkAck

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
