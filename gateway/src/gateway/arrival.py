"""Arrival: what a bare socket goes through on either port before anybody reads what it says.

    admitted ──▶ PROXY v2 header, if the peer is one of our proxies ──▶ client revealed ──▶ TLS, if the gateway ends it ──▶ handed over

The entrance is asked first, before a byte is read and before TLS costs anything. The header is read to its exact length (a `BufferedProtocol` is given a
buffer of just the bytes wanted), so what follows it stays in the socket for TLS or the owner. Header and handshake have a deadline each.
"""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import cast

import structlog

from garita_common.logs import Sparingly

from .core import proxy_header
from .core.admission import Refusal, Refused, Ticket
from .core.proxy_header import NotProxy
from .entrance import Entrance, Farewell
from .ground import Ground
from .tls import Tls

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class TlsEnd:
    """How a port ends TLS. Args: context: gives the one now in force, which is another after the certificate was renewed."""

    context: Callable[[], ssl.SSLContext]
    timeout_s: float


@dataclass(frozen=True, slots=True)
class Port:
    """One of the two ports.

    Args: name: for metrics and logs. words: what a refused socket is told, empty for nothing. take: gets the admitted socket. proxy_header: whether our
    own proxies begin with one. header_timeout_s: for that header.
    """

    name: str
    words: Callable[[Refused], bytes]
    take: Callable[[asyncio.Transport, Ticket], None]
    proxy_header: bool
    header_timeout_s: float
    tls: TlsEnd | None = None


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
        tls = self._port.tls
        if tls is None:
            self._hand_over(self._transport, ticket)
        else:
            Tls(self._transport, tls.context(), self._ground, tls.timeout_s, self._secured)

    def _secured(self, transport: Tls | None, reason: str) -> None:
        """The handshake is over."""
        if transport is None:
            self._ground.metrics.refused.labels(f"tls_{reason}").inc()
            self._leave()
        elif self._ticket is not None:
            self._hand_over(transport, self._ticket)

    def _hand_over(self, transport: asyncio.Transport, ticket: Ticket) -> None:
        self._ticket = None
        self._port.take(transport, ticket)

    def _turn_away(self, refused: Refused) -> None:
        """Says what is to be said; where TLS is spoken only a ban is worth a handshake, and at most one a second and address is told."""
        words, tls = self._port.words(refused), self._port.tls
        if tls is None or not words:
            Farewell(self._transport, self._ground, words)
        elif refused.refusal is not Refusal.BANNED:
            self._transport.abort()
        else:
            Tls(self._transport, tls.context(), self._ground, tls.timeout_s, partial(self._tell, words))

    def _tell(self, words: bytes, transport: Tls | None, reason: str) -> None:
        if transport is not None:
            Farewell(transport, self._ground, words)

    def _leave(self) -> None:
        self._ground.wheel.cancel(self)
        self._gone = True
        if self._ticket is not None:
            self._entrance.leave(self._ticket)
            self._ticket = None

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone before it was handed over."""
        self._leave()
