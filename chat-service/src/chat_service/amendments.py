"""What changes a message afterwards: `edit`, `delete` and `react`.

Each stores an event of the room and keeps the stored message true (`store_messages`).
"""

from msgspec import UNSET, structs

from garita_common.core.errors import BadRequest, Conflict, Forbidden, LimitReached, NotFound, TooLarge
from garita_common.core.frames import Delete, Edit, React
from garita_common.core.records import RoomEvent

from . import access, store_messages
from .core import emoji, moderation, paging, speech
from .core.limits import Limit
from .core.moderation import Action
from .core.rooms import Role, Room, User
from .core.speech import Message
from .handling import handles
from .messages import check_length
from .turn import Done, Turn

MODERATORS = (Role.MODERATOR, Role.OWNER)


@handles(Edit)
def edit(turn: Turn, me: User, op: Edit) -> Done:
    """Gives a message of one's own another text."""
    room = access.room_for(turn.store, me.id, op.room, Edit)
    message = _message(turn, room, op)
    if message.user.id != me.id:
        raise Forbidden
    _require_there(message)
    if not op.text and not message.files:
        raise BadRequest("A message has a text or a file.")
    check_length(op.text)
    now = structs.replace(message, text=op.text, edited=turn.now_ms)
    seq = room.head + 1
    event = speech.Edited(room.id, room.epoch, seq, turn.now_ms, speech.ref(me), message.mid, message.seq, op.text)
    frame = speech.encode(event)
    if max(len(frame), len(speech.encode(now))) > paging.MAX_EVENT_BYTES:
        raise TooLarge("This message is too large once it is encoded.")
    turn.charge(room)
    _void_last_edit(turn, room, message)
    store_messages.rewrite(turn.store, now)
    store_messages.set_last_edit(turn.store, room.id, message.seq, seq)
    return _told(turn, room, turn.store.append(room, frame))


@handles(Delete)
def delete(turn: Turn, me: User, op: Delete) -> Done:
    """Takes a message's content away, wherever it is kept."""
    room = access.room_for(turn.store, me.id, op.room, Delete)
    message = _message(turn, room, op)
    is_own = message.user.id == me.id
    if not is_own:
        _require_moderator(turn, room, me, message)
    _require_there(message)
    _void_last_edit(turn, room, message)
    if message.files:
        store_messages.hide_files(turn.store, message.seq, [file.id for file in message.files])
    store_messages.rewrite(turn.store, structs.replace(message, text=UNSET, files=UNSET, edited=UNSET, deleted=True))
    if not is_own:
        author = User(message.user.id, message.user.name)
        turn.note(room, Action.DELETE, by=me, user=author, mid=message.mid, note=op.note, text=message.text or "")
    frame = speech.encode(
        speech.Deleted(
            room=room.id,
            epoch=room.epoch,
            seq=room.head + 1,
            ts=turn.now_ms,
            user=speech.ref(me),
            mid=message.mid,
            of=message.seq,
            by_moderator=UNSET if is_own else True,
        )
    )
    return _told(turn, room, turn.store.append(room, frame))


@handles(React)
def react(turn: Turn, me: User, op: React) -> Done:
    """Puts a reaction on a message or takes it back; one that is so already is no event."""
    room = access.room_for(turn.store, me.id, op.room, React)
    emoji.check(op.emoji)
    message = _message(turn, room, op)
    _require_there(message)
    there = store_messages.reactions(turn.store, room.id, message.seq, me.id, op.emoji)
    if there.is_own == op.on:
        return Done(b"{}")
    limits = turn.rules.talk
    if op.on and there.own >= limits.reactions_per_user:
        error = LimitReached(f"A user puts at most {limits.reactions_per_user} reactions on a message.")
        turn.refuse(Limit.REACTIONS_PER_USER, error)
    if op.on and not there.is_known and there.different >= limits.reactions_per_message:
        error = LimitReached(f"A message has at most {limits.reactions_per_message} different reactions.")
        turn.refuse(Limit.REACTIONS_PER_MESSAGE, error)
    turn.charge(room)
    store_messages.set_reaction(turn.store, room.id, message.seq, me.id, op.emoji, on=op.on)
    frame = speech.encode(
        speech.Reaction(
            room=room.id,
            epoch=room.epoch,
            seq=room.head + 1,
            ts=turn.now_ms,
            user=speech.ref(me),
            mid=message.mid,
            of=message.seq,
            emoji=op.emoji,
            on=op.on,
        )
    )
    return _told(turn, room, turn.store.append(room, frame))


def _message(turn: Turn, room: Room, op: Edit | Delete | React) -> Message:
    message = store_messages.message(turn.store, room.id, op.mid.bytes)
    if message is None:
        raise NotFound("There is no such message in this room.")
    return message


def _require_there(message: Message) -> None:
    if message.deleted:
        raise Conflict("This message was deleted.")


def _require_moderator(turn: Turn, room: Room, me: User, message: Message) -> None:
    """Lets a moderator through, for a message of somebody who stands below."""
    role = turn.store.role(room.id, me.id)
    if role not in MODERATORS:
        raise Forbidden
    moderation.require_rank(role, turn.store.role(room.id, message.user.id))


def _void_last_edit(turn: Turn, room: Room, message: Message) -> None:
    last = store_messages.last_edit(turn.store, room.id, message.seq)
    if last is not None:
        store_messages.rewrite(turn.store, structs.replace(last, text="", void=True))


def _told(turn: Turn, room: Room, event: RoomEvent) -> Done:
    turn.publish(room, event)
    return Done(b'{"seq":%d,"ts":%d}' % (event.seq, turn.now_ms))
