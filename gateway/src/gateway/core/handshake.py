"""The head of the first HTTP request on a connection, and the WebSocket upgrade (RFC 6455 §4.2) as values.

Only what decides is read: where the request goes, and for `/v1/socket` every header of the upgrade. Anything ambiguous (a header twice that may come
once, a body, a bare line feed, an unprintable byte) is refused rather than interpreted, since whoever stands between client and gateway may read it
differently. Requests for anything else are passed on to the HTTP server as they came.
"""

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SOCKET_PATH = "/v1/socket"
SUBPROTOCOL = "garita.v1"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e\x80-\xff]?(?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?")
_REQUEST = re.compile(r"([A-Z]{1,16}) (\S{1,4096}) HTTP/1\.([01])")
_REASONS = {
    400: "Bad Request",
    403: "Forbidden",
    426: "Upgrade Required",
    429: "Too Many Requests",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


class Rejected(Exception):
    """A request that is answered without an upgrade. `kind` is a constant for metrics."""

    def __init__(self, status: int, kind: str, sentence: str) -> None:
        """Args: status: the HTTP status; sentence: what the peer reads."""
        super().__init__(sentence)
        self.status = status
        self.kind = kind
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Head:
    """A request's first lines; header names are in lower case, values in the order they came."""

    method: str
    target: str
    minor: int
    headers: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.split("?", 1)[0]

    def one(self, name: str) -> str | None:
        """The value of a header that may come once.

        Raises:
            Rejected: it came more than once.
        """
        values = self.headers.get(name)
        if values is None:
            return None
        if len(values) != 1:
            raise Rejected(400, "duplicate_header", f"The header {name} may come only once.")
        return values[0]

    def tokens(self, name: str) -> list[str]:
        """The comma-separated words of a header, all its lines together, in the case they came in."""
        return [word.strip() for value in self.headers.get(name, ()) for word in value.split(",") if word.strip()]


def parse_head(data: bytes) -> Head:
    """The head that `data` is: everything up to and with the empty line.

    Raises:
        Rejected: it is no HTTP/1.x request head.
    """
    lines = data.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    request = _REQUEST.fullmatch(lines[0])
    if request is None:
        raise Rejected(400, "request_line", "This is not an HTTP/1.1 request.")
    headers: dict[str, list[str]] = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        value = value.strip(" \t")
        if not colon or not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
            raise Rejected(400, "header", "A header of this request is malformed.")
        headers.setdefault(name.lower(), []).append(value)
    return Head(request[1], request[2], int(request[3]), headers)


def accept(head: Head, origins: Iterable[str] | None, subprotocol: str = SUBPROTOCOL) -> bytes:
    """The 101 answer to an upgrade request for a socket.

    Args: origins: browsers' origins that may come; empty: none may; None: all may. subprotocol: the one that is required; empty: none is, and none taken.

    Raises:
        Rejected: it is not an upgrade we take: 403 for an origin, 426 for another version, else 400.
    """
    if head.method != "GET" or head.minor != 1 or head.one("host") is None:
        raise Rejected(400, "not_upgrade", "Open a WebSocket here: GET, HTTP/1.1, with a Host.")
    if "content-length" in head.headers or "transfer-encoding" in head.headers:
        raise Rejected(400, "body", "An upgrade request has no body.")
    if "websocket" not in (word.lower() for word in head.tokens("upgrade")):
        raise Rejected(426, "not_upgrade", "Open a WebSocket here.")
    if "upgrade" not in (word.lower() for word in head.tokens("connection")):
        raise Rejected(400, "not_upgrade", "The Connection header does not say upgrade.")
    origin = head.one("origin")
    if origin is not None and origins is not None and origin not in origins:
        raise Rejected(403, "origin", "Pages of this origin may not connect here.")
    if head.one("sec-websocket-version") != "13":
        raise Rejected(426, "version", "Only WebSocket version 13 is spoken here.")
    if subprotocol and subprotocol not in head.tokens("sec-websocket-protocol"):
        raise Rejected(400, "subprotocol", f"The subprotocol {subprotocol} is required.")
    key = head.one("sec-websocket-key")
    if key is None or not _is_key(key):
        raise Rejected(400, "key", "The Sec-WebSocket-Key is not 16 bytes in base64.")
    digest = hashlib.sha1(key.encode() + _GUID, usedforsecurity=False).digest()
    chosen = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    return (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {base64.b64encode(digest).decode()}\r\n{chosen}\r\n"
    ).encode()


def refusal(status: int, fields: Mapping[str, Any], *, retry_after_s: float | None = None) -> bytes:
    """A whole HTTP answer with a JSON body, after which the connection ends."""
    body = json.dumps(dict(fields), separators=(",", ":")).encode()
    lines = [
        f"HTTP/1.1 {status} {_REASONS.get(status, 'Error')}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Cache-Control: no-store",
        "Connection: close",
    ]
    if retry_after_s is not None:
        lines.append(f"Retry-After: {max(1, min(3600, int(retry_after_s + 0.999)))}")
    if status == 426:
        lines += ["Upgrade: websocket", "Sec-WebSocket-Version: 13"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _is_key(key: str) -> bool:
    try:
        return len(base64.b64decode(key, validate=True)) == 16
    except (binascii.Error, ValueError):
        return False
