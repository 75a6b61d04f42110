"""The answers to the operations, as types (docs/protocol.md §2)."""

from typing import TypeVar

import msgspec
from msgspec import Struct

from .hearing import BadServerFrame, Count, Event, FileInfo, Ok, Person, RoomInfo, parse_event

Reply = TypeVar("Reply", bound=Struct)


class Limits(Struct, frozen=True):
    """What one connection may do."""

    frame_bytes: Count = 32 * 1024
    text_bytes: Count = 8 * 1024
    chunk_bytes: Count = 64 * 1024
    file_bytes: Count = 25 * 1024 * 1024
    rooms: Count = 128


class RoomState(Struct, frozen=True, gc=False):
    """Where a room stands at `connect`: `recovered` says that the events after one's cursor follow as pushes."""

    epoch: str
    head: Count
    recovered: bool = False


class MeState(Struct, frozen=True, gc=False):
    """Where one's own log stands at `connect`."""

    head: Count = 0
    recovered: bool = False


class Connected(Struct, frozen=True):
    """The answer to `connect`."""

    session: str
    user: Person
    expires: int
    ping_interval_ms: Count
    connection: str | int = ""
    limits: Limits = Limits()
    rooms: dict[str, RoomState] = {}
    me: MeState = MeState()


class Renewed(Struct, frozen=True, gc=False):
    """The new end of the token, in Unix milliseconds."""

    expires: int


class Created(Struct, frozen=True, gc=False):
    """The answer to `create_room`."""

    room: RoomInfo
    epoch: str
    seq: Count
    dup: bool = False


class Joined(Struct, frozen=True, gc=False):
    """The answer to `join`: the cursor to start with."""

    room: str
    epoch: str
    seq: Count
    dup: bool = False


class RoomReply(Struct, frozen=True, gc=False):
    """The answer to `room`."""

    room: RoomInfo


class RoomPage(Struct, frozen=True, gc=False):
    """A page of rooms."""

    rooms: tuple[RoomInfo, ...] = ()
    next: str | None = None


class Member(Struct, frozen=True, gc=False):
    """A member of a room, and how far they have come."""

    id: str
    name: str
    role: str = "member"
    read: Count = 0
    received: Count = 0


class MemberPage(Struct, frozen=True, gc=False):
    """A page of members."""

    members: tuple[Member, ...] = ()
    next: str | None = None


class Sent(Struct, frozen=True, gc=False):
    """The answer to `send`: the message is stored."""

    mid: str
    seq: Count
    ts: int
    dup: bool = False


class Changed(Struct, frozen=True, gc=False):
    """The answer to `edit`, `delete` and `react`: the event that it became; `seq` is None where it was so already."""

    seq: Count | None = None
    ts: int | None = None
    dup: bool = False


class Reported(Struct, frozen=True, gc=False):
    """The answer to `report`."""

    report: int


class PresencePage(Struct, frozen=True, gc=False):
    """Those of a page of members who are connected."""

    here: tuple[Person, ...] = ()
    next: str | None = None


class BannedMember(Struct, frozen=True, gc=False):
    """Somebody who is kept out of a room."""

    id: str
    name: str
    by: Person | None = None
    ts: int = 0
    note: str = ""


class BannedPage(Struct, frozen=True, gc=False):
    """A page of who is kept out."""

    banned: tuple[BannedMember, ...] = ()
    next: str | None = None


class AuditEntry(Struct, frozen=True, gc=False):
    """One deed of a moderator, or a report (then `by` is None); what does not belong to the action is None."""

    n: Count
    ts: int
    action: str
    by: Person | None = None
    user: Person | None = None
    mid: str | None = None
    note: str = ""
    role: str | None = None
    reason: str | None = None
    title: str | None = None
    topic: str | None = None
    text: str | None = None


class AuditPage(Struct, frozen=True, gc=False):
    """A page of the audit trail, newest first."""

    entries: tuple[AuditEntry, ...] = ()
    next: Count | None = None


class Done(Struct, frozen=True, gc=False):
    """An answer whose fields nobody needs."""


class HistoryPage(Struct, frozen=True):
    """Stored events in ascending `seq`; `more`: whether there are further ones in that direction."""

    room: str
    epoch: str
    head: Count
    raw_events: tuple[msgspec.Raw, ...] = msgspec.field(name="events", default=())
    more: bool = False

    @property
    def events(self) -> list[Event]:
        """Each event as the push it was.

        Raises:
            BadServerFrame: one that is no event at all.
        """
        return _read_events(self.raw_events)


class SearchPage(Struct, frozen=True):
    """Messages that were found, newest first."""

    raw_hits: tuple[msgspec.Raw, ...] = msgspec.field(name="hits", default=())
    next: Count | None = None

    @property
    def hits(self) -> list[Event]:
        """Each message as the history shows it. Raises: BadServerFrame as `HistoryPage.events`."""
        return _read_events(self.raw_hits)


class UploadBegun(Struct, frozen=True, gc=False):
    """Go on from `offset`, with at most `window` chunks not yet acknowledged."""

    upload: str
    offset: Count = 0
    chunk_bytes: Count = 64 * 1024
    window: Count = 4


class FileReply(Struct, frozen=True, gc=False):
    """The finished file."""

    file: FileInfo


class DownloadBegun(Struct, frozen=True, gc=False):
    """The chunks follow as binary frames."""

    transfer: str
    file: FileInfo
    offset: Count = 0
    window: Count = 4


def read_reply(answer: Ok, kind: type[Reply]) -> Reply:
    """The answer as what was asked for.

    Raises:
        BadServerFrame: it lacks a field that the protocol promises.
    """
    try:
        return msgspec.json.decode(answer.raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        raise BadServerFrame(f"The server's answer is not a {kind.__name__}.") from exc


def _read_events(raw_events: tuple[msgspec.Raw, ...]) -> list[Event]:
    try:
        return [parse_event(raw) for raw in raw_events]
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise BadServerFrame("The server's answer holds something that is no event.") from exc
