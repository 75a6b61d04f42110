"""The WebSocket transport after the upgrade: frames through `core.rfc6455`, with no task and none of the HTTP server's code.

What the RFC forbids is a violation like any other and ends with our codes; a close frame of the peer is answered with its own code, a ping with its payload.
After our own close frame the peer's is awaited for a second, as RFC 6455 §7.1.1 wants the server to end the TCP connection; but it is looked for in few
frames only, since to take apart what a flooding peer goes on sending costs more than all else that is done for it.
"""

import asyncio
from typing import ClassVar

from garita_common.core.errors import BadFrame, CloseCode, FrameTooLarge

from .connection import Connection, Desk
from .core import rfc6455
from .core.admission import Ticket
from .core.rfc6455 import RfcCode, Violation
from .ground import Ground
from .transports import finish_writing

MAX_FRAMES_AFTER_CLOSE = 64


class WebSocketConnection(Connection):
    """One WebSocket client."""

    transport_name: ClassVar[str] = "websocket"
    slot: ClassVar[int] = 1
    __slots__ = ("_broken", "_frames_after_close", "_reader")

    def __init__(self, ground: Ground, desk: Desk, port: int, limits: rfc6455.Limits | None = None) -> None:
        """The connection before its upgrade is answered. Args: limits: of messages; None for the session's own."""
        super().__init__(ground, desk, port)
        self._reader = rfc6455.Reader(limits or self.session)
        self._broken = False
        self._frames_after_close = 0

    @staticmethod
    def frame_json(data: bytes) -> bytes:
        """A text frame."""
        return rfc6455.frame(rfc6455.TEXT, data)

    @staticmethod
    def frame_chunk(payload: bytes) -> bytes:
        """A binary frame."""
        return rfc6455.frame(rfc6455.BINARY, payload)

    def take_over(self, transport: asyncio.Transport, ticket: Ticket, upgrade: bytes, first: bytes) -> None:
        """Answers the upgrade on a socket whose request was accepted. Args: first: bytes that came after the request's head."""
        transport.set_protocol(self)
        transport.write(upgrade)
        self.start(transport, ticket)
        if first:
            self.data_received(first)

    def data_received(self, data: bytes) -> None:
        """Takes what a read has brought."""
        try:
            self._read(data)
        except Exception as exc:  # noqa: BLE001 - the edge: whatever a peer sends ends at most its own connection
            self._desk.failed(self, "read", exc)

    def _read(self, data: bytes) -> None:
        if self._broken:
            return
        now_s = self._ground.clock.monotonic()
        self.bytes_in += len(data)
        try:
            for message in self._reader.feed(data):
                if self.closed:
                    if self._is_over(message):
                        return
                elif message is None:
                    self.pay(0, now_s, control=True)
                else:
                    self._take(message, now_s)
        except Violation as exc:
            if not self.closed:
                self._violated(exc)
            self._stop_reading()  # the peer's close is not awaited (§7.1.7)

    def _is_over(self, message: rfc6455.Message | None) -> bool:
        """Whether a frame that comes after our close is the last that is looked at."""
        if message is not None and message.opcode == rfc6455.CLOSE:
            self.transport.close()
            return True
        self._frames_after_close += 1
        if self._frames_after_close <= MAX_FRAMES_AFTER_CLOSE:
            return False
        self._stop_reading()
        return True

    def _stop_reading(self) -> None:
        """Nothing of the peer is read any more: what still comes is dropped until it is cut off."""
        self._broken = True
        if not self.transport.is_closing():
            finish_writing(self.transport)

    def _take(self, message: rfc6455.Message, now_s: float) -> None:
        opcode, payload = message
        if opcode == rfc6455.TEXT:
            self.take_json(payload, now_s)
        elif opcode == rfc6455.BINARY:
            self.take_chunk(payload, now_s)
        elif opcode == rfc6455.CLOSE:
            self._answer_close(payload)
        else:
            self.pay(len(payload), now_s, control=True)
            if opcode == rfc6455.PING:
                self.enqueue(rfc6455.frame(rfc6455.PONG, payload))

    def _violated(self, exc: Violation) -> None:
        """Ends the connection for what the RFC or a limit forbids."""
        self.refuse(_error_of(exc))

    def _answer_close(self, payload: bytes) -> None:
        code = rfc6455.read_close(payload)
        self._part(code)
        if not self.transport.is_closing():
            self.transport.close()

    def _part(self, code: int) -> None:
        """Ends the conversation with a plain close frame, after what was queued before."""
        self.left()
        if not self.transport.is_closing():
            self.transport.write(rfc6455.close_frame(code))
            self._ground.wheel.schedule(self, self._ground.clock.monotonic() + self._ground.close_s)

    def _say_goodbye(self, code: CloseCode, reason: str) -> None:
        self.transport.write(rfc6455.close_frame(code, reason))


def _error_of(violation: Violation) -> BadFrame | FrameTooLarge:
    """A violation of the RFC as the error that the protocol has for it."""
    if violation.code is RfcCode.TOO_BIG:
        return FrameTooLarge()
    byte = violation.byte if violation.byte >= 0 else None
    return BadFrame("This is not a WebSocket frame that may be sent here.", kind=violation.kind, byte=byte)
