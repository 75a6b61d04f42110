"""What a TCP and a WebSocket connection have in common: identity, session, output, closing.

A connection is a protocol object and nothing more: no task, no timer of its own. Reading is a callback, writing is the transport's,
time comes from the wheel. Nothing here waits. An exception in a callback ends this connection with 4402 and touches no other.

Output goes straight to the transport, which writes once per turn of the loop whatever it was given in it. `enqueue` is the transport's own `write` as long as
nothing is in the way, so that a message costs a member no more than that; it is another function while the transport holds much (then each write is measured,
and more than `queue_bytes` waiting closes with 4408), while there is a backlog of missed events after a resume (what is live comes after it; it is written only
while the transport holds little, so that catching up does not look like a slow consumer), and when the connection is over.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from typing import ClassVar, Protocol

from garita_common.core import pushes
from garita_common.core.errors import AppError, BadFrame, CloseCode, FrameTooLarge
from garita_common.core.tokens import Claims

from .core.admission import Ticket
from .core.progress import Progress
from .core.session import End, Session, Step
from .ground import Ground
from .transports import LOW_WATER, prepare


class Desk(Protocol):
    """Where a connection's steps are carried out."""

    def opened(self, connection: "Connection") -> None:
        """A connection was admitted."""

    def step(self, connection: "Connection", step: Step) -> None:
        """Carries a step out."""

    def ended(self, connection: "Connection", code: CloseCode | None) -> None:
        """The connection is over for us (once): by our code, or None when the peer left."""

    def lost(self, connection: "Connection") -> None:
        """The socket is gone."""

    def rerouted(self, connection: "Connection") -> None:
        """`enqueue` is another function now."""

    def failed(self, connection: "Connection", where: str, exc: Exception) -> None:
        """An exception reached the edge."""


class Connection(asyncio.Protocol):
    """One client's socket; subclasses add the framing."""

    transport_name: ClassVar[str]
    slot: ClassVar[int]
    """The place of this transport's form in a tuple of framed bytes: 0 TCP, 1 WebSocket."""

    __slots__ = (
        "_backlog",
        "_backlog_bytes",
        "_choked",
        "_desk",
        "_ground",
        "_held_bytes",
        "_paused_until_s",
        "_progress",
        "bytes_in",
        "claims",
        "closed",
        "enqueue",
        "feeds",
        "id",
        "in_flight",
        "ip",
        "opened_ms",
        "port",
        "reason",
        "session",
        "ticket",
        "transport",
        "user",
    )

    def __init__(self, ground: Ground, desk: Desk, port: int) -> None:
        """Args: port: the port it came in by, for the record."""
        self._ground = ground
        self._desk = desk
        self.port = port
        self.id = ground.next_id()
        self.session = Session(ground.limits, ground.clock.monotonic(), ground.draw_jitter())
        self.transport: asyncio.Transport
        self.ticket: Ticket
        self.claims: Claims | None = None
        self.ip = ""
        self.user = ""
        self.feeds: set[str] = set()
        self.in_flight = 0
        self.closed = False
        self.reason = ""
        self.bytes_in = 0
        self.opened_ms = ground.clock.unix_ms()
        self.enqueue: Callable[[bytes], None] = _nowhere
        """Takes finished frames; it neither waits nor ends the connection by itself."""
        self._choked = False
        self._backlog: deque[bytes] | None = None
        self._backlog_bytes = self._held_bytes = 0
        self._paused_until_s: float | None = None
        self._progress = Progress()

    @staticmethod
    def frame_json(data: bytes) -> bytes:
        """A JSON operation as it goes over this transport."""
        raise AssertionError("a subclass frames")

    @staticmethod
    def frame_chunk(payload: bytes) -> bytes:
        """A chunk as it goes over this transport."""
        raise AssertionError("a subclass frames")

    def start(self, transport: asyncio.Transport, ticket: Ticket) -> None:
        """Takes an admitted socket over."""
        self.transport = transport
        self.ticket = ticket
        self.ip = str(ticket.address)  # every command carries it
        prepare(transport, self._ground.sndbuf_bytes)
        self.enqueue = transport.write
        self.reschedule()
        self._desk.opened(self)

    @property
    def is_straight(self) -> bool:
        """Whether `enqueue` is the transport's own `write`."""
        return self.enqueue == self.transport.write

    # Input

    def take_json(self, payload: bytes, now_s: float) -> None:
        """One JSON frame: paid for, judged, carried out."""
        self._ground.metrics.json_in.inc()
        self.pay(len(payload), now_s)
        if self.closed:
            return
        step = self.session.json_frame(payload, now_s)
        if step is not None:
            self._desk.step(self, step)

    def take_chunk(self, payload: bytes, now_s: float) -> None:
        """One chunk frame."""
        self._ground.metrics.chunks_in.inc()
        self.pay(len(payload), now_s, upload=True)
        step = self.session.chunk_frame(payload, now_s)
        if step is not None:
            self._desk.step(self, step)

    def pay(self, size: int, now_s: float, *, upload: bool = False, control: bool = False) -> None:
        """Charges a frame's bytes; reading pauses where they are over their budget."""
        if control:
            self._ground.metrics.control_in.inc()
        due = self.session.pay_bytes(size, now_s, upload=upload, control=control)
        if isinstance(due, End):
            self._desk.step(self, due)
        elif due > 0.0:
            self._pause(now_s + due, now_s)

    def refuse(self, exc: BadFrame | FrameTooLarge) -> None:
        """Ends the connection for a frame that may not be."""
        if isinstance(exc, BadFrame):
            self._desk.step(self, End(CloseCode.MALFORMED, exc.sentence, violation=exc))
        else:
            self._desk.step(self, End(CloseCode.FRAME_TOO_LARGE, exc.sentence, limit="frame_bytes"))

    def fault(self, request_id: int | None, error: AppError) -> None:
        """Answers an error and counts it."""
        self._desk.step(self, self.session.fault(request_id, error, self._ground.clock.monotonic()))

    def _pause(self, until_s: float, now_s: float) -> None:
        if self.closed or self.transport.is_closing():
            return
        if self._paused_until_s is None:
            self.transport.pause_reading()
            self._ground.metrics.pauses.inc()
            self._paused_until_s = until_s
        else:
            self._paused_until_s = max(self._paused_until_s, until_s)
        self.reschedule()

    # Output

    def send_json(self, data: bytes) -> None:
        """Queues a JSON operation."""
        self.enqueue(self.frame_json(data))

    def send_chunk(self, payload: bytes) -> None:
        """Queues a chunk."""
        self.enqueue(self.frame_chunk(payload))

    def enqueue_passing(self, framed: bytes) -> bool:
        """Queues what may be lost, where at most half of the queue is used; whether it did."""
        if self.closed or self.queued_bytes() * 2 > self._ground.queue_bytes:
            return False
        self.enqueue(framed)
        return True

    def catch_up(self, frames: Iterable[bytes]) -> None:
        """Queues JSON pushes that were missed; what is queued from now on comes after them.

        A member reads them at its own pace: they do not count towards the queue's limit.
        """
        framed = [self.frame_json(frame) for frame in frames]
        if self.closed or not framed:
            return
        if self._backlog is None:
            self._backlog = deque()
            self._route(self._hold)
        self._backlog.extend(framed)
        self._backlog_bytes += sum(map(len, framed))
        self._pump()

    def queued_bytes(self) -> int:
        """How much waits for the client to read it."""
        return self.transport.get_write_buffer_size() + self._backlog_bytes

    @property
    def is_idle(self) -> bool:
        """Whether nothing is being answered, and nothing waits to be read."""
        return self.in_flight == 0 and self.queued_bytes() == 0

    def _route(self, enqueue: Callable[[bytes], None]) -> None:
        if self.enqueue != enqueue:
            self.enqueue = enqueue
            self._desk.rerouted(self)

    def _write_measured(self, framed: bytes) -> None:
        """`enqueue` while the transport holds much, or held something when it was last looked at."""
        self._progress.wrote(len(framed))
        self.transport.write(framed)
        self._measure()

    def _measure(self) -> None:
        if self.transport.get_write_buffer_size() > self._ground.queue_bytes:
            self._give_up()

    def _hold(self, framed: bytes) -> None:
        """`enqueue` while there is a backlog."""
        if self._backlog is not None:
            self._backlog.append(framed)
            self._backlog_bytes += len(framed)
            self._held_bytes += len(framed)
            if self._held_bytes > self._ground.queue_bytes:
                self._give_up()

    def _give_up(self) -> None:
        """Nothing more is queued, and the connection is closed after this turn: whoever queues may be walking over members."""
        self._route(_nowhere)
        asyncio.get_running_loop().call_soon(self.close, CloseCode.SLOW_CONSUMER, "Too much was waiting to be read.")

    def _pump(self) -> None:
        """Writes of the backlog what the transport may hold now; it says `resume_writing` when it can take more."""
        backlog, transport = self._backlog, self.transport
        while backlog and not self._choked and not transport.is_closing():
            piece: list[bytes] = []
            size = 0
            while backlog and size < LOW_WATER:
                framed = backlog.popleft()
                piece.append(framed)
                size += len(framed)
            self._backlog_bytes -= size
            self._progress.wrote(size)
            transport.write(b"".join(piece))
        if not backlog:
            self._backlog, self._held_bytes = None, 0
            self._route(self._writer())

    def _writer(self) -> Callable[[bytes], None]:
        """What `enqueue` is without a backlog."""
        return self._write_measured if self._choked or self._progress.is_watched else self.transport.write

    def _look_at_output(self, now_s: float) -> None:
        """Ends a connection on which something has waited for `write_timeout_s`, so that a peer cannot stay by reading next to nothing."""
        if self._progress.is_stuck(self.transport.get_write_buffer_size(), now_s, self._ground.write_timeout_s):
            self._ground.metrics.refused.labels("write_timeout").inc()
            self._give_up()
        elif self._backlog is None and self.enqueue is not _nowhere:
            self._route(self._writer())

    # The end

    def close(
        self,
        code: CloseCode,
        reason: str,
        *,
        after_ms: int = 0,
        until_ms: int | None = None,
        appeal: str | None = None,
    ) -> None:
        """Says `disconnect`, ends the transport, and cuts it off after a second; what was queued before still goes first."""
        if self.closed:
            return
        told = pushes.disconnect(code, reason, after_ms=after_ms, until_ms=until_ms, appeal=appeal)
        self._end(code)
        if self.transport.is_closing():
            return
        self._resume()
        self.transport.write(self.frame_json(told))
        self._say_goodbye(code, reason)
        self._ground.wheel.schedule(self, self._ground.clock.monotonic() + self._ground.close_s)

    def left(self) -> None:
        """The peer has ended the conversation by itself."""
        if not self.closed:
            self._end(None)

    def abort(self) -> None:
        """Cuts the socket off."""
        self.transport.abort()

    def failed(self, where: str, exc: Exception) -> None:
        """A fault of ours in something done for this connection."""
        self._desk.failed(self, where, exc)

    def _end(self, code: CloseCode | None) -> None:
        self.closed = True
        self._route(_nowhere)
        self._backlog, self._backlog_bytes = None, 0
        self.reason = str(int(code)) if code is not None else "peer"
        self._desk.ended(self, code)

    def _say_goodbye(self, code: CloseCode, reason: str) -> None:
        """Ends the transport's own conversation."""
        raise AssertionError("a subclass closes")

    # Time

    def reschedule(self) -> None:
        """Tells the wheel when this connection next needs it."""
        at_s = self.session.deadline_s
        if self._paused_until_s is not None:
            at_s = min(at_s, self._paused_until_s)
        self._ground.wheel.schedule(self, at_s)

    def due(self, now_s: float) -> None:
        """A deadline, a ping, the end of a pause."""
        try:
            self._on_time(now_s)
        except Exception as exc:  # noqa: BLE001 - the edge: the sweep goes on with the next connection
            self._desk.failed(self, "due", exc)

    def _on_time(self, now_s: float) -> None:
        if self.closed:
            self.abort()
            return
        if self._paused_until_s is not None and now_s >= self._paused_until_s:
            self._resume()
        self._look_at_output(now_s)
        step = self.session.tick(now_s)
        if step is not None:
            self._desk.step(self, step)
        if not self.closed:
            self.reschedule()

    def _resume(self) -> None:
        if self._paused_until_s is not None:
            self._paused_until_s = None
            if not self.transport.is_closing():
                self.transport.resume_reading()

    # Callbacks that both transports share

    def pause_writing(self) -> None:
        """The transport holds much: from now on each write is measured, as the one that led here is."""
        self._choked = True
        if self._backlog is None and self.enqueue is not _nowhere:
            self._route(self._write_measured)
            self._measure()

    def resume_writing(self) -> None:
        """The transport holds little again: a backlog goes on."""
        self._choked = False
        if self.enqueue is not _nowhere:
            self._pump()

    def eof_received(self) -> None:
        """The peer sends no more; a half-open connection is of no use here, so the transport closes itself."""
        self.left()

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        self.left()
        self._ground.wheel.cancel(self)
        self._desk.lost(self)


def _nowhere(_: bytes) -> None:
    """`enqueue` of a connection that is over."""
