"""The entrance: bare sockets are admitted or turned away here, for both ports, before a byte of theirs is read.

`core.admission` decides; here the peer's address is read, refusals are counted, reported to the detector and logged sparingly, and the few that are told
why get their answer (`Farewell`). Everything else is cut off at once.
"""

import asyncio
from typing import Protocol

import structlog

from garita_common.core import activity, addresses
from garita_common.core.addresses import Address, Network
from garita_common.logs import AddressHash, Sparingly

from .clock import Clock
from .core.admission import Admission, Refusal, Refused, Ticket
from .ground import Ground
from .metrics import Metrics
from .transports import finish_writing

log = structlog.get_logger()

_NOWHERE = addresses.parse("0.0.0.0")  # noqa: S104 - stands for a peer without an address, nothing listens there


class Records(Protocol):
    """Where the detector's records go."""

    def emit(self, event: activity.Event) -> None:
        """Takes one in; never waits."""


class Entrance:
    """Admits sockets; one per process, for all its ports."""

    def __init__(
        self,
        admission: Admission,
        trusted: tuple[Network, ...],
        clock: Clock,
        metrics: Metrics,
        emitter: Records,
        hash_address: AddressHash,
    ) -> None:
        """Args: trusted: our own proxies, whose clients are told apart only by their headers."""
        self._admission = admission
        self._trusted = trusted
        self._clock = clock
        self._metrics = metrics
        self._emitter = emitter
        self._hash_address = hash_address
        self._sparingly = Sparingly(clock.monotonic)

    def enter(self, transport: asyncio.Transport, name: str) -> Ticket | Refused:
        """Asks for a new socket. Args: name: the port's, for metrics."""
        address = _peer(transport)
        now_s, now_ms = self._clock.monotonic(), self._clock.unix_ms()
        proxied = addresses.is_in(address, self._trusted)
        verdict = self._admission.enter(address, now_s, now_ms, proxied=proxied)
        if isinstance(verdict, Refused):
            self._report(verdict, address)
        else:
            self._metrics.accepted.labels(name).inc()
        return verdict

    def forwarded(self, ticket: Ticket, forwarded_for: str | None) -> Refused | None:
        """Looks behind our own proxy by `X-Forwarded-For`; a no-op for a ticket whose peer is none."""
        if not ticket.proxied:
            return None
        return self.reveal(ticket, addresses.client_address(ticket.address, forwarded_for, self._trusted))

    def reveal(self, ticket: Ticket, client: Address) -> Refused | None:
        """Our own proxy has named its client, which may be another proxy of ours."""
        if addresses.is_in(client, self._trusted):
            ticket.address = client
            return None
        return self._noted(
            self._admission.reveal(ticket, client, self._clock.monotonic(), self._clock.unix_ms()), client
        )

    def page(self, ticket: Ticket) -> Refused | None:
        """The connection turned out to be for pages."""
        return self._noted(self._admission.page(ticket, self._clock.monotonic()), ticket.address)

    def hashed(self, address: Address) -> str:
        """An address as it may stand in a log."""
        return self._hash_address(str(address))

    def give_back(self, ticket: Ticket) -> None:
        """The connection has shown a valid token."""
        self._admission.give_back(ticket, self._clock.monotonic())

    def leave(self, ticket: Ticket) -> None:
        """The socket is gone."""
        self._admission.leave(ticket)

    def _noted(self, refused: Refused | None, address: Address) -> Refused | None:
        if refused is not None:
            self._report(refused, address)
        return refused

    def _report(self, refused: Refused, address: Address) -> None:
        reason = refused.refusal.value
        self._metrics.refused.labels(reason).inc()
        if self._sparingly.due("refused", reason):
            log.info("refused", reason=reason, address=self._hash_address(str(address)))
        if refused.refusal in (Refusal.NODE_CONNECTIONS, Refusal.NODE_ATTEMPTS):
            return  # our own fullness says nothing about this address
        self._emitter.emit(
            activity.RateHit(
                ts_ms=self._clock.unix_ms(),
                src="gateway",
                ip=str(address),
                ip_prefix=addresses.unit(address),
                limit=reason,
            )
        )


class Farewell(asyncio.Protocol):
    """The last words to a socket that is turned away; what it sends is not looked at, and a second later it is cut off."""

    def __init__(self, transport: asyncio.Transport, ground: Ground, words: bytes) -> None:
        """Args: words: what is said; empty cuts the socket off at once."""
        self._transport = transport
        self._ground = ground
        transport.set_protocol(self)
        if not words or transport.is_closing():
            transport.abort()
            return
        transport.write(words)
        finish_writing(transport)
        ground.wheel.schedule(self, ground.clock.monotonic() + ground.close_s)

    def due(self, now_s: float) -> None:
        """The second is over."""
        self._transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The peer has gone first."""
        self._ground.wheel.cancel(self)


def _peer(transport: asyncio.Transport) -> Address:
    """The address at the other end; an unknown one stands for itself and is counted as any other."""
    name = transport.get_extra_info("peername")
    try:
        return addresses.parse(name[0].split("%", 1)[0])
    except (TypeError, ValueError, IndexError, AttributeError):
        return _NOWHERE
