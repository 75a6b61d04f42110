"""Repeats of a change: the first answer again, and what the gateway must do again so that it holds.

The answer is given before permissions are asked, for it was given before. A directive is more than an answer: it opens something now, so it
is given only if the user may have that now.
"""

import msgspec
from msgspec import Struct

from garita_common.core.errors import Conflict
from garita_common.core.frames import CreateRoom, Join, Upload, UploadAbort
from garita_common.core.records import AttachRoom, DropUpload

from . import access, files, store_files
from .core.idempotency import Kept
from .core.rooms import User
from .core.uploads import UploadState
from .turn import Done, Turn


class _Named(Struct):
    id: str


class _Created(Struct):
    room: _Named
    epoch: str
    seq: int


class _Joined(Struct):
    room: str
    epoch: str
    seq: int


class _Opened(Struct):
    upload: str


_decode_created = msgspec.json.Decoder(_Created).decode
_decode_joined = msgspec.json.Decoder(_Joined).decode
_decode_opened = msgspec.json.Decoder(_Opened).decode


def repeat(turn: Turn, me: User, op: object, kept: Kept) -> Done:
    """What a repeat of `op` is answered with.

    Raises:
        Conflict: an upload that is over: its first answer would send the client's bytes nowhere.
    """
    if isinstance(op, Join):
        joined = _decode_joined(kept.body)
        return Done(kept.body, _attach(turn, me, AttachRoom(joined.room, joined.epoch, joined.seq)))
    if isinstance(op, CreateRoom):
        created = _decode_created(kept.body)
        return Done(kept.body, _attach(turn, me, AttachRoom(created.room.id, created.epoch, created.seq)))
    if isinstance(op, Upload):
        return _reopened(turn, me, kept)
    if isinstance(op, UploadAbort):
        return Done(kept.body, DropUpload(op.upload))
    return Done(kept.body)


def _attach(turn: Turn, me: User, attach: AttachRoom) -> AttachRoom | None:
    return attach if turn.store.role(attach.room, me.id) is not None else None


def _reopened(turn: Turn, me: User, kept: Kept) -> Done:
    found = store_files.upload(turn.store.db, _decode_opened(kept.body).upload)
    if found is not None and found.state is UploadState.FINISHED:
        return Done(files.opened(found.id, found.size))
    if found is None or found.state is not UploadState.OPEN or not access.may_send(turn.store, me.id, found.room):
        raise Conflict("This upload is over; begin another.")
    return Done(kept.body, files.directive_of(found))
