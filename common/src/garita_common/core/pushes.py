"""What the server says: answers and pushes as JSON, built in one place so that their shape is the documented one.

`ok` and `error` answer a request by its `id`; everything else has none.
"""

from typing import Any

import msgspec

from .errors import AppError, Busy, CloseCode

_encode = msgspec.json.Encoder().encode


def ok(request_id: int, fields: dict[str, Any] | None = None) -> bytes:
    """`{"op":"ok","id":…, …fields}`."""
    return _encode({"op": "ok", "id": request_id, **(fields or {})})


def error(request_id: int | None, exc: AppError) -> bytes:
    """`{"op":"error","id":…,"code":…,"message":…,"temporary":…}`, with `retry_after_ms` and `outcome` where there are such."""
    frame: dict[str, Any] = {"op": "error", "code": exc.code, "message": exc.sentence, "temporary": exc.temporary}
    if request_id is not None:
        frame["id"] = request_id
    if exc.retry_after_ms is not None:
        frame["retry_after_ms"] = exc.retry_after_ms
    if isinstance(exc, Busy) and exc.outcome is not None:
        frame["outcome"] = exc.outcome
    return _encode(frame)


def push(op: str, fields: dict[str, Any]) -> bytes:
    """`{"op":…, …fields}`."""
    return _encode({"op": op, **fields})


def disconnect(
    code: CloseCode, reason: str, *, after_ms: int = 0, until_ms: int | None = None, appeal: str | None = None
) -> bytes:
    """The last thing said before a close: `reconnect` tells whether to come back, `after_ms` when at the earliest."""
    frame: dict[str, Any] = {
        "op": "disconnect",
        "code": int(code),
        "reason": reason,
        "reconnect": code.reconnect,
        "after_ms": after_ms,
    }
    if until_ms is not None:
        frame["until"] = until_ms
    if appeal is not None:
        frame["appeal"] = appeal
    return _encode(frame)
