"""Moderation: what `set_room`, `kick`, `ban_member`, `set_role`, `banned`, `audit` and `report` do.

Each act that changes something is an entry of the room's audit trail, in the same transaction. Asking for what is so already changes nothing, and is
no entry.
"""

from garita_common.core.errors import BadRequest, Conflict, NotFound
from garita_common.core.frames import Audit, BanMember, Kick, ListBanned, Report, SetRole, SetRoom

from . import access, store_audit, store_messages
from .core import moderation, speech
from .core.limits import Limit
from .core.moderation import Action, Ban
from .core.rooms import Role, Room, User
from .handling import handles
from .rooms import page
from .turn import Done, Turn


@handles(ListBanned)
def list_banned(turn: Turn, me: User, op: ListBanned) -> Done:
    """Who is kept out of a room."""
    room = access.room_for(turn.store, me.id, op.room, ListBanned)
    found = store_audit.bans(turn.store.db, room.id, op.after or "", op.limit + 1)
    items = [speech.encode(speech.ban_object(ban)) for ban in found[: op.limit]]
    return page("banned", items, [ban.user.id for ban in found])


@handles(Audit)
def audit(turn: Turn, me: User, op: Audit) -> Done:
    """What was done and reported in a room, newest first; never who reported."""
    room = access.room_for(turn.store, me.id, op.room, Audit)
    found = store_audit.entries(turn.store.db, room.id, op.before, op.limit + 1)
    items = [speech.encode(speech.entry_object(entry)) for entry in found[: op.limit]]
    return page("entries", items, [entry.n for entry in found])


@handles(SetRoom)
def set_room(turn: Turn, me: User, op: SetRoom) -> Done:
    """Gives a room another title or topic."""
    room = access.room_for(turn.store, me.id, op.room, SetRoom)
    if op.title is None and op.topic is None:
        raise BadRequest("Give a title or a topic.")
    if op.title is not None and not op.title.strip():
        raise BadRequest("A room has a title of 1 to 64 characters.")
    title = room.title if op.title is None else op.title
    topic = room.topic if op.topic is None else op.topic
    if (title, topic) != (room.title, room.topic):
        turn.store.describe(room, title, topic)
        frame = speech.Described(room.id, room.epoch, room.head + 1, turn.now_ms, speech.ref(me), title or "", topic)
        turn.publish(room, turn.store.append(room, speech.encode(frame)))
        turn.note(room, Action.SET_ROOM, by=me, title=title or "", topic=topic)
    return Done(speech.encode({"room": turn.own_room(room, me.id)}))


@handles(Kick)
def kick(turn: Turn, me: User, op: Kick) -> Done:
    """Ends another's membership."""
    room = access.room_for(turn.store, me.id, op.room, Kick)
    moderation.require_other(me.id, op.user)
    user, role = _member(turn, room, op.user)
    moderation.require_rank(turn.store.role(room.id, me.id), role)
    turn.exit(room, user, "kicked", by=me)
    turn.note(room, Action.KICK, by=me, user=user, note=op.note)
    return Done(speech.encode({"room": room.id, "user": speech.ref(user)}))


@handles(BanMember)
def ban_member(turn: Turn, me: User, op: BanMember) -> Done:
    """Keeps a user out, whether in the room or not, or lets one in again."""
    room = access.room_for(turn.store, me.id, op.room, BanMember)
    moderation.require_other(me.id, op.user)
    user = turn.store.user(op.user)
    if user is None:
        raise NotFound("There is no such user.")
    role = turn.store.role(room.id, user.id)
    moderation.require_rank(turn.store.role(room.id, me.id), role)
    if turn.store.is_banned(room.id, user.id) != op.banned:
        if op.banned:
            turn.store.ban(room.id, Ban(user, me, turn.now_ms, op.note))
        else:
            turn.store.unban(room.id, user.id)
        if role is not None:
            turn.exit(room, user, "banned", by=me)
        else:
            turn.say_member(room, user, "banned" if op.banned else "unbanned", by=me)
        turn.note(room, Action.BAN if op.banned else Action.UNBAN, by=me, user=user, note=op.note)
    return Done(speech.encode({"room": room.id, "user": speech.ref(user), "banned": op.banned}))


@handles(SetRole)
def set_role(turn: Turn, me: User, op: SetRole) -> Done:
    """Gives a member another role."""
    room = access.room_for(turn.store, me.id, op.room, SetRole)
    user, current = _member(turn, room, op.user)
    role, to_self = Role(op.role), user.id == me.id
    moderation.require_may_set_role(
        turn.store.role(room.id, me.id), current, role, to_self=to_self, owners=turn.store.count_owners(room.id)
    )
    if role is not current:
        turn.store.set_role(room.id, user.id, role)
        turn.say_member(room, user, "role", by=None if to_self else me, role=role)
        turn.note(room, Action.ROLE, by=me, user=user, note=op.note, role=role.value)
    return Done(speech.encode({"room": room.id, "user": speech.ref(user), "role": role.value}))


@handles(Report)
def report(turn: Turn, me: User, op: Report) -> Done:
    """Tells of a message, with its text as it is now; a second time only what the first answer was."""
    room = access.room_for(turn.store, me.id, op.room, Report)
    mid = str(op.mid)
    message = store_messages.message(turn.store, room.id, op.mid.bytes)
    if message is None:
        raise NotFound("There is no such message in this room.")
    n = store_audit.report_of(turn.store.db, me.id, mid)
    if n is not None:
        return Done(b'{"report":%d}' % n)
    if message.deleted:
        raise Conflict("This message was deleted.")
    if message.user.id == me.id:
        raise BadRequest("Nobody reports a message of his own.")
    turn.spend(me, Limit.REPORTS_PER_DAY)
    about = User(message.user.id, message.user.name)
    n = turn.note(
        room, Action.REPORT, by=None, user=about, mid=mid, note=op.note, reason=op.reason, text=message.text or ""
    )
    store_audit.add_report(turn.store.db, me.id, mid, room.id, n)
    return Done(b'{"report":%d}' % n, about=about.id)


def _member(turn: Turn, room: Room, user_id: str) -> tuple[User, Role]:
    """Somebody who is in the room.

    Raises:
        NotFound: nobody by this id is.
    """
    role = turn.store.role(room.id, user_id)
    if role is None:
        raise NotFound("There is no such member.")
    return turn.store.user(user_id) or User(user_id, ""), role
