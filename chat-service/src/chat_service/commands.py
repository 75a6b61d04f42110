"""One command in, one reply out: who asks, whether it is a repeat, which handler, which error.

The order is the rule (docs/architecture.md §4.4): the repeat is looked up first, permission is asked by the handler through `access`, and only a
request that passed takes a `seq`. An `AppError` becomes an answer here, once; it must come before the command's first write, else the whole
transaction is given up (`HalfDone`).
"""

from typing import TypeAlias, assert_never
from uuid import UUID

import msgspec

from garita_common.core import pushes, records
from garita_common.core.errors import AppError, BadRequest
from garita_common.core.frames import (
    Change,
    Edit,
    Read,
    Received,
    Report,
    Request,
    RoomOp,
    Search,
    Send,
    Typing,
    UploadFinish,
)
from garita_common.core.records import (
    NO_REQUEST,
    Answered,
    AskRefused,
    Attach,
    Command,
    CompareHeads,
    GatewayAsk,
    Here,
    RecordUpload,
    Recover,
    Repair,
    Reply,
)

from . import amendments, asks, files, messages, moderation, passing, repeats, rooms  # noqa: F401 - handlers
from .core import idempotency, speech
from .core.idempotency import Kept
from .core.rooms import User
from .handling import HANDLERS
from .turn import Asked, Done, Reported, Sent, Turn, Typed

AskOp: TypeAlias = Attach | Recover | Repair | CompareHeads | RecordUpload
PassingOp: TypeAlias = Here | Read | Received | Typing
SaidOp: TypeAlias = Send | Edit
Readable: TypeAlias = RoomOp | GatewayAsk | AppError
Refusable: TypeAlias = Answered | AskRefused
"""Unions that are asked for with every command have names: written out in `isinstance`, each would be built anew each time."""


class HalfDone(Exception):
    """A command was refused after it had changed something; its transaction must not stay."""


def execute(turn: Turn, gateway: str, command: Command, op: Readable) -> Reply | None:
    """Carries out one command; there is nothing to answer to what is said in passing, and not yet to a search.

    Args: op: what `read` gave for it.

    Raises:
        HalfDone: see the class.
    """
    if isinstance(op, AppError):
        turn.tally[("unreadable", op.code)] += 1
        return refusal(command, op)
    name = str(op.__struct_config__.tag)
    me = turn.store.see_user(command.user, command.name) if command.user else User("", "")
    before = turn.store.writes
    try:
        if isinstance(op, AskOp):
            reply: Reply | None = _ask(turn, me, command, op)
        elif isinstance(op, PassingOp):
            _pass(turn, me, gateway, command, op)
            reply = None
        elif isinstance(op, Search):
            turn.searches.append(Asked(gateway, command, op))
            return None
        else:
            reply = _answered(command, *_request(turn, me, gateway, command, op))
    except AppError as exc:
        if turn.store.writes != before:
            raise HalfDone from exc
        reply = refusal(command, exc)
    turn.tally[(name, code_of(reply))] += 1
    return reply


def refusal(command: Command, exc: AppError) -> Reply:
    """The reply that says an error: to the client, or to the gateway for what it asked for itself."""
    ask = read(command) if command.asked else None
    if ask is None or isinstance(ask, RecordUpload):
        request = None if command.request == NO_REQUEST else command.request
        return Answered(command.connection, command.user, command.request, pushes.error(request, exc), exc.code)
    room = ask.room if isinstance(ask, Recover | Repair) else ""
    return AskRefused(command.connection, command.user, room, exc.code)


def code_of(reply: Reply | None) -> str:
    """The error code that a reply says; "ok" if it says none."""
    return (reply.code or "ok") if isinstance(reply, Refusable) else "ok"


def op_name(command: Command) -> str:
    """The operation's name, from the fixed list of them, or "unreadable"."""
    op = read(command)
    return "unreadable" if isinstance(op, AppError) else str(op.__struct_config__.tag)


def read(command: Command) -> Readable:
    """What a command asks for, or what is wrong with it."""
    try:
        op: RoomOp | GatewayAsk = (records.decode_ask if command.asked else records.decode_room_op)(command.op)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return BadRequest("This request cannot be read.")
    return op


def _request(turn: Turn, me: User, gateway: str, command: Command, op: Request) -> tuple[Done, bool]:
    """The answer to a client's request, and whether it is a repeat's."""
    if not isinstance(op, Change):
        return HANDLERS[type(op)](turn, me, op), False
    done, dup = _once(turn, me, op)
    if isinstance(op, SaidOp) and not dup:
        turn.sent.append(Sent(gateway, command, op))
    if isinstance(op, Report) and done.about:
        turn.sent.append(Reported(gateway, command, op, done.about))
    return done, dup


def _once(turn: Turn, me: User, op: Change) -> tuple[Done, bool]:
    """Carries a change out unless it was already, in this or an earlier transaction."""
    content = idempotency.digest(op)
    kept = turn.store.kept(me.id, op.cmid.bytes)
    if kept is not None:
        idempotency.check_repeat(kept, content)
        return repeats.repeat(turn, me, op, kept), True
    done = HANDLERS[type(op)](turn, me, op)
    if done.body:
        turn.store.keep(me.id, op.cmid.bytes, Kept(content, done.body))
    return done, False


def _pass(turn: Turn, me: User, gateway: str, command: Command, op: PassingOp) -> None:
    match op:
        case Read() | Received():
            passing.mark(turn, me, op)
        case Typing():
            passing.typing(turn, me, op)
            turn.sent.append(Typed(gateway, command, op))
        case Here():
            passing.here(turn, me, is_here=op.here)
        case _:
            assert_never(op)


def _ask(turn: Turn, me: User, command: Command, ask: AskOp) -> Reply:
    match ask:
        case Attach():
            return asks.attach(turn, command.connection, me.id)
        case Recover():
            return asks.recover(turn, command.connection, me.id, ask)
        case Repair():
            return asks.repair(turn, command.connection, command.user, ask)
        case CompareHeads():
            return asks.compare_heads(turn, ask)
        case RecordUpload():
            return _answered(command, *_record(turn, me, ask))
        case _:
            assert_never(ask)


def _record(turn: Turn, me: User, ask: RecordUpload) -> tuple[Done, bool]:
    """The end of an `upload_finish`: kept under the client's own cmid, as if the client had said it whole."""
    try:
        op = UploadFinish(id=0, cmid=UUID(ask.cmid), upload=ask.upload)
    except ValueError as exc:
        raise BadRequest("This cmid is no UUID.") from exc
    content = idempotency.digest(op)
    kept = turn.store.kept(me.id, op.cmid.bytes)
    if kept is not None:
        idempotency.check_repeat(kept, content)
        return Done(kept.body), True
    done = files.record(turn, me, ask)
    if done.body:
        turn.store.keep(me.id, op.cmid.bytes, Kept(content, done.body))
    return done, False


def _answered(command: Command, done: Done, dup: bool) -> Answered:
    if done.error is not None:
        frame, code = pushes.error(command.request, done.error), done.error.code
    elif done.body:
        frame, code = speech.ok(command.request, done.body, dup=dup), ""
    else:
        frame, code = b"", ""
    return Answered(command.connection, command.user, command.request, frame, code, done.directive)
