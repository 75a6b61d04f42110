"""Repeats: when a request is one that was answered before.

Sender and `cmid` name a request for ever. Its content is compared by a SHA-256 over what was really said: the request's number on its connection
is left out, and so is every field that has its default value, so that a field added in a later version does not turn an old request into another one.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

import msgspec

from garita_common.core.errors import Conflict
from garita_common.core.frames import Change

_encode = msgspec.msgpack.Encoder(uuid_format="bytes").encode
_OWN_FIELDS: dict[type[Change], tuple[tuple[str, Any], ...]] = {}


@dataclass(frozen=True, slots=True)
class Kept:
    """The first answer to a request: the content it answered, and the fields of the answer as a JSON object."""

    digest: bytes
    body: bytes


def digest(op: Change) -> bytes:
    """What a request says, as 32 bytes."""
    fields = _OWN_FIELDS.get(type(op)) or _own_fields(type(op))
    said: list[Any] = [op.__struct_config__.tag]
    for name, default in fields:
        value = getattr(op, name)
        if value != default:
            said += (name, value)
    return hashlib.sha256(_encode(said)).digest()


def check_repeat(kept: Kept, content: bytes) -> None:
    """Lets a repeat through.

    Raises:
        Conflict: the same `cmid`, but another content.
    """
    if kept.digest != content:
        raise Conflict("This cmid was used for another request.")


def _own_fields(kind: type[Change]) -> tuple[tuple[str, Any], ...]:
    fields = []
    for field in msgspec.structs.fields(kind):
        if field.name in {"id", "cmid"}:
            continue
        default = field.default_factory() if field.default_factory is not msgspec.NODEFAULT else field.default
        fields.append((field.name, default))
    _OWN_FIELDS[kind] = tuple(fields)
    return _OWN_FIELDS[kind]
