"""What the service says: room events, personal events, objects and answers as JSON, encoded once and stored as those bytes.

The shapes are those of docs/protocol.md §2.2 and §3. Objects are typed structs, for they are built for every message.
"""

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Struct, UnsetType

from .moderation import Ban, Entry, Report
from .rooms import Marks, Role, Room, User

_encode = msgspec.json.Encoder().encode

MemberChange: TypeAlias = Literal["joined", "left", "kicked", "banned", "unbanned", "role"]


EMPTY_BYTES = 2


class UserRef(Struct, frozen=True, gc=False):
    """A user as others see it."""

    id: str
    name: str


class FileObject(Struct, frozen=True, gc=False):
    """A finished file."""

    id: str
    room: str
    name: str
    size: int
    sha256: str
    type: str
    by: UserRef
    ts: int


class Message(Struct, frozen=True, gc=False, tag_field="op", tag="message"):
    """The push `message`."""

    room: str
    epoch: str
    seq: int
    ts: int
    user: UserRef
    mid: str
    cmid: str
    text: str | UnsetType = UNSET
    reply_to: str | UnsetType = UNSET
    files: list[FileObject] | UnsetType = UNSET
    edited: int | UnsetType = UNSET
    deleted: bool | UnsetType = UNSET


class _Amendment(Struct, frozen=True, gc=False, tag_field="op"):
    """What every event about a message has; `of` is the message's seq."""

    room: str
    epoch: str
    seq: int
    ts: int
    user: UserRef
    mid: str
    of: int


class Edited(_Amendment, frozen=True, gc=False, tag="edited"):
    """The push `edited`. Once a later edit or a deletion has made it void, it is stored with `void` and an empty text."""

    text: str
    void: bool | UnsetType = UNSET


class Deleted(_Amendment, frozen=True, gc=False, tag="deleted"):
    """The push `deleted`."""

    by_moderator: bool | UnsetType = UNSET


class Reaction(_Amendment, frozen=True, gc=False, tag="reaction"):
    """The push `reaction`."""

    emoji: str
    on: bool


class Typing(Struct, frozen=True, gc=False, tag_field="op", tag="typing"):
    """The push `typing`, said in passing."""

    room: str
    user: UserRef


class Read(Struct, frozen=True, gc=False, tag_field="op", tag="read"):
    """The push `read`, said in passing."""

    room: str
    user: UserRef
    read: int
    received: int


class Presence(Struct, frozen=True, gc=False, tag_field="op", tag="presence"):
    """The push `presence`, said in passing."""

    room: str
    user: UserRef
    here: bool


class Member(Struct, frozen=True, gc=False, tag_field="op", tag="member"):
    """The push `member`."""

    room: str
    epoch: str
    seq: int
    ts: int
    user: UserRef
    change: MemberChange
    by: UserRef | UnsetType = UNSET
    role: str | UnsetType = UNSET


class Described(Struct, frozen=True, gc=False, tag_field="op", tag="room"):
    """The push `room`."""

    room: str
    epoch: str
    seq: int
    ts: int
    user: UserRef
    title: str
    topic: str


class Notice(Struct, frozen=True, gc=False, tag_field="op", tag="notice"):
    """The push `notice`, an entry of a user's own log."""

    log: str
    seq: int
    kind: Literal["invited", "joined", "direct"]
    room: dict[str, Any]
    ts: int
    by: UserRef | UnsetType = UNSET


decode_message = msgspec.json.Decoder(Message).decode
decode_edited = msgspec.json.Decoder(Edited).decode


def ref(user: User) -> UserRef:
    """A user as it stands in events and objects."""
    return UserRef(user.id, user.name)


def room_object(room: Room, peer: User | None) -> dict[str, Any]:
    """A room without its beholder's role, as in a notice. Args: peer: the other one of a direct room."""
    shown: dict[str, Any] = {
        "id": room.id,
        "kind": room.kind.value,
        "title": room.title,
        "topic": room.topic,
        "members": room.members,
        "epoch": room.epoch,
        "head": room.head,
        "created": room.created_ms,
    }
    if peer is not None:
        shown["peer"] = _named(peer)
    return shown


def own_room_object(room: Room, peer: User | None, role: Role | None, read: int) -> dict[str, Any]:
    """A room as one user sees it. Args: read: the user's read mark."""
    return {**room_object(room, peer), "role": role.value if role is not None else None, "read": read}


def member_object(user: User, role: Role, marks: Marks) -> dict[str, str | int]:
    """An entry of a room's list of members."""
    return {"id": user.id, "name": user.name, "role": role.value, "read": marks.read, "received": marks.received}


def ban_object(ban: Ban) -> dict[str, Any]:
    """An entry of a room's list of who is kept out."""
    return {**_named(ban.user), "by": _named(ban.by), "ts": ban.ts, "note": ban.note}


def entry_object(entry: Entry) -> dict[str, Any]:
    """An entry of a room's audit trail; what does not belong to its action is absent."""
    shown: dict[str, Any] = {"n": entry.n, "ts": entry.ts, "action": entry.action.value}
    if entry.by is not None:
        shown["by"] = _named(entry.by)
    if entry.user is not None:
        shown["user"] = _named(entry.user)
    if entry.mid:
        shown["mid"] = entry.mid
    if entry.note:
        shown["note"] = entry.note
    return shown | dict(entry.detail)


def report_object(report: Report) -> dict[str, Any]:
    """A report as the operator sees it."""
    room = {"id": report.entry.room, "kind": report.kind.value, "title": report.title}
    return {"id": report.id, "room": room, "reporter": _named(report.reporter), **entry_object(report.entry)}


def encode(value: Struct | dict[str, Any]) -> bytes:
    """JSON."""
    return _encode(value)


def page(name: str, items: Sequence[bytes], following: str | int | None) -> bytes:
    """The fields of an answer that is a list of finished JSON objects; `following` is given as `after` (or `before`) to go on."""
    tail = b',"next":' + _encode(following) if following is not None else b""
    return b'{"' + name.encode() + b'":[' + b",".join(items) + b"]" + tail + b"}"


def history(room: Room, events: Sequence[bytes], *, more: bool) -> bytes:
    """The fields of the answer to `history`: stored frames, side by side, never decoded."""
    start = _encode({"room": room.id, "epoch": room.epoch, "head": room.head})
    return start[:-1] + b',"events":[' + b",".join(events) + b'],"more":' + (b"true" if more else b"false") + b"}"


def ok(request: int, body: bytes, *, dup: bool = False) -> bytes:
    """The answer `ok` with the fields of `body`, a JSON object."""
    start = b'{"op":"ok","id":%d%b' % (request, b',"dup":true' if dup else b"")
    return start + (b"," + body[1:] if len(body) > EMPTY_BYTES else b"}")


def _named(user: User) -> dict[str, str]:
    return {"id": user.id, "name": user.name}
