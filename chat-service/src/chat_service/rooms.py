"""Rooms and membership: what `create_room`, `rooms`, `room`, `members`, `join`, `leave` and `invite` do."""

from collections.abc import Sequence

from garita_common.core import ids
from garita_common.core.errors import BadRequest, Conflict, NotFound
from garita_common.core.frames import CreateRoom, GetRoom, Invite, Join, Leave, ListMembers, ListRooms
from garita_common.core.records import AttachRoom

from . import access
from .core import paging, speech
from .core.limits import Limit
from .core.rooms import Kind, Role, Room, User, pair_of
from .handling import handles
from .turn import Done, Turn

EPOCH_BYTES = 6


@handles(CreateRoom)
def create_room(turn: Turn, me: User, op: CreateRoom) -> Done:
    """A new room with its creator in it, or the one direct room of a pair."""
    if op.kind == "direct":
        return _create_direct(turn, me, op)
    if op.title is None or not op.title.strip():
        raise BadRequest("A room has a title of 1 to 64 characters.")
    if op.user is not None:
        raise BadRequest("Only a direct room is made with a user.")
    turn.require_space(None, me)
    turn.spend(me, Limit.NEW_ROOMS_PER_DAY)
    room = _new_room(turn, Kind(op.kind), op.title, op.topic)
    attach = turn.enter(room, me, Role.OWNER)
    turn.tell(me, "joined", room, attach=attach)
    return _entered(turn, me, room, attach)


@handles(ListRooms)
def list_rooms(turn: Turn, me: User, op: ListRooms) -> Done:
    """One's own rooms, or the public ones that one may join."""
    find = turn.store.public_rooms if op.scope == "public" else turn.store.rooms_of
    found = find(me.id, op.after or "", op.limit + 1)
    items = [speech.encode(turn.own_room(room, me.id)) for room in found[: op.limit]]
    return page("rooms", items, [room.id for room in found])


@handles(GetRoom)
def get_room(turn: Turn, me: User, op: GetRoom) -> Done:
    """One room."""
    room = access.room_for(turn.store, me.id, op.room, GetRoom)
    return Done(speech.encode({"room": turn.own_room(room, me.id)}))


@handles(ListMembers)
def list_members(turn: Turn, me: User, op: ListMembers) -> Done:
    """A room's members."""
    room = access.room_for(turn.store, me.id, op.room, ListMembers)
    found = turn.store.members(room.id, op.after or "", op.limit + 1)
    items = [speech.encode(speech.member_object(*member)) for member in found[: op.limit]]
    return page("members", items, [user.id for user, _, _ in found])


@handles(Join)
def join(turn: Turn, me: User, op: Join) -> Done:
    """Becomes a member; who already is one is told where the room stands."""
    room = access.room_for(turn.store, me.id, op.room, Join)
    if turn.store.role(room.id, me.id) is not None:
        return Done(_cursor(room, room.head), _from_now_on(room))
    turn.require_space(room, me)
    # Where nobody rules any more and nobody was there to inherit, whoever comes first does.
    attach = turn.enter(room, me, Role.MEMBER if turn.store.count_owners(room.id) else Role.OWNER)
    turn.tell(me, "joined", room, attach=attach)
    return Done(_cursor(room, attach.seq), attach)


@handles(Leave)
def leave(turn: Turn, me: User, op: Leave) -> Done:
    """Ends one's membership."""
    room = access.room_for(turn.store, me.id, op.room, Leave)
    turn.exit(room, me)
    return Done(speech.encode({"room": room.id}))


@handles(Invite)
def invite(turn: Turn, me: User, op: Invite) -> Done:
    """Lets a user join a private room; a second invitation says nothing new."""
    room = access.room_for(turn.store, me.id, op.room, Invite)
    if room.kind is not Kind.PRIVATE:
        raise BadRequest("Only private rooms have invitations.")
    user = turn.store.user_named(op.user)
    if user is None:
        raise NotFound("There is no user by that name.")
    if turn.store.role(room.id, user.id) is not None:
        raise Conflict("This user is already a member.")
    if turn.store.is_banned(room.id, user.id):
        raise Conflict("This user is banned from the room.")
    if not turn.store.is_invited(room.id, user.id):
        turn.spend(me, Limit.INVITATIONS_PER_DAY)
        turn.store.invite(room.id, user.id, me.id)
        turn.tell(user, "invited", room, by=me)
    return Done(speech.encode({"room": room.id, "user": {"id": user.id, "name": user.name}}))


def _create_direct(turn: Turn, me: User, op: CreateRoom) -> Done:
    if op.user is None:
        raise BadRequest("A direct room is made with a user.")
    if op.title is not None or op.topic:
        raise BadRequest("A direct room has no title and no topic.")
    peer = turn.store.user_named(op.user)
    if peer is None:
        raise NotFound("There is no user by that name.")
    if peer.id == me.id:
        raise BadRequest("A direct room takes two.")
    pair = pair_of(me.id, peer.id)
    room = turn.store.direct_room(pair)
    if room is None:
        return _first_direct(turn, me, peer, pair)
    if turn.store.role(room.id, me.id) is not None:
        return Done(_room_and_cursor(turn, me, room, room.head), _from_now_on(room))
    turn.require_space(room, me)
    attach = turn.enter(room, me, Role.MEMBER)
    turn.tell(me, "joined", room, attach=attach)
    return _entered(turn, me, room, attach)


def _first_direct(turn: Turn, me: User, peer: User, pair: tuple[str, str]) -> Done:
    """Both are members at once; whoever does not want that leaves, and is not brought back by the other."""
    turn.require_space(None, me)
    turn.require_space(None, peer, unasked=True)
    turn.spend(me, Limit.DIRECT_ROOMS_PER_DAY)
    room = _new_room(turn, Kind.DIRECT, None, "", pair)
    attach = turn.enter(room, me, Role.MEMBER)
    peer_attach = turn.enter(room, peer, Role.MEMBER, unasked=True)
    turn.tell(me, "joined", room, attach=attach)
    turn.tell(peer, "direct", room, by=me, attach=peer_attach)
    return _entered(turn, me, room, attach)


def _new_room(turn: Turn, kind: Kind, title: str | None, topic: str, pair: tuple[str, str] | None = None) -> Room:
    room = Room(
        id=ids.room_id(turn.new_id()),
        kind=kind,
        title=title,
        topic=topic,
        created_ms=turn.now_ms,
        epoch=turn.entropy(EPOCH_BYTES).hex(),
        head=0,
        members=0,
        pair=pair,
    )
    turn.store.add_room(room)
    return room


def _entered(turn: Turn, me: User, room: Room, attach: AttachRoom) -> Done:
    return Done(_room_and_cursor(turn, me, room, attach.seq), attach)


def _room_and_cursor(turn: Turn, me: User, room: Room, seq: int) -> bytes:
    return speech.encode({"room": turn.own_room(room, me.id), "epoch": room.epoch, "seq": seq})


def _from_now_on(room: Room) -> AttachRoom:
    """For a member who asks to come in: a connection that follows the room already is left as it is, one that missed it is attached."""
    return AttachRoom(room.id, room.epoch, room.head)


def _cursor(room: Room, seq: int) -> bytes:
    return speech.encode({"room": room.id, "epoch": room.epoch, "seq": seq})


def page(name: str, items: list[bytes], keys: Sequence[str | int]) -> Done:
    """A page of what fits; `keys` are the ids of the items, and of one more where the list goes on."""
    shown = paging.fit([len(item) for item in items])
    following = keys[shown - 1] if 0 < shown < len(keys) else None
    return Done(speech.page(name, items[:shown], following))
