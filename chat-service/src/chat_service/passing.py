"""What is said in passing: read marks, typing, who is here. Of these only marks are stored, and none takes a `seq`.

What is said in passing goes out with the events of its turn, once per room, kind and user, and is lost without regret when Redis is away: the next
mark says it again, typing ends by itself, and who is here can be asked.
"""

from garita_common.core.frames import Presence, Read, Received, Typing
from garita_common.core.records import TellPresent

from . import access
from .core import speech
from .core.rooms import MAX_ATTACHED_ROOMS, Marks, User
from .handling import handles
from .turn import Done, Turn


def mark(turn: Turn, me: User, op: Read | Received) -> None:
    """Moves one's own marks forward, at most to the room's head. What was read has arrived, too."""
    room = access.room_for(turn.store, me.id, op.room, type(op))
    seq = min(op.seq, room.head)
    before = turn.store.marks(room.id, me.id)
    read = max(before.read, seq) if isinstance(op, Read) else before.read
    now = Marks(read, max(before.received, seq))
    if now == before:
        return
    turn.store.set_marks(room.id, me.id, now)
    frame = speech.encode(speech.Read(room.id, speech.ref(me), now.read, now.received))
    if room.members <= turn.rules.talk.marks_members:
        turn.pass_on(room, "read", me, frame)
    else:
        turn.pass_to_own(room, "read", me, frame)


def typing(turn: Turn, me: User, op: Typing) -> None:
    """Tells the room that somebody writes."""
    room = access.room_for(turn.store, me.id, op.room, Typing)
    turn.pass_on(room, "typing", me, speech.encode(speech.Typing(room.id, speech.ref(me))))


@handles(Presence)
def presence(turn: Turn, me: User, op: Presence) -> Done:
    """A page of a room's members; the gateway, which knows, leaves those who are connected."""
    room = access.room_for(turn.store, me.id, op.room, Presence)
    found = [user for user, _, _ in turn.store.members(room.id, op.after or "", op.limit + 1)]
    shown = found[: op.limit]
    following = shown[-1].id if len(found) > len(shown) else ""
    return Done(b"", TellPresent(room.id, [[user.id, user.name] for user in shown], following))


def here(turn: Turn, me: User, *, is_here: bool) -> None:
    """Tells the small rooms of a user that the user has come or is gone."""
    for room in turn.store.rooms_of(me.id, "", MAX_ATTACHED_ROOMS):
        if room.members <= turn.rules.talk.presence_members:
            turn.pass_on(room, "presence", me, speech.encode(speech.Presence(room.id, speech.ref(me), is_here)))
