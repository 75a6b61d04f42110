"""Messages: what `send` and `history` do."""

from msgspec import UNSET

from garita_common.core import ids
from garita_common.core.errors import BadRequest, NotFound, TooLarge
from garita_common.core.frames import MAX_TEXT_BYTES, History, Send

from . import access, store_messages
from .core import paging, speech
from .core.rooms import Room, User
from .core.uploads import StoredFile
from .handling import handles
from .turn import Done, Turn

MID_BYTES = 10


@handles(Send)
def send(turn: Turn, me: User, op: Send) -> Done:
    """Stores a message as the room's next event."""
    room = access.room_for(turn.store, me.id, op.room, Send)
    if not op.text and not op.files:
        raise BadRequest("A message has a text or a file.")
    check_length(op.text)
    if op.reply_to is not None and not turn.store.is_message_of(room.id, op.reply_to.bytes):
        raise NotFound("The message that this one answers is not in this room.")
    files = _files(turn, me, room, op.files) if op.files else UNSET
    mid = ids.uuid7(turn.now_ms, turn.entropy(MID_BYTES))
    seq = room.head + 1
    frame = speech.encode(
        speech.Message(
            room=room.id,
            epoch=room.epoch,
            seq=seq,
            ts=turn.now_ms,
            user=speech.ref(me),
            mid=mid,
            cmid=str(op.cmid),
            text=op.text,
            reply_to=str(op.reply_to) if op.reply_to is not None else UNSET,
            files=files,
        )
    )
    if len(frame) > paging.MAX_EVENT_BYTES:
        raise TooLarge("This message is too large once it is encoded.")
    turn.charge(room)
    if files:
        store_messages.show_files(turn.store, seq, op.files)
    turn.store.answer(room.id, me.id)
    turn.publish(room, turn.store.append(room, frame, mid=bytes.fromhex(mid.replace("-", ""))))
    return Done(b'{"mid":"%b","seq":%d,"ts":%d}' % (mid.encode(), seq, turn.now_ms))


@handles(History)
def history(turn: Turn, me: User, op: History) -> Done:
    """A page of stored events, side by side as they were pushed."""
    room = access.room_for(turn.store, me.id, op.room, History)
    window = paging.history_window(room.head, op.before, op.after)
    events = turn.store.events(room.id, window, op.limit)
    sizes = [len(event.frame) for event in events]
    if window.newest_first:
        shown = events[len(events) - paging.fit(sizes[::-1]) :]
        more = bool(shown) and shown[0].seq > window.low
    else:
        shown = events[: paging.fit(sizes)]
        more = bool(shown) and shown[-1].seq < window.high
    return Done(speech.history(room, [event.frame for event in shown], more=more))


def check_length(text: str) -> None:
    """Lets a text through.

    Raises:
        TooLarge: it has too many bytes.
    """
    if len(text) * 4 > MAX_TEXT_BYTES and len(text.encode()) > MAX_TEXT_BYTES:
        raise TooLarge(f"A text has at most {MAX_TEXT_BYTES} bytes of UTF-8.")


def _files(turn: Turn, me: User, room: Room, wanted: list[str]) -> list[speech.FileObject]:
    if len(set(wanted)) != len(wanted):
        raise BadRequest("A file is named twice.")
    return [file_object(access.own_file_in(turn.store, me.id, room, file_id), me) for file_id in wanted]


def file_object(file: StoredFile, by: User) -> speech.FileObject:
    """A file as clients see it."""
    return speech.FileObject(file.id, file.room, file.name, file.size, file.sha256, file.type, speech.ref(by), file.ts)
