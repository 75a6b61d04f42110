"""The HTTP port: our protocol stands between the socket and everything that speaks HTTP.

A socket comes admitted (`arrival.py`). The head of the first request is gathered, within its bytes and seconds, and read. `/v1/socket` is upgraded
here and the socket handed to `WebSocketConnection`; every other request goes on to the HTTP server as it came, and this protocol stays in between as a
pass that also cuts off whoever stops reading. A socket request that comes as a later one on a kept connection is refused by the HTTP server's
own route: WebSockets are opened on a connection of their own.
"""

import asyncio
from collections.abc import Callable

from .connection import Desk
from .core import handshake
from .core.admission import Refusal, Refused, Ticket
from .core.handshake import Head, Rejected
from .entrance import Entrance, Farewell
from .ground import Ground
from .transports import prepare
from .websocket import WebSocketConnection

_END = b"\r\n\r\n"


class Front(asyncio.Protocol):
    """One socket on the HTTP port, until it is a WebSocket or gone."""

    __slots__ = (
        "_buffer",
        "_desk",
        "_entrance",
        "_ground",
        "_inner",
        "_over",
        "_settings",
        "_slow_since_s",
        "_ticket",
        "_transport",
    )

    def __init__(self, ground: Ground, desk: Desk, entrance: Entrance, settings: "FrontSettings") -> None:
        """A socket that is not there yet."""
        self._ground = ground
        self._desk = desk
        self._entrance = entrance
        self._settings = settings
        self._buffer = b""
        self._inner: asyncio.Protocol | None = None
        self._ticket: Ticket | None = None
        self._transport: asyncio.Transport
        self._slow_since_s: float | None = None
        self._over = False

    def take_over(self, transport: asyncio.Transport, ticket: Ticket) -> None:
        """Takes an admitted socket over."""
        self._transport = transport
        self._ticket = ticket
        transport.set_protocol(self)
        self._ground.metrics.connections.labels("http").inc()
        self._ground.wheel.schedule(self, self._ground.clock.monotonic() + self._settings.header_timeout_s)

    def data_received(self, data: bytes) -> None:
        """Gathers the first head, then passes on."""
        if self._inner is not None:
            self._inner.data_received(data)
            return
        if self._over or self._ticket is None:
            return
        try:
            self._gather(data, self._ticket)
        except Rejected as exc:
            self._ground.metrics.refused.labels(f"http_{exc.kind}").inc()
            self._turn_away(handshake.refusal(exc.status, {"code": exc.kind, "message": exc.sentence}), self._ticket)
        except Exception as exc:  # noqa: BLE001 - the edge: whatever a peer sends ends at most its own connection
            self._settings.failed(exc)
            self._transport.abort()

    def due(self, now_s: float) -> None:
        """The head took too long, or the peer of a page has stopped reading."""
        refuses = self._ground.limits.enforcement.refuses
        if self._inner is None and refuses("header_timeout"):
            self._ground.metrics.refused.labels("header_timeout").inc()
            self._transport.abort()
        elif self._slow_since_s is not None and refuses("slow_reader"):
            self._ground.metrics.refused.labels("slow_reader").inc()
            self._transport.abort()

    def pause_writing(self) -> None:
        """The peer reads slowly: it has so long to go on."""
        if self._inner is not None:
            self._slow_since_s = self._ground.clock.monotonic()
            self._ground.wheel.schedule(self, self._slow_since_s + self._settings.idle_s)
            self._inner.pause_writing()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._inner is not None:
            self._slow_since_s = None
            self._ground.wheel.cancel(self)
            self._inner.resume_writing()

    def eof_received(self) -> bool | None:
        """The peer sends no more."""
        return self._inner.eof_received() if self._inner is not None else None

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._ground.wheel.cancel(self)
        if self._ticket is not None and not self._over:
            self._over = True
            self._ground.metrics.connections.labels("http").dec()
            self._entrance.leave(self._ticket)
        if self._inner is not None:
            self._inner.connection_lost(exc)

    def _gather(self, data: bytes, ticket: Ticket) -> None:
        buffer = self._buffer + data
        end = buffer.find(_END, max(0, len(self._buffer) - len(_END)))
        if end > self._settings.header_bytes - len(_END) or (end < 0 and len(buffer) > self._settings.header_bytes):
            raise Rejected(431, "header_bytes", "The headers of this request are too large.")
        if end < 0:
            self._buffer = buffer
            return
        self._buffer = b""
        end += len(_END)
        head = handshake.parse_head(buffer[:end])
        is_socket = self._settings.socket_path in ("", head.path)
        refused = self._entrance.forwarded(ticket, _forwarded_for(head))
        if refused is None and not is_socket:
            refused = self._entrance.page(ticket)
        if refused is not None:
            self._turn_away(refusal_of(refused), ticket)
        elif is_socket:
            self._upgrade(head, buffer[end:], ticket)
        else:
            self._pass_on(buffer)

    def _upgrade(self, head: Head, rest: bytes, ticket: Ticket) -> None:
        answer = handshake.accept(head, self._settings.origins, self._settings.subprotocol)
        self._ground.wheel.cancel(self)
        self._over = True  # the ticket and the socket belong to the WebSocket from here on
        self._ground.metrics.connections.labels("http").dec()
        connection = self._settings.make_socket(self._ground, self._desk, self._settings.port)
        connection.take_over(self._transport, ticket, answer, rest)

    def _pass_on(self, buffer: bytes) -> None:
        self._ground.wheel.cancel(self)
        prepare(self._transport, self._ground.sndbuf_bytes)
        self._transport.set_write_buffer_limits(high=0)  # any byte that waits is waited for, see `pause_writing`
        inner = self._settings.make_inner()
        self._inner = inner
        inner.connection_made(self._transport)
        inner.data_received(buffer)

    def _turn_away(self, words: bytes, ticket: Ticket) -> None:
        if not self._over:
            self._ground.metrics.connections.labels("http").dec()
            self._entrance.leave(ticket)
        self._over = True
        self._ground.wheel.cancel(self)
        Farewell(self._transport, self._ground, words)


class FrontSettings:
    """What the HTTP port is set to."""

    def __init__(
        self,
        *,
        header_timeout_s: float,
        header_bytes: int,
        idle_s: float,
        origins: frozenset[str] | None,
        make_inner: Callable[[], asyncio.Protocol],
        failed: Callable[[Exception], None],
        port: int,
        make_socket: Callable[[Ground, Desk, int], WebSocketConnection] = WebSocketConnection,
        socket_path: str = handshake.SOCKET_PATH,
        subprotocol: str = handshake.SUBPROTOCOL,
    ) -> None:
        """What the gateway is set to, but for a server of another kind behind the same door.

        Args: origins: that may open sockets, None for all. make_inner: a protocol of the HTTP server. failed: told about a fault of ours. port: the one
        it listens on. socket_path: where sockets are, empty for everywhere. subprotocol: required of them, empty for none.
        """
        self.header_timeout_s = header_timeout_s
        self.header_bytes = header_bytes
        self.idle_s = idle_s
        self.origins = origins
        self.make_inner = make_inner
        self.failed = failed
        self.port = port
        self.make_socket = make_socket
        self.socket_path = socket_path
        self.subprotocol = subprotocol


def refusal_of(refused: Refused) -> bytes:
    """What a refused HTTP socket is told; nothing, where nothing is to be told."""
    if not refused.told:
        return b""
    if refused.refusal is Refusal.BANNED and refused.ban is not None:
        ban = refused.ban
        told = {
            "code": "banned",
            "message": ban.sentence,
            "reason": ban.reason,
            "until": ban.until_ms,
            "appeal": ban.appeal,
        }
        return handshake.refusal(403, told)
    told = {"code": "rate_limited", "message": "Too many connections from here.", "reason": refused.refusal.value}
    return handshake.refusal(429, told, retry_after_s=refused.retry_after_s)


def _forwarded_for(head: Head) -> str | None:
    values = head.headers.get("x-forwarded-for")
    return ",".join(values) if values else None
