"""TLS on a socket that is open already, between its transport and whatever protocol comes to stand behind.

`loop.start_tls` would do but for three things: under uvloop the socket begins to be read before it can be paused for the handshake, each connection would
need a task and a read buffer of 256 KiB, and what waits to be written would wait in two places. Here OpenSSL works on two buffers in memory: bytes of the
socket go into one and come out as plain text, what is written comes out of the other and goes straight on. So flow control is the transport's own, all of
it is callbacks, and the handshake's deadline is the wheel's.

        protocol ◀─ data_received ─ Tls ◀─ data_received ─ transport
        protocol ── write ────────▶ Tls ── write ────────▶ transport
"""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any, cast

from .ground import Ground

_PIECE = 16 * 1024
"""One TLS record, which is also how much of a read goes into OpenSSL at a time: its buffers keep the largest size they ever had."""


class Tls(asyncio.Transport, asyncio.Protocol):
    """Both ends of TLS for one socket: the transport's protocol, and the protocol's transport."""

    __slots__ = (
        "_closing",
        "_ended",
        "_ground",
        "_handshaking",
        "_incoming",
        "_object",
        "_outgoing",
        "_paused",
        "_protocol",
        "_ready",
        "_transport",
    )

    def __init__(
        self,
        transport: asyncio.Transport,
        context: ssl.SSLContext,
        ground: Ground,
        timeout_s: float,
        ready: Callable[["Tls | None", str], None],
    ) -> None:
        """Begins the handshake.

        Args: ready: called once, with this transport to set its protocol, or with None and the reason when the handshake failed or the peer left; the
        socket is cut off then.
        """
        super().__init__()
        self._transport = transport
        self._ground = ground
        self._ready: Callable[[Tls | None, str], None] | None = ready
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._protocol: asyncio.Protocol | None = None
        self._handshaking = True
        self._closing = self._ended = self._paused = False
        ground.wheel.schedule(self, ground.clock.monotonic() + timeout_s)
        transport.set_protocol(self)

    # The transport's protocol

    def data_received(self, data: bytes) -> None:
        """Bytes of the socket."""
        for at in range(0, len(data), _PIECE):
            if self._ended:
                return
            self._incoming.write(data[at : at + _PIECE])
            if self._handshaking:
                self._shake_hands()
            if not self._handshaking:
                self._read()

    def eof_received(self) -> bool | None:
        """The peer's socket sends no more."""
        if self._handshaking:
            self._fail("left")
            return None
        return self._end_of_input()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self._ground.wheel.cancel(self)
        if self._handshaking:
            self._fail("left")
        elif self._protocol is not None:
            protocol, self._protocol = self._protocol, None
            protocol.connection_lost(exc)

    def pause_writing(self) -> None:
        """The peer reads slowly."""
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume_writing(self) -> None:
        """The peer reads again."""
        if self._protocol is not None:
            self._protocol.resume_writing()

    def due(self, now_s: float) -> None:
        """The handshake took too long, or its last words do."""
        if self._handshaking:
            if not self._ground.limits.enforcement.refuses("tls_timeout"):
                return
            self._fail("timeout")
        self._transport.abort()

    def _shake_hands(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLError as exc:
            self._flush()
            self._fail("http" if exc.reason == "HTTP_REQUEST" else "failed")
        else:
            self._flush()
            self._handshaking = False
            self._ground.wheel.cancel(self)
            self._tell(self, "")

    def _fail(self, reason: str) -> None:
        self._handshaking, self._ended, self._closing = False, True, True
        if not self._transport.is_closing():
            self._transport.close()  # after the alert, for which a peer that does not read has a second
            self._ground.wheel.schedule(self, self._ground.clock.monotonic() + self._ground.close_s)
        self._tell(None, reason)

    def _tell(self, transport: "Tls | None", reason: str) -> None:
        """Says once how the handshake went, and lets go of who is told."""
        ready, self._ready = self._ready, None
        if ready is not None:
            ready(transport, reason)

    def _read(self) -> None:
        """Hands on what is readable, until it is all or the protocol wants no more for now."""
        try:
            while not self._paused and not self._ended and self._protocol is not None:
                piece = self._object.read(_PIECE)
                if not piece:
                    self._end_of_input()
                    return
                self._protocol.data_received(piece)
        except ssl.SSLWantReadError:
            self._flush()
        except ssl.SSLZeroReturnError:
            self._end_of_input()
        except ssl.SSLError:
            self.abort()

    def _end_of_input(self) -> bool | None:
        """The peer has said goodbye, by TLS or by its socket; a protocol that wants to go on writing says so."""
        if self._ended:
            return None
        self._ended = True
        goes_on = self._protocol.eof_received() if self._protocol is not None else None
        if not goes_on:
            self.close()
        return goes_on

    # The protocol's transport

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Who hears the plain text from now on."""
        self._protocol = cast("asyncio.Protocol", protocol)  # all of ours take their data by `data_received`

    def get_protocol(self) -> asyncio.BaseProtocol:
        """Who hears it now."""
        return self if self._protocol is None else self._protocol

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """The socket's facts, and those of TLS."""
        if name == "ssl_object":
            return self._object
        if name == "sslcontext":
            return self._object.context
        return self._transport.get_extra_info(name, default)

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Encrypts and writes."""
        if self._closing or not data:
            return
        try:
            self._object.write(data)
        except ssl.SSLError:
            self.abort()
        else:
            self._flush()

    def can_write_eof(self) -> bool:
        """TLS says goodbye, then the socket does."""
        return True

    def write_eof(self) -> None:
        """Nothing more comes from here; what the peer still sends is read."""
        if not self._closing:
            self._say_goodbye()
            self._transport.write_eof()

    def close(self) -> None:
        """Ends the connection after what was written."""
        if not self._closing:
            self._say_goodbye()
        self._transport.close()

    def abort(self) -> None:
        """Cuts the socket off."""
        self._closing = True
        self._transport.abort()

    def is_closing(self) -> bool:
        """Whether nothing can be written any more."""
        return self._closing or self._transport.is_closing()

    def is_reading(self) -> bool:
        """Whether the peer is listened to."""
        return not self._paused

    def pause_reading(self) -> None:
        """The protocol wants no more for now."""
        self._paused = True
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """It wants more; what was read already comes first, in a turn of its own."""
        if self._paused:
            self._paused = False
            self._transport.resume_reading()
            asyncio.get_running_loop().call_soon(self._read)

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """The transport's."""
        self._transport.set_write_buffer_limits(high, low)

    def get_write_buffer_size(self) -> int:
        """Encrypted bytes that wait for the peer to read them."""
        return self._transport.get_write_buffer_size()

    def _say_goodbye(self) -> None:
        self._closing = True
        try:
            self._object.unwrap()
        except ssl.SSLError:
            pass  # the peer's own goodbye is not awaited (RFC 8446 §6.1)
        self._flush()

    def _flush(self) -> None:
        if self._outgoing.pending and not self._transport.is_closing():
            self._transport.write(self._outgoing.read())
