"""Files: permission and quota of `upload`, `upload_finish`, `upload_abort`, `download`, and the gateway's word that a file is complete.

Bytes never come here: the gateway keeps parts under `uploads/{upload}/`, and the whole file at `files/{upload}` (`core.uploads.blob_key`), where
it stays. `offset` in an answer to `upload` is 0; the gateway, which holds the bytes, puts the true one in when it carries out `OpenUpload`.
"""

from garita_common.core import ids
from garita_common.core.errors import BadRequest, Conflict, FileRejected
from garita_common.core.frames import Download, Upload, UploadAbort, UploadFinish
from garita_common.core.records import DropUpload, FinishUpload, OpenDownload, OpenUpload, RecordUpload
from garita_common.core.wire import CHUNK_DATA_BYTES

from . import access, store_files
from .core import speech, uploads
from .core.rooms import User
from .core.uploads import StoredFile, UploadState
from .handling import handles
from .messages import file_object
from .turn import Done, Turn

WINDOW = 4
"""Chunks on their way: 256 KiB keep a link of 20 Mbit/s and 100 ms busy."""


@handles(Upload)
def upload(turn: Turn, me: User, op: Upload) -> Done:
    """Announces a file."""
    room = access.room_for(turn.store, me.id, op.room, Upload)
    usage = store_files.usage(turn.store.db, me.id, turn.now_ms)
    for limit, error in uploads.exceeded(op.size, usage, turn.rules.uploads):
        turn.refuse(limit, error)
    began = uploads.Upload(
        id=ids.transfer_id(turn.new_id()),
        user=me.id,
        room=room.id,
        name=op.name,
        size=op.size,
        sha256=op.sha256,
        type=op.type,
        state=UploadState.OPEN,
        file=None,
    )
    store_files.add_upload(turn.store.db, began, turn.now_ms)
    turn.store.writes += 1
    return Done(opened(began.id, 0), directive_of(began))


@handles(UploadFinish)
def finish(turn: Turn, me: User, op: UploadFinish) -> Done:
    """Lets the gateway put the parts together; the client is answered by `record`."""
    found = access.upload_for(turn.store, me.id, op.upload, UploadFinish)
    if found.state is UploadState.FINISHED and found.file is not None:
        return _finished(turn, me, found.file)
    uploads.require_open(found)
    return Done(b"", FinishUpload(found.id, str(op.cmid), found.size))


def record(turn: Turn, me: User, ask: RecordUpload) -> Done:
    """The gateway has put the file together: it is kept if it is what was announced, and the upload is over either way."""
    found = access.upload_for(turn.store, me.id, ask.upload, UploadFinish)
    if found.state is UploadState.FINISHED and found.file is not None:
        return _finished(turn, me, found.file)
    uploads.require_open(found)
    turn.store.writes += 1
    if not uploads.matches(found, ask.size, ask.sha256):
        store_files.end_upload(turn.store.db, found.id, UploadState.REJECTED)
        return Done(b"", DropUpload(found.id), FileRejected())
    file = StoredFile(
        id=ids.file_id(turn.new_id()),
        room=found.room,
        user=me.id,
        name=found.name,
        size=found.size,
        sha256=found.sha256,
        type=found.type,
        ts=turn.now_ms,
        key=uploads.blob_key(found.id),
    )
    store_files.add_file(turn.store.db, file)
    store_files.end_upload(turn.store.db, found.id, UploadState.FINISHED, file.id)
    return Done(speech.encode({"file": file_object(file, me)}))


@handles(UploadAbort)
def abort(turn: Turn, me: User, op: UploadAbort) -> Done:
    """Gives an upload up; one that is over already stays as it is."""
    found = access.upload_for(turn.store, me.id, op.upload, UploadAbort)
    if found.state is UploadState.FINISHED:
        raise Conflict("This upload is finished.")
    if found.state is UploadState.OPEN:
        store_files.end_upload(turn.store.db, found.id, UploadState.ABORTED)
        turn.store.writes += 1
    return Done(speech.encode({"upload": found.id}), DropUpload(found.id))


@handles(Download)
def download(turn: Turn, me: User, op: Download) -> Done:
    """Opens a transfer of a file's bytes."""
    file = access.file_for(turn.store, me.id, op.file)
    if op.offset > file.size:
        raise BadRequest("The offset lies beyond the end of the file.")
    transfer = ids.transfer_id(turn.new_id())
    by = turn.store.user(file.user) or User(file.user, "")
    body = {"transfer": transfer, "file": file_object(file, by), "offset": op.offset, "window": WINDOW}
    return Done(speech.encode(body), OpenDownload(transfer, file.key, file.size, op.offset))


def opened(upload_id: str, offset: int) -> bytes:
    """The fields of the answer to `upload`."""
    return speech.encode({"upload": upload_id, "offset": offset, "chunk_bytes": CHUNK_DATA_BYTES, "window": WINDOW})


def directive_of(found: uploads.Upload) -> OpenUpload:
    """Lets the connection send chunks."""
    return OpenUpload(found.id, found.room, found.size, found.sha256)


def _finished(turn: Turn, me: User, file_id: str) -> Done:
    """The file that an earlier `upload_finish` made of this upload."""
    return Done(speech.encode({"file": file_object(access.file_for(turn.store, me.id, file_id), me)}))
