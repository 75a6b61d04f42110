"""Who may do what: one row per operation, asked before any handler runs (docs/protocol.md §6).

The gateway asks for the state, the cost and the size; the chat service asks for the standing in the room. An operation without a row does
not exist: `tests/unit/common/test_gate.py` walks operations × states × standings.
"""

from dataclasses import dataclass
from enum import Enum, IntEnum

from .frames import (
    Audit,
    BanMember,
    ChunkAck,
    Clear,
    ClientOp,
    Connect,
    CreateRoom,
    Delete,
    Download,
    Edit,
    GetRoom,
    History,
    Invite,
    Join,
    Kick,
    Leave,
    ListBanned,
    ListMembers,
    ListRooms,
    Logout,
    Pong,
    Presence,
    React,
    Read,
    Received,
    Renew,
    Report,
    Search,
    Send,
    SetRole,
    SetRoom,
    Typing,
    Upload,
    UploadAbort,
    UploadFinish,
)


class State(Enum):
    """Where a connection stands."""

    NEW = "new"
    CONNECTED = "connected"
    CHALLENGED = "challenged"


class Standing(IntEnum):
    """What a user is to a room, from nothing to all. A banned user is nothing to it; higher standings may do what lower ones may.

    STRANGER: may not know the room. VISITOR: may see it (public, or invited) but is not in it. MUTED: in it, may read only.
    """

    STRANGER = 0
    VISITOR = 1
    MUTED = 2
    MEMBER = 3
    MODERATOR = 4
    OWNER = 5


class Budget(Enum):
    """Which token bucket pays for an operation."""

    SEND = "send"
    OTHER = "other"
    FREE = "free"
    CHARGED = "charged"
    """Charged to OTHER but never refused: it lowers the load."""


READY = frozenset({State.CONNECTED, State.CHALLENGED})
CONNECTED = frozenset({State.CONNECTED})
NEW = frozenset({State.NEW})
ALWAYS = frozenset(State)


@dataclass(frozen=True, slots=True)
class Row:
    """One operation's rule: `standing` is the least that is needed in the room it names (None: it names none), `max_bytes` its frame's size.

    `cost` is what it takes from its bucket: about how many plain requests it is worth to the server and to those who hear of it.
    """

    states: frozenset[State]
    standing: Standing | None
    budget: Budget
    max_bytes: int
    cost: float = 1.0


TABLE: dict[type[ClientOp], Row] = {
    Connect: Row(NEW, None, Budget.FREE, 16 * 1024),
    Renew: Row(READY, None, Budget.OTHER, 5 * 1024, 2),
    Clear: Row(READY, None, Budget.OTHER, 256, 2),
    Pong: Row(READY, None, Budget.CHARGED, 64),
    Logout: Row(ALWAYS, None, Budget.CHARGED, 256),
    ChunkAck: Row(READY, None, Budget.FREE, 256),
    CreateRoom: Row(CONNECTED, None, Budget.OTHER, 4 * 1024, 5),
    ListRooms: Row(READY, None, Budget.OTHER, 1024),
    GetRoom: Row(READY, Standing.VISITOR, Budget.OTHER, 1024),
    ListMembers: Row(READY, Standing.MUTED, Budget.OTHER, 1024),
    Join: Row(CONNECTED, Standing.VISITOR, Budget.OTHER, 1024),
    Leave: Row(READY, Standing.MUTED, Budget.CHARGED, 1024),
    Invite: Row(CONNECTED, Standing.MODERATOR, Budget.OTHER, 1024, 2),
    SetRoom: Row(CONNECTED, Standing.MODERATOR, Budget.OTHER, 4 * 1024, 5),
    Kick: Row(CONNECTED, Standing.MODERATOR, Budget.OTHER, 4 * 1024, 2),
    BanMember: Row(CONNECTED, Standing.MODERATOR, Budget.OTHER, 4 * 1024, 2),
    SetRole: Row(CONNECTED, Standing.MODERATOR, Budget.OTHER, 4 * 1024, 2),
    ListBanned: Row(READY, Standing.MODERATOR, Budget.OTHER, 1024),
    Audit: Row(READY, Standing.MODERATOR, Budget.OTHER, 1024, 2),
    Send: Row(CONNECTED, Standing.MEMBER, Budget.SEND, 32 * 1024),
    Edit: Row(CONNECTED, Standing.MEMBER, Budget.SEND, 32 * 1024),
    Delete: Row(CONNECTED, Standing.MUTED, Budget.OTHER, 4 * 1024, 2),
    React: Row(CONNECTED, Standing.MEMBER, Budget.OTHER, 1024, 5),
    Report: Row(READY, Standing.MUTED, Budget.OTHER, 4 * 1024, 10),
    History: Row(READY, Standing.MUTED, Budget.OTHER, 1024, 2),
    Search: Row(READY, Standing.MUTED, Budget.OTHER, 2 * 1024, 5),
    Presence: Row(READY, Standing.MUTED, Budget.OTHER, 1024, 2),
    Read: Row(READY, Standing.MUTED, Budget.OTHER, 256),
    Received: Row(READY, Standing.MUTED, Budget.OTHER, 256),
    Typing: Row(CONNECTED, Standing.MEMBER, Budget.OTHER, 256),
    Upload: Row(CONNECTED, Standing.MEMBER, Budget.OTHER, 4 * 1024, 2),
    UploadFinish: Row(CONNECTED, None, Budget.OTHER, 1024, 2),
    UploadAbort: Row(READY, None, Budget.CHARGED, 1024),
    Download: Row(READY, None, Budget.OTHER, 1024, 2),
}
"""Search may name no room: then it looks in those where the user stands at least so high. What a row of a moderator's operation allows is narrowed by
the other's role (`chat_service.core.moderation`). UploadFinish, UploadAbort and Download name a transfer or a file,
not a room: the chat service looks the room up and asks `FILE_STANDING`."""

NEVER_REFUSED = frozenset(kind for kind, row in TABLE.items() if row.budget is Budget.CHARGED)
"""What lowers the load: a client that is refused it would only ask again."""

FILE_STANDING: dict[type[ClientOp], Standing] = {
    UploadFinish: Standing.MEMBER,
    UploadAbort: Standing.STRANGER,
    Download: Standing.MUTED,
}
"""The least standing in the room that a transfer or file belongs to; finishing and aborting are besides only for the one who began it."""


def row_of(op: ClientOp) -> Row:
    """The rule for an operation."""
    return TABLE[type(op)]
