"""Arrival: what a bare socket goes through on either port before anybody reads what it says.

    admitted ──▶ PROXY v2 header, if the peer is one of our proxies ──▶ client revealed ──▶ TLS, if the gateway ends it ──▶ handed over

The entrance is asked first, before a byte is read and before TLS costs anything. The header is read to its exact length (a `BufferedProtocol` is given a
buffer of just the bytes wanted), so what follows it stays in the socket for TLS or the owner. Header and handshake have a deadline each. While nothing
is to be read the socket is paused. Only the handshake is a task, because asyncio's way to TLS is a coroutine.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import structlog

from garita_common.core.errors import Busy
from garita_common.logs import Sparingly

from .connection import Ground
from .core import proxy_header
from .core.admission import Refusal, Refused, Ticket
from .core.proxy_header import NotProxy
from .entrance import Entrance, Farewell
from .errands import Errands

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Tls:
    """How a port ends TLS. Args: context: gives the one now in force, which may be another after the certificate was renewed."""

    context: Callable[[], ssl.SSLContext]
    handshakes: Errands
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Port:
    """One of the two ports.

    Args: name: for metrics and logs. words: what a refused socket is told, empty for nothing. take: gets the admitted socket, paused or not, to set its
    protocol. proxy_header: whether our own proxies begin with one. header_timeout_s: for that header.
    """

    name: str
    words: Callable[[Refused], bytes]
    take: Callable[[asyncio.Transport, Ticket], None]
    proxy_header: bool
    header_timeout_s: float
    tls: Tls | None = None


class Arrival(asyncio.BufferedProtocol):
    """One socket until it is handed over or turned away."""

    __slots__ = (
        "_entrance",
        "_filled",
        "_gone",
        "_ground",
        "_head",
        "_piece",
        "_port",
        "_sparingly",
        "_ticket",
        "_transport",
    )

    def __init__(self, ground: Ground, entrance: Entrance, port: Port, sparingly: Sparingly) -> None:
        """A socket that is not there yet."""
        self._ground = ground
        self._entrance = entrance
        self._port = port
        self._sparingly = sparingly
        self._transport: asyncio.Transport
        self._ticket: Ticket | None = None
        self._head = b""
        self._piece = bytearray()
        self._filled = 0
        self._gone = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asks the entrance before a byte is read."""
        self._transport = cast(
            "asyncio.Transport", transport
        )  # what a server's socket always has; uvloop's is no subclass
        verdict = self._entrance.enter(self._transport, self._port.name)
        if isinstance(verdict, Refused):
            self._turn_away(verdict)
            return
        self._ticket = verdict
        if verdict.proxied and self._port.proxy_header:
            self._piece = bytearray(proxy_header.HEAD_BYTES)
            self._ground.wheel.schedule(self, self._ground.clock.monotonic() + self._port.header_timeout_s)
        else:
            self._secure(verdict)

    # The header of our own proxy

    def get_buffer(self, sizehint: int) -> memoryview:
        """Room for just the bytes that are still wanted."""
        return memoryview(self._piece)[self._filled :]

    def buffer_updated(self, nbytes: int) -> None:
        """More of the header has come."""
        self._filled += nbytes
        ticket = self._ticket
        if ticket is None or self._gone:
            return
        try:
            self._read_header(ticket)
        except NotProxy as exc:
            self._no_header(ticket, exc.kind)

    def _read_header(self, ticket: Ticket) -> None:
        if not self._head and not proxy_header.could_begin(bytes(self._piece[: self._filled])):
            raise NotProxy("missing")
        if self._filled < len(self._piece):
            return
        if not self._head:
            self._head, self._filled = bytes(self._piece), 0
            self._piece = bytearray(proxy_header.rest_bytes(self._head))
            if self._piece:
                return
        client = proxy_header.client(self._head, bytes(self._piece))
        self._transport.pause_reading()
        self._ground.wheel.cancel(self)
        refused = self._entrance.reveal(ticket, client) if client is not None else None
        if refused is not None:
            self._leave()
            self._turn_away(refused)
        else:
            self._secure(ticket)

    def _no_header(self, ticket: Ticket, kind: str) -> None:
        """Our own proxy is set up otherwise than we are: nobody behind it can be told apart, so nobody comes in."""
        self._ground.metrics.refused.labels(f"proxy_{kind}").inc()
        if self._sparingly.due("proxy_header_refused", kind):
            log.warning(
                "proxy_header_refused", kind=kind, port=self._port.name, proxy=self._entrance.hashed(ticket.address)
            )
        self._leave()
        self._transport.abort()

    def due(self, now_s: float) -> None:
        """The header has not come in time."""
        if self._ticket is not None and not self._gone:
            self._no_header(self._ticket, "timeout")

    # TLS, and the end of the arrival

    def _secure(self, ticket: Ticket) -> None:
        if self._port.tls is None:
            self._hand_over(self._transport, ticket)
            return
        self._transport.pause_reading()  # the handshake reads on, from the first byte
        try:
            self._port.tls.handshakes.start("handshake", self._handshake(self._port.tls, self._finish))
        except Busy:
            self._leave()
            self._transport.abort()

    async def _handshake(self, tls: Tls, then: Callable[[asyncio.Transport], None]) -> None:
        """Puts TLS on the socket and goes on with `then`; whatever goes wrong is the peer's doing and ends only this socket."""
        early = _Early()
        try:
            secured = await asyncio.get_running_loop().start_tls(
                self._transport,
                early,
                tls.context(),
                server_side=True,
                ssl_handshake_timeout=tls.timeout_s,
                ssl_shutdown_timeout=self._ground.close_s,
            )
        except (OSError, RuntimeError) as exc:
            self._ground.metrics.refused.labels(f"tls_{_fault(exc)}").inc()
            secured = None
        if secured is None or early.lost or self._gone:
            self._leave()
            self._transport.abort()
            return
        then(secured)
        early.pass_on(secured)

    def _finish(self, secured: asyncio.Transport) -> None:
        if self._ticket is not None:
            self._hand_over(secured, self._ticket)

    def _hand_over(self, transport: asyncio.Transport, ticket: Ticket) -> None:
        self._ticket = None
        self._port.take(transport, ticket)
        transport.resume_reading()

    def _turn_away(self, refused: Refused) -> None:
        """Says what is to be said; where TLS is spoken only a ban is worth a handshake, and at most one a second and address is told."""
        words, tls = self._port.words(refused), self._port.tls
        if tls is None or not words:
            Farewell(self._transport, self._ground, words)
            return
        if refused.refusal is not Refusal.BANNED:
            self._transport.abort()
            return
        self._transport.pause_reading()
        try:
            tls.handshakes.start(
                "handshake", self._handshake(tls, lambda secured: _farewell(secured, self._ground, words))
            )
        except Busy:
            self._transport.abort()

    def _leave(self) -> None:
        self._ground.wheel.cancel(self)
        self._gone = True
        if self._ticket is not None:
            self._entrance.leave(self._ticket)
            self._ticket = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone before it was handed over."""
        self._leave()


class _Early(asyncio.Protocol):
    """Stands behind TLS until the handshake's task goes on: what comes in that moment is kept."""

    def __init__(self) -> None:
        self._data: list[bytes] = []
        self._eof = False
        self.lost = False

    def data_received(self, data: bytes) -> None:
        """A first request that came with the end of the handshake."""
        self._data.append(data)

    def eof_received(self) -> None:
        """The peer has said all it wants to."""
        self._eof = True

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone."""
        self.lost = True

    def pass_on(self, transport: asyncio.Transport) -> None:
        """Gives the new protocol what was kept."""
        protocol = cast("asyncio.Protocol", transport.get_protocol())  # ours all read by `data_received`
        for data in self._data:
            protocol.data_received(data)
        if self._eof and not transport.is_closing():
            protocol.eof_received()
            transport.close()


def _farewell(transport: asyncio.Transport, ground: Ground, words: bytes) -> None:
    Farewell(transport, ground, words)


def _fault(exc: Exception) -> str:
    """A failed handshake as a constant for metrics."""
    if isinstance(exc, ssl.SSLError):
        return "http" if exc.reason == "HTTP_REQUEST" else "failed"
    if isinstance(exc, ConnectionResetError):
        return "left"
    return "timeout" if isinstance(exc, ConnectionAbortedError | TimeoutError) else "failed"
