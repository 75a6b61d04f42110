"""One socket of the load: connects, keeps requests in flight, counts what it hears, answers pings.

It is a protocol object and nothing more, and it looks at as few bytes as it can: the eighth of a payload tells the operation, an answer's id stands at a
fixed place. A client that `follows` decodes messages, checks that each comes once and in order, and keeps the cursors to come back with; one that
`counts` looks at nothing but the number of bytes (and for pings), so that a thousand members can be served by one process.
"""

import asyncio
import time
from typing import TYPE_CHECKING, cast

import msgspec

from bench.load import wire
from bench.load.wire import CONNECT_ID, FIRST_REQUEST, RENEW_ID, TCP

if TYPE_CHECKING:
    from bench.load.crew import Crew

PING = b'{"op":"ping"}'
PONG = b'{"op":"pong"}'
_OP = 7
_ID = 16
_OK, _MESSAGE, _ERROR, _PING = b"omep"
_now = time.perf_counter


class Seat(msgspec.Struct):
    """What a client is to be. `bare`: its answers come in the order of its requests, and their ids are of no meaning."""

    mark: int
    transport: int
    host: str
    port: int
    token: str
    source: str = ""
    rooms: list[str] = []
    follows: bool = False
    counts: bool = False
    bare: bool = False


class _Heard(msgspec.Struct):
    """What a follower looks at in a message."""

    room: str
    epoch: str
    seq: int
    cmid: str


class _Place(msgspec.Struct):
    epoch: str
    head: int
    recovered: bool


class _Greeting(msgspec.Struct):
    rooms: dict[str, _Place]


_heard = msgspec.json.Decoder(_Heard)
_greeting = msgspec.json.Decoder(_Greeting)


class Client(asyncio.Protocol):
    """One connection; `Crew` has many."""

    __slots__ = (
        "_crew", "_rest", "_sent", "_templates", "_turn", "_upgraded", "bytes_in", "connected", "cursors", "heard", "kept", "last",
        "number", "out", "samples", "seat", "transport", "wanted",
    )  # fmt: skip

    def __init__(self, crew: "Crew", seat: Seat) -> None:
        """Not connected. `heard` are the messages, `kept` how many requests it keeps in flight while the crew sends."""
        self._crew = crew
        self.seat = seat
        self._templates = [wire.template(seat.transport, seat.mark, room, crew.text) for room in seat.rooms]
        self._turn = 0
        self.number = 0
        self.heard = 0
        self.bytes_in = 0
        self.kept = 0
        self.cursors: dict[str, tuple[str, int]] = {}
        self.samples: dict[str, bytes] = {}
        self.connected = False
        self.transport: asyncio.Transport | None = None
        self.wanted: asyncio.Future[None] | None = None
        self._reset()

    def _reset(self) -> None:
        self._rest = b""
        self._upgraded = self.seat.transport == TCP
        self._sent: dict[int, float] = {}
        self.out: list[bytes] = []
        self.last = b""

    @property
    def in_flight(self) -> int:
        """Requests that wait for their answer."""
        return len(self._sent)

    # Sending

    def hello(self) -> bytes:
        """All that a connection begins with, in one write."""
        seat = self.seat
        resume = b",".join(
            b'"%b":["%b",%d]' % (room.encode(), *_bytes(cursor)) for room, cursor in self.cursors.items()
        )
        connect = b'{"op":"connect","id":%d,"v":1,"token":"%b","resume":{%b}}' % (
            CONNECT_ID,
            seat.token.encode(),
            resume,
        )
        framed = wire.framed(seat.transport, connect)
        return framed if seat.transport == TCP else wire.upgrade(seat.host, seat.mark) + framed

    def request(self, at_s: float) -> bytes:
        """The next message, in the books as sent at `at_s`."""
        number = self.number = self.number + 1
        self._sent[FIRST_REQUEST + number] = at_s
        shape = self._templates[self._turn]
        self._turn = (self._turn + 1) % len(self._templates)
        if self._crew.tracks:
            self._crew.track(f"{self.seat.mark:08x}-0000-4000-8000-{number:012x}", at_s)
        return shape % (FIRST_REQUEST + number, number)

    def say(self, at_s: float) -> None:
        """Sends one message now."""
        if self.transport is not None:
            self.transport.write(self.request(at_s))

    def fill(self) -> None:
        """Brings the requests in flight to `kept`."""
        at_s = _now()
        if self.transport is not None:
            self.transport.write(b"".join(self.request(at_s) for _ in range(self.kept - len(self._sent))))

    def renew(self, token: str) -> None:
        """Asks to stay on with a newer token; `wanted` is told of the answer."""
        frame = b'{"op":"renew","id":%d,"token":"%b"}' % (RENEW_ID, token.encode())
        self._write(wire.framed(self.seat.transport, frame))

    # The socket

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Says everything at once: the server reads on when it is ready."""
        self._reset()
        self.transport = cast("asyncio.Transport", transport)  # what a socket always has
        self.transport.write(self.hello())

    def data_received(self, data: bytes) -> None:
        """Counts, or looks at each frame."""
        self.bytes_in += len(data)
        if self.seat.counts and self.connected:
            if PING in data:
                self.bytes_in -= len(wire.answer(self.seat.transport, PING))
                self._write(wire.framed(self.seat.transport, PONG))
            return
        if self._rest:
            data = self._rest + data
        if not self._upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            if not data.startswith(b"HTTP/1.1 101"):
                self._fail("refused")
                return
            self._upgraded = True
            data = data[end + 4 :]
        self._take(data)

    def _take(self, data: bytes) -> None:
        now_s = _now()
        over = 0
        for start, end in wire.frames(self.seat.transport, data):
            over = end
            op = data[start + _OP]
            if op == _MESSAGE and data[start + _OP + 2] == 115:  # "message", not "member"
                self.heard += 1
                if self.seat.follows:
                    self._follow(data[start:end], now_s)
                if self._crew.samples:
                    self.samples["push"] = data[start:end]
            elif op == _OK:
                self._answered(data, start, end, now_s)
            elif op == _PING and data[start:end] == PING:
                self.out.append(wire.framed(self.seat.transport, PONG))
            elif op == _ERROR or op == 100:
                self._refused(data[start:end])
        self._rest = data[over:] if over < len(data) else b""
        if self.out:
            out, self.out = self.out, []
            self._write(b"".join(out))

    def _answered(self, data: bytes, start: int, end: int, now_s: float) -> None:
        if not self.connected:
            self._greeted(data[start:end])
            return
        sent = self._sent
        if self.seat.bare:
            at_s = sent.pop(next(iter(sent)), None) if sent else None
        else:
            at_s = sent.pop(int(data[start + _ID : start + _ID + 7]), None)
        if at_s is None:
            self._settle(None)  # of a renewal
            return
        if self._crew.samples:
            self.samples["ack"] = data[start:end]
        if self._crew.acknowledged(at_s, now_s) and self.kept:
            self.out.append(self.request(now_s))

    def _greeted(self, frame: bytes) -> None:
        self.connected = True
        self.samples["greeting"] = frame
        if self.seat.follows and not self.seat.bare:
            for room, place in _greeting.decode(frame).rooms.items():
                if not place.recovered:
                    self._crew.unrecovered += room in self.cursors
                    self.cursors[room] = (place.epoch, place.head)
        self._settle(None)

    def _follow(self, frame: bytes, now_s: float) -> None:
        message = _heard.decode(frame)
        epoch, seq = self.cursors.get(message.room, (message.epoch, message.seq - 1))
        if message.seq != seq + 1 or message.epoch != epoch:
            self._crew.out_of_order += 1
        self.cursors[message.room] = (message.epoch, message.seq)
        self._crew.delivered(message.cmid, now_s)

    def _refused(self, frame: bytes) -> None:
        self.last = frame
        if frame.startswith(b'{"op":"error"'):
            self._crew.errors += 1
            told = msgspec.json.decode(frame)
            at_s = self._sent.pop(told.get("id", 0), None)
            if not self.connected:
                self._fail(str(told.get("code")))
            elif at_s is not None and self.kept:
                self._crew.later(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self.transport = None
        if self.connected:
            self.connected = False
            self._crew.lost += 1
        self._settle(ConnectionError(self.last.decode(errors="replace") or "closed"))

    def _fail(self, why: str) -> None:
        self.last = self.last or why.encode()
        if self.transport is not None:
            self.transport.abort()

    def _settle(self, error: Exception | None) -> None:
        wanted, self.wanted = self.wanted, None
        if wanted is not None and not wanted.done():
            if error is None:
                wanted.set_result(None)
            else:
                wanted.set_exception(error)

    def _write(self, data: bytes) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(data)


def _bytes(cursor: tuple[str, int]) -> tuple[bytes, int]:
    return cursor[0].encode(), cursor[1]
