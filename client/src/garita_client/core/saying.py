"""What the client says: frames with their ids, and what follows from the answer to one."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from garita_common.core.frames import Change, HintOp, RoomOp

from .backoff import repeat_delay_s
from .errors import RequestRefused
from .hearing import ErrorAnswer

CHANGES: frozenset[str] = frozenset(
    str(kind.__struct_config__.tag) for kind in RoomOp.__args__ if issubclass(kind, Change)
)
"""The operations that carry a `cmid`."""

HINTS: frozenset[str] = frozenset(str(kind.__struct_config__.tag) for kind in HintOp.__args__)
"""The operations that are said in passing: no `id`, no answer but an error."""

PONG = b'{"op":"pong"}'
MAX_REQUEST_ID = 2**32 - 1

Fields = Mapping[str, object]
_encode = msgspec.json.Encoder().encode


def request(op: str, request_id: int, fields: Fields) -> bytes:
    """One request; fields that are None are left out."""
    return _encode({"op": op, "id": request_id, **{key: value for key, value in fields.items() if value is not None}})


def hint(op: str, room: str, fields: Fields) -> bytes:
    """Something said in passing about a room.

    Raises:
        ValueError: the operation is not a hint; the server would end the connection after a few of those.
    """
    if op not in HINTS:
        raise ValueError(f"{op!r} is not said in passing.")
    return _encode({"op": op, "room": room, **fields})


def chunk_ack(transfer: str, offset: int) -> bytes:
    """All bytes of a transfer before `offset` have arrived here."""
    return _encode({"op": "chunk_ack", "transfer": transfer, "offset": offset})


def with_cmid(op: str, fields: Fields, drawn: UUID) -> dict[str, object]:
    """The fields of a request, with a `cmid` where the operation needs one and the caller gave none."""
    named = dict(fields)
    if op in CHANGES and named.get("cmid") is None:
        named["cmid"] = str(drawn)
    return named


def next_id(last: int) -> int:
    """The id after `last`; it starts anew long after the first ones were answered."""
    return last + 1 if last < MAX_REQUEST_ID else 1


@dataclass(frozen=True, slots=True)
class Repeat:
    """Ask the same again, on the same connection, after a while."""

    after_s: float


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Ask the same again on a new connection with a new token."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the caller."""

    error: RequestRefused


def judge(answer: ErrorAnswer, *, repeats: int, fraction: float) -> Repeat | Reconnect | Refuse:
    """What an error answer asks for. `repeats`: how often this request was repeated already; `fraction`: random in [0, 1)."""
    if answer.code in ("token_expired", "unauthenticated"):
        return Reconnect()
    if answer.temporary:
        return Repeat(repeat_delay_s(repeats, answer.retry_after_ms, fraction))
    return Refuse(RequestRefused(answer.code, answer.message))
