"""One connection, from `connect` to its end: requests out, answers and pushes in, pings answered, a dead line noticed.

What is heard goes to a `Listener` at once and in order, before the next frame is looked at: the cursors depend on it. A link never comes
back; `client` makes the next one.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from .core import saying
from .core.endings import Ending
from .core.errors import GaritaError
from .core.hearing import BadServerFrame, ChunkAck, Disconnect, ErrorAnswer, Event, Ok, Ping, parse
from .core.replies import Connected, Renewed, read_reply
from .transport import Frame, Transport, TransportClosed


class LinkLost(GaritaError):
    """The connection ended before the answer came."""


class LinkEnded(Exception):
    """Ends the link's tasks; carries why."""

    def __init__(self, ending: Ending, detail: str = "") -> None:
        """Args: detail: for a person who asks why."""
        super().__init__(detail or ending.reason)
        self.ending = ending
        self.detail = detail or ending.reason


class Listener(Protocol):
    """Who hears what the server says by itself. Its methods return at once."""

    def heard(self, event: Event) -> None:
        """A push that is an event."""
        ...

    def refused(self, error: ErrorAnswer) -> None:
        """An error that answers no request."""
        ...

    def chunk(self, payload: bytes) -> None:
        """A piece of a file."""
        ...

    def acknowledged(self, transfer: str, offset: int) -> None:
        """A piece of an upload has arrived."""
        ...


@dataclass(frozen=True, slots=True)
class Timing:
    """The client's deadlines and the shape of its backoff, in seconds; tests make them short."""

    open_s: float = 10.0
    connect_s: float = 15.0
    answer_s: float = 15.0
    """Longer than the 5 s after which the gateway itself says `busy`: without any answer by then the request is asked again."""
    dead_after_ping_s: float = 15.0
    """How much later than its ping interval (whose length the server varies by 10 %) the server may be silent."""
    backoff_base_s: float = 0.5
    backoff_ceiling_s: float = 30.0
    good_after_s: float = 30.0


@dataclass(slots=True)
class _Question:
    """A request under way."""

    answer: asyncio.Future[Ok | ErrorAnswer]
    on_ok: Callable[[Ok], None] | None


class Link:
    """One connection; `run` it in a task group, ask it after `connect` was answered."""

    def __init__(self, transport: Transport, listener: Listener, timing: Timing) -> None:
        """Args: transport: open, and closed by whoever opened it."""
        self._transport = transport
        self._listener = listener
        self._timing = timing
        self._questions: dict[int, _Question] = {}
        self._last_id = 0
        self._last_heard = time.monotonic()
        self._silence_s = timing.connect_s
        self._failed = asyncio.Event()
        self._failure = ""
        self.gone = asyncio.Event()

    @property
    def over(self) -> bool:
        """Whether nothing can be asked any more."""
        return self._failed.is_set() or self.gone.is_set()

    def fail(self, why: str) -> None:
        """Ends the link from outside; nothing more is heard on it. May be called while it hears."""
        self._failure = why
        self._failed.set()

    async def connect(self, token: str, client: str, resume: dict[str, object], on_ok: Callable[[Ok], None]) -> None:
        """Says `connect`, once `read` runs.

        Raises:
            LinkEnded: the server refuses, or does not answer in time.
        """
        fields = {"v": 1, "token": token, "client": client, "resume": resume}
        try:
            answer = await self.ask("connect", fields, on_ok=on_ok, timeout_s=self._timing.connect_s)
        except TimeoutError as exc:
            raise LinkEnded(Ending(), "the server did not answer connect") from exc
        if isinstance(answer, ErrorAnswer):
            code = 4403 if answer.code == "token_expired" else None
            raise LinkEnded(Ending(code, answer.message, answer.retry_after_ms or 0), answer.message)

    def connected(self, reply: Connected) -> None:
        """From now on a silence longer than the ping interval means that the line is dead."""
        self._silence_s = reply.ping_interval_ms / 1000 + self._timing.dead_after_ping_s

    async def ask(
        self,
        op: str,
        fields: saying.Fields,
        *,
        on_ok: Callable[[Ok], None] | None = None,
        timeout_s: float | None = None,
    ) -> Ok | ErrorAnswer:
        """One request and its answer. `on_ok` is called with a good answer before anything that came after it is heard.

        Raises:
            LinkLost: the connection ended first.
            TimeoutError: no answer in time; the connection may be well.
        """
        if self.over:
            raise LinkLost("The connection has ended.")
        request_id = self._last_id = saying.next_id(self._last_id)
        answer: asyncio.Future[Ok | ErrorAnswer] = asyncio.get_running_loop().create_future()
        self._questions[request_id] = _Question(answer, on_ok)
        try:
            async with asyncio.timeout(timeout_s or self._timing.answer_s):
                try:
                    await self._transport.send(saying.request(op, request_id, fields))
                except TransportClosed as exc:
                    self.fail(str(exc))
                    raise LinkLost("The connection has ended.") from exc
                return await answer
        finally:
            self._questions.pop(request_id, None)

    async def say(self, data: bytes, *, chunk: bool = False) -> None:
        """Sends what has no answer: a hint, `chunk_ack`, a chunk.

        Raises:
            LinkLost: the connection has ended.
        """
        try:
            await self._transport.send(data, chunk=chunk)
        except TransportClosed as exc:
            self.fail(str(exc))
            raise LinkLost("The connection has ended.") from exc

    async def renew(self, token: str) -> int | None:
        """Shows a new token; the end that the server gives it, in Unix milliseconds, or None where it must be told by connecting anew."""
        answer = await self.ask("renew", {"token": token})
        return read_reply(answer, Renewed).expires if isinstance(answer, Ok) else None

    async def read(self) -> None:
        """Hears until the end.

        Raises:
            LinkEnded: always.
        """
        try:
            while True:
                for frame in await self._transport.receive():
                    await self._hear(frame)
                    if self._failed.is_set():
                        raise LinkEnded(Ending(), self._failure)
        except TransportClosed as exc:
            raise LinkEnded(exc.ending, str(exc)) from exc
        except BadServerFrame as exc:
            raise LinkEnded(Ending(), str(exc)) from exc

    async def watch(self) -> None:
        """Ends a line on which nothing was heard for too long (not even a ping), and one that was failed.

        Raises:
            LinkEnded: always.
        """
        while not self._failed.is_set():
            left_s = self._last_heard + self._silence_s - time.monotonic()
            if left_s <= 0:
                raise LinkEnded(Ending(), "nothing was heard from the server for too long")
            try:
                async with asyncio.timeout(left_s):
                    await self._failed.wait()
            except TimeoutError:
                continue
        raise LinkEnded(Ending(), self._failure)

    def end(self) -> None:
        """Every request that has no answer yet is told that none will come."""
        self.gone.set()
        for question in list(self._questions.values()):
            if not question.answer.done():
                question.answer.set_exception(LinkLost("The connection has ended."))
                question.answer.exception()  # who asked may have given up already
        self._questions.clear()

    async def _hear(self, frame: Frame) -> None:
        self._last_heard = time.monotonic()
        if frame.chunk:
            self._listener.chunk(frame.data)
            return
        match parse(frame.data):
            case Event() as event:
                self._listener.heard(event)
            case Ok() as answer:
                self._settle(answer.id, answer)
            case ErrorAnswer(id=int() as request_id) as refusal:
                self._settle(request_id, refusal)
            case ErrorAnswer() as refusal:
                self._listener.refused(refusal)
            case Ping():
                await self._transport.send(saying.PONG)
            case ChunkAck(transfer, offset):
                self._listener.acknowledged(transfer, offset)
            case Disconnect() as last:
                raise LinkEnded(Ending(last.code, last.reason, last.after_ms, last.until, last.appeal))

    def _settle(self, request_id: int, answer: Ok | ErrorAnswer) -> None:
        question = self._questions.get(request_id)
        if question is None:
            return
        if isinstance(answer, Ok) and question.on_ok is not None:
            question.on_ok(answer)
        if not question.answer.done():
            question.answer.set_result(answer)
