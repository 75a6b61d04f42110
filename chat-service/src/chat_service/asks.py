"""What gateways ask for themselves: attaching a user, making cursors good, comparing heads (docs/architecture.md §4.7 and §4.8).

A client's cursor above the head proves nothing, for a client can write any number; a gateway's own cursor there proves that the store lost what
had been published (a restored backup): the room then gets a new epoch, so that nobody takes a new event for one already seen.
"""

from garita_common.core.records import Attached, CompareHeads, HeadsCompared, Recover, Recovered, Repair, RoomEvent

from .core import paging
from .core.paging import Window
from .core.rooms import MAX_ATTACHED_ROOMS, Room
from .rooms import EPOCH_BYTES
from .turn import Turn

PERSONAL = "@me"


def attach(turn: Turn, connection: int, user: str) -> Attached:
    """A user's rooms and their heads."""
    heads = turn.store.heads(room.id for room in turn.store.rooms_of(user, "", MAX_ATTACHED_ROOMS))
    return Attached(connection, user, heads, turn.store.notice_head(user))


def recover(turn: Turn, connection: int, user: str, ask: Recover) -> Recovered:
    """A member's missed events."""
    if ask.room == PERSONAL:
        return _recover_personal(turn, connection, user, ask)
    room = turn.store.room(ask.room)
    if room is None or turn.store.role(room.id, user) is None:
        return Recovered(connection, user, ask.room, "", 0, False, [], gone=True)
    return _recovered(turn, connection, user, room, ask)


def repair(turn: Turn, connection: int, user: str, ask: Repair) -> Recovered:
    """The events that a gateway missed."""
    room = turn.store.room(ask.room)
    if room is None:
        return Recovered(connection, user, ask.room, "", 0, False, [], gone=True)
    if ask.epoch == room.epoch and ask.seq > room.head:
        turn.store.set_epoch(room, turn.entropy(EPOCH_BYTES).hex())
    return _recovered(turn, connection, user, room, ask)


def compare_heads(turn: Turn, ask: CompareHeads) -> HeadsCompared:
    """Where the heads of these rooms are."""
    return HeadsCompared(turn.store.heads(ask.rooms))


def _recovered(turn: Turn, connection: int, user: str, room: Room, ask: Recover | Repair) -> Recovered:
    answer = Recovered(connection, user, room.id, room.epoch, room.head, False, [])
    if ask.epoch != room.epoch or not paging.is_in_reach(room.head, ask.seq, ask.limit):
        return answer
    missed = turn.store.events(room.id, Window(ask.seq + 1, room.head, newest_first=False), paging.RECOVER_EVENTS)
    if not paging.fits_recovery(sum(len(event.frame) for event in missed), ask.max_bytes):
        return answer
    return Recovered(connection, user, room.id, room.epoch, room.head, True, missed)


def _recover_personal(turn: Turn, connection: int, user: str, ask: Recover) -> Recovered:
    head = turn.store.notice_head(user)
    answer = Recovered(connection, user, PERSONAL, "", head, False, [])
    if not paging.is_in_reach(head, ask.seq, ask.limit):
        return answer
    missed = turn.store.notices(user, ask.seq, paging.RECOVER_EVENTS)
    if not paging.fits_recovery(sum(len(event.frame) for event in missed), ask.max_bytes):
        return answer
    return Recovered(
        connection, user, PERSONAL, "", head, True, [RoomEvent(event.seq, event.frame) for event in missed]
    )
