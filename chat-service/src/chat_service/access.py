"""The only ways from an id that a client gave to a room, an upload or a file.

Each function takes who asks, the id and the operation, and gives the thing only if the table in `garita_common.core.gate` lets this user do this
with it. What does not exist and what one may not know of are the same `not_found`.
"""

from garita_common.core.errors import NotFound
from garita_common.core.frames import Download, RoomOp, UploadAbort, UploadFinish
from garita_common.core.gate import FILE_STANDING, TABLE, Standing

from . import store_files
from .core.rooms import Kind, Room, demand, standing_of
from .core.uploads import StoredFile, Upload
from .store import Store


def room_for(store: Store, user: str, room_id: str, op: type[RoomOp]) -> Room:
    """The room, for an operation that names it.

    Raises:
        NotFound: there is none, or the user is a stranger to it.
        Forbidden: the user may see it but not do this.
    """
    least = TABLE[op].standing
    if least is None:
        raise TypeError(f"{op.__name__} names no room")
    return _room(store, user, room_id, least)


def upload_for(store: Store, user: str, upload_id: str, op: type[UploadFinish | UploadAbort]) -> Upload:
    """An upload, for the one who began it.

    Raises:
        NotFound: there is none, it is another's, or the room is none of the user's any more.
        Forbidden: the user may no longer send to the room.
    """
    upload = store_files.upload(store.db, upload_id)
    if upload is None:
        raise NotFound
    if upload.user != user:
        raise NotFound
    _room(store, user, upload.room, FILE_STANDING[op])
    return upload


def file_for(store: Store, user: str, file_id: str) -> StoredFile:
    """A finished file, for reading.

    Raises:
        NotFound: there is none, or the user is a stranger to its room.
        Forbidden: the user may see the room but is not in it.
    """
    file = store_files.file(store.db, file_id)
    if file is None:
        raise NotFound
    _room(store, user, file.room, FILE_STANDING[Download])
    return file


def own_file_in(store: Store, user: str, room: Room, file_id: str) -> StoredFile:
    """A file that its uploader may show in this room.

    Raises:
        NotFound: there is none, it is another's, or it was made for another room.
    """
    file = store_files.file(store.db, file_id)
    if file is None:
        raise NotFound("There is no such file of yours in this room.")
    if file.user != user:
        raise NotFound("There is no such file of yours in this room.")
    if file.room != room.id:
        raise NotFound("There is no such file of yours in this room.")
    return file


def may_send(store: Store, user: str, room_id: str) -> bool:
    """Whether the user may send to the room now, for what an earlier request of theirs still allows."""
    room = store.room(room_id)
    return room is not None and _standing(store, user, room) >= Standing.MEMBER


def _room(store: Store, user: str, room_id: str, least: Standing) -> Room:
    room = store.room(room_id)
    if room is None:
        raise NotFound
    demand(_standing(store, user, room), least)
    return room


def _standing(store: Store, user: str, room: Room) -> Standing:
    role = store.role(room.id, user)
    if role is not None:
        return standing_of(room.kind, role, invited=False, banned=False)
    invited = room.kind is Kind.PRIVATE and store.is_invited(room.id, user)
    return standing_of(room.kind, None, invited=invited, banned=store.is_banned(room.id, user))
