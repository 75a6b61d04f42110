"""Who may act on whom in a room, who inherits it, and what an entry of its audit trail is.

Roles rank muted < member < moderator < owner. A moderator acts only on those below; an owner on everybody but other owners, and on oneself, but
the last owner stays one. That a user is a moderator at all was asked of the gate table before. A direct room has no role above member, so nobody
gets as far as here in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from garita_common.core.errors import BadRequest, Conflict, Forbidden

from .rooms import Kind, Role, User

_RANKS = {None: 0, Role.MUTED: 1, Role.MEMBER: 2, Role.MODERATOR: 3, Role.OWNER: 4}
HEIRS = (Role.MODERATOR, Role.MEMBER)
"""From which roles a room's next owner comes, in this order. Never from the muted: they would come to rule whom they were kept from answering."""


class Action(Enum):
    """What an entry of the audit trail tells of."""

    SET_ROOM = "set_room"
    KICK = "kick"
    BAN = "ban"
    UNBAN = "unban"
    ROLE = "role"
    DELETE = "delete"
    REPORT = "report"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: entry `n` of its room. `by` is nobody for a report. `detail`: role, title, topic, reason, text, as far as the action has them."""

    room: str
    ts: int
    action: Action
    by: User | None = None
    user: User | None = None
    mid: str = ""
    note: str = ""
    detail: Mapping[str, str] = field(default_factory=dict)
    n: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """A report as the operator sees it: its number among all, who made it, in what room, and its entry there."""

    id: int
    reporter: User
    kind: Kind
    title: str | None
    entry: Entry


@dataclass(frozen=True, slots=True)
class Ban:
    """Who is kept out of a room, and by whom."""

    user: User
    by: User
    ts: int
    note: str


def require_other(actor: str, target: str) -> None:
    """Nobody kicks or bans himself.

    Raises:
        BadRequest: both are the same user.
    """
    if actor == target:
        raise BadRequest("This is for others; to go yourself, leave.")


def require_rank(actor: Role | None, target: Role | None) -> None:
    """Lets a role act on another's. Args: target: None for who is not in the room.

    Raises:
        Forbidden: the target does not stand below the actor.
    """
    if _RANKS[target] >= _RANKS[actor]:
        raise Forbidden


def require_may_set_role(actor: Role | None, target: Role, role: Role, *, to_self: bool, owners: int) -> None:
    """Lets a role give `target` another role. Args: owners: how many the room has.

    Raises:
        Forbidden: the target does not stand below, or the new role is not for this actor to give.
        Conflict: the last owner would step down.
    """
    if to_self and actor is Role.OWNER:
        if role is not Role.OWNER and owners <= 1:
            raise Conflict("The last owner of a room remains one; make another owner first.")
        return
    require_rank(actor, target)
    if actor is not Role.OWNER and _RANKS[role] >= _RANKS[actor]:
        raise Forbidden
