"""The TCP transport: five bytes of header, then JSON or a chunk."""

import asyncio
from typing import ClassVar

from garita_common.core import pushes
from garita_common.core.errors import BadFrame, CloseCode, FrameTooLarge
from garita_common.core.wire import Kind, encode_frame

from .connection import Connection, Desk
from .core import tcp_frames
from .core.admission import Refusal, Refused, Ticket
from .ground import Ground
from .transports import finish_writing


class TcpConnection(Connection):
    """One TCP client."""

    transport_name: ClassVar[str] = "tcp"
    slot: ClassVar[int] = 0
    __slots__ = ("_reader",)

    def __init__(self, ground: Ground, desk: Desk, port: int) -> None:
        """A connection before its socket."""
        super().__init__(ground, desk, port)
        self._reader = tcp_frames.Reader(self.session)

    @staticmethod
    def frame_json(data: bytes) -> bytes:
        """Kind 0x01."""
        return encode_frame(Kind.JSON, data)

    @staticmethod
    def frame_chunk(payload: bytes) -> bytes:
        """Kind 0x02."""
        return encode_frame(Kind.CHUNK, payload)

    def take_over(self, transport: asyncio.Transport, ticket: Ticket) -> None:
        """Takes an admitted socket over."""
        transport.set_protocol(self)
        self.start(transport, ticket)

    def data_received(self, data: bytes) -> None:
        """Takes what a read has brought."""
        if self.closed:
            return
        try:
            self._read(data)
        except Exception as exc:  # noqa: BLE001 - the edge: whatever a peer sends ends at most its own connection
            self._desk.failed(self, "read", exc)

    def _read(self, data: bytes) -> None:
        now_s = self._ground.clock.monotonic()
        self.bytes_in += len(data)
        try:
            for kind, payload in self._reader.feed(data):
                if kind is Kind.JSON:
                    self.take_json(payload, now_s)
                else:
                    self.take_chunk(payload, now_s)
                if self.closed:
                    return
        except (BadFrame, FrameTooLarge) as exc:
            self.refuse(exc)

    def _say_goodbye(self, code: CloseCode, reason: str) -> None:
        finish_writing(self.transport)


def words_of(refused: Refused) -> bytes:
    """What a refused TCP socket is told: a ban; a limit is a plain close."""
    if refused.refusal is not Refusal.BANNED or refused.ban is None or not refused.told:
        return b""
    ban = refused.ban
    told = pushes.disconnect(CloseCode.BANNED, ban.sentence, until_ms=ban.until_ms, appeal=ban.appeal)
    return encode_frame(Kind.JSON, told)
