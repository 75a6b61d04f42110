"""TCP frames without any I/O: bytes in, frames out.

A frame is judged at its first byte for its kind and at its fifth for its length, so the buffer never holds more than one frame within the limit in
force. A wrong first byte is named: when the whole beginning of a connection is an HTTP request line or a TLS hello it is told as such (a browser or
a scanner at the wrong port), in every other case it is `tcp_kind`. The judgement is made on what has come; nothing is waited for.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, Protocol

from garita_common.core.errors import BadFrame
from garita_common.core.wire import HEADER_BYTES, Kind, check_kind, parse_header

_HTTP = re.compile(rb"[A-Z]{3,16} \S{1,2048} HTTP/[0-9.]{1,3}\r?\n")
_TLS_HELLO = re.compile(rb"\x16\x03[\x00-\x04][\x00-\xff]{2}\x01")


class Limits(Protocol):
    """The limits now in force, in bytes of payload."""

    @property
    def json_limit(self) -> int:
        """For JSON."""

    @property
    def chunk_limit(self) -> int:
        """For chunks."""


class Frame(NamedTuple):
    """One whole frame."""

    kind: Kind
    payload: bytes


class Reader:
    """Takes bytes as they come; one per connection."""

    __slots__ = ("_begun", "_buffer", "_limits", "_wanted")

    def __init__(self, limits: Limits) -> None:
        """Args: limits: asked at every frame header."""
        self._limits = limits
        self._buffer = b""
        self._wanted = 0
        self._begun = False

    @property
    def held_bytes(self) -> int:
        """What is kept of an unfinished frame."""
        return len(self._buffer)

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that `data` completes, in order.

        Raises:
            BadFrame: while iterating, at a frame of an unknown kind.
            FrameTooLarge: at a length over the limit of its kind.
        """
        if self._buffer:
            data = self._buffer + data
            if len(data) < self._wanted:
                self._buffer = data
                return
            self._buffer = b""
        position, size = 0, len(data)
        while position < size:
            self._check_kind(data, position)
            if size - position < HEADER_BYTES:
                return self._keep(data, position, HEADER_BYTES)
            header = parse_header(
                memoryview(data)[position : position + HEADER_BYTES],
                json_limit=self._limits.json_limit,
                chunk_limit=self._limits.chunk_limit,
            )
            end = position + HEADER_BYTES + header.length
            if end > size:
                return self._keep(data, position, end - position)
            payload = data[position + HEADER_BYTES : end]
            position = end
            yield Frame(header.kind, payload)

    def _keep(self, data: bytes, position: int, wanted: int) -> None:
        self._buffer = data[position:]
        self._wanted = wanted

    def _check_kind(self, data: bytes, position: int) -> None:
        try:
            check_kind(data[position])
        except BadFrame as exc:
            if self._begun:
                raise
            raise BadFrame(exc.sentence, kind=beginning(data), byte=exc.byte) from exc
        self._begun = True


def beginning(data: bytes) -> str:
    """What a connection that begins with `data` is, where that is no frame."""
    if _HTTP.match(data):
        return "http_on_tcp"
    if _TLS_HELLO.match(data):
        return "tls_on_tcp"
    return "tcp_kind"
