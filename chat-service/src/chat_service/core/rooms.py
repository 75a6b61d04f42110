"""Rooms as the service sees them: kinds, roles, what a user is to a room, and who is let through.

`standing_of` is the only way from stored facts to a standing, `demand` the only judge of one; the rule itself is a row of `garita_common.core.gate`.
"""

from dataclasses import dataclass
from enum import Enum
from typing import assert_never

from garita_common.core.errors import Forbidden, NotFound
from garita_common.core.gate import Standing

MAX_ATTACHED_ROOMS = 128
"""As many as one connection can be attached to (docs/protocol.md §6)."""


class Kind(Enum):
    """Who may see a room: everybody; its members and the invited; the two of a pair."""

    PUBLIC = "public"
    PRIVATE = "private"
    DIRECT = "direct"


class Role(Enum):
    """A member's role."""

    OWNER = "owner"
    MODERATOR = "moderator"
    MEMBER = "member"
    MUTED = "muted"


@dataclass(slots=True)
class Room:
    """A room's state within one transaction: `head` and `members` move with it. `pair`: the two users of a direct room, sorted."""

    id: str
    kind: Kind
    title: str | None
    topic: str
    created_ms: int
    epoch: str
    head: int
    members: int
    pair: tuple[str, str] | None = None

    def peer_of(self, user: str) -> str | None:
        """The other one of a direct room."""
        if self.pair is None:
            return None
        first, second = self.pair
        return second if user == first else first


@dataclass(frozen=True, slots=True)
class RoomLimits:
    """How many rooms a user may be in, how many of them may be direct rooms that others began and the user never answered, and how many members a room may have."""

    rooms_per_user: int
    members_per_room: int
    unanswered_rooms: int


@dataclass(frozen=True, slots=True)
class TalkLimits:
    """Different emoji on a message, and how many of them from one user; up to how many members a room hears of marks, and of who is here."""

    reactions_per_message: int
    reactions_per_user: int
    marks_members: int
    presence_members: int


@dataclass(frozen=True, slots=True)
class Marks:
    """Up to which seq a member has read, and up to which everything has arrived at a device."""

    read: int
    received: int


@dataclass(frozen=True, slots=True)
class User:
    """A user by id, with the name last seen with it."""

    id: str
    name: str


def standing_of(kind: Kind, role: Role | None, *, invited: bool, banned: bool) -> Standing:
    """What a user is to a room. A direct room has no visitors: who left it is a stranger to it. So is the banned one to any room."""
    if role is not None:
        return _of_role(role)
    if banned:
        return Standing.STRANGER
    match kind:
        case Kind.PUBLIC:
            return Standing.VISITOR
        case Kind.PRIVATE:
            return Standing.VISITOR if invited else Standing.STRANGER
        case Kind.DIRECT:
            return Standing.STRANGER
        case _:
            assert_never(kind)


def demand(standing: Standing, least: Standing) -> None:
    """Lets through whoever stands high enough.

    Raises:
        NotFound: a stranger; the answer is the same as for a room that does not exist.
        Forbidden: somebody who may know the room, but not do this.
    """
    if standing >= least:
        return
    if standing is Standing.STRANGER:
        raise NotFound
    raise Forbidden


def pair_of(one: str, other: str) -> tuple[str, str]:
    """The key under which a pair's direct room exists once, whoever asks first."""
    return (one, other) if one < other else (other, one)


def _of_role(role: Role) -> Standing:
    match role:
        case Role.OWNER:
            return Standing.OWNER
        case Role.MODERATOR:
            return Standing.MODERATOR
        case Role.MEMBER:
            return Standing.MEMBER
        case Role.MUTED:
            return Standing.MUTED
        case _:
            assert_never(role)
