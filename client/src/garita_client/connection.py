"""A connection that lasts: one object over as many links as it takes.

It comes back for ever (full jitter, the server's `after_ms`, a new token where one is needed) until the server says that there is no point
(45xx) or the program leaves the block. Requests wait for a link and are repeated, with the same `cmid`, until they are answered or their
deadline passes. Events come once and in order per room (`core.cursors`).
"""

import asyncio
import math
import random
import ssl
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from garita_common.core.errors import BadFrame
from garita_common.core.wire import parse_chunk

from .core import saying
from .core.addresses import Address, parse_address
from .core.backoff import Backoff
from .core.cursors import Cursor, Cursors, Delivery, Gap
from .core.endings import Again, Ending, Stop, decide, decide_without_token
from .core.errors import AuthRefused, Closed, Ended, GaritaError, NoAnswer, Unreachable
from .core.hearing import BadServerFrame, ErrorAnswer, Event, Ok
from .core.replies import Connected, HistoryPage, read_reply
from .inbox import Inbox
from .link import Link, LinkEnded, LinkLost, Timing
from .ports import AccessToken, TokenSource, TransferSink
from .transport import TransportClosed, open_transport

RENEW_AT = 0.6
"""The part of a token's life after which it is renewed: of 300 s that leaves two minutes for an accounts service that is away."""

RENEW_RETRY_S = 10.0
HISTORY_PAGE = 100


@dataclass(slots=True)
class Counters:
    """What happened on the way, for status lines and reports."""

    connections: int = 0
    repeats: int = 0
    rate_limited: int = 0
    busy: int = 0
    gaps: int = 0
    fills: int = 0


class LastingConnection:
    """See the module. `async with` it."""

    def __init__(
        self,
        address: str | Address,
        tokens: TokenSource,
        *,
        name: str = "garita-client",
        tls: ssl.SSLContext | None = None,
        timing: Timing | None = None,
        fraction: Callable[[], float] = random.random,
    ) -> None:
        """Args: address: `ws(s)://…`, `tcp://…` or `tls://…`; name: told to the server; fraction: random numbers in [0, 1)."""
        self.address = parse_address(address) if isinstance(address, str) else address
        self.counters = Counters()
        self.welcome: Connected | None = None
        self.trouble = ""
        self.link: Link | None = None
        self.transfers: dict[str, TransferSink] = {}
        self._tokens = tokens
        self._name = name
        self._tls = tls
        self._timing = timing or Timing()
        self._fraction = fraction
        self._cursors = Cursors()
        self._inbox = Inbox()
        self._link_stands = asyncio.Event()
        self._stands_since = math.inf
        self._link_tasks: asyncio.TaskGroup | None = None
        self._ended: Ended | None = None
        self._want_fresh = False
        self._tasks: asyncio.TaskGroup | None = None
        self._runner: asyncio.Task[None] | None = None

    # --- for the program ----------------------------------------------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._runner = self._tasks.create_task(self._run(), name="garita-client")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._tasks is not None  # noqa: S101 - set by __aenter__
        assert self._runner is not None  # noqa: S101 - set by __aenter__
        self._end(Closed("The client was closed."))
        if self._runner.done() and not self._runner.cancelled() and self._runner.exception() is not None:
            await self._tasks.__aexit__(
                kind, exc, trace
            )  # a fault of ours: the group has cancelled the block and tells why
            return
        self._runner.cancel()
        await self._tasks.__aexit__(None, None, None)  # an error of the block leaves it as itself, not in a group

    async def connected(self, *, timeout_s: float = 30.0) -> Connected:
        """Waits for a connection; what the server said to it.

        Raises:
            NoAnswer: none stands when the time is over; `trouble` says why.
            Ended: there will be none.
        """
        await self.standing_link("connect", time.monotonic() + timeout_s)
        assert self.welcome is not None  # noqa: S101 - set before the link stands
        return self.welcome

    @property
    def is_connected(self) -> bool:
        """Whether a connection stands now."""
        return self.link is not None

    def cursor(self, room: str) -> Cursor | None:
        """Up to where the events of a room have been heard."""
        return self._cursors.of(room)

    async def events(self) -> AsyncIterator[Event]:
        """Every event, once and in order per room. For one reader.

        Raises:
            Ended: the connection has ended for good (not when the program closed the client).
        """
        while True:
            try:
                event = await self._inbox.get()
            except Closed:
                return
            yield event

    def __aiter__(self) -> AsyncIterator[Event]:
        return self.events()

    async def standing_link(self, op: str, deadline: float, *, may_have_happened: bool = False) -> Link:
        """The link, once there is one.

        Raises:
            NoAnswer: the deadline has passed.
            Ended: there will be none.
        """
        while True:
            left_s = deadline - time.monotonic()
            if self._ended is not None:
                raise self._ended
            if left_s <= 0:
                raise NoAnswer(op, may_have_happened=may_have_happened)
            link = self.link
            if link is not None and not link.over:
                return link
            try:
                async with asyncio.timeout(left_s):
                    await (link.gone if link is not None else self._link_stands).wait()
            except TimeoutError as exc:
                raise NoAnswer(op, may_have_happened=may_have_happened) from exc

    # --- what the link hears ------------------------------------------------------------------------------------------------------

    def heard(self, event: Event) -> None:
        """A push; see `link.Listener`. What is said in passing moves no cursor, and is dropped for a program that reads slowly."""
        if event.is_passing:
            if not self._inbox.crowded:
                self._inbox.put([event])
            return
        if self._inbox.full():
            self._fail_link("the program reads its events too slowly")
            return
        try:
            self._inbox.put(self._cursors.heard(event))
        except Gap:
            self._gap()

    def refused(self, error: ErrorAnswer) -> None:
        """An error without `id`: one about a hint is told as `refused`; a transfer's is seen by its silence and begun anew."""
        if error.transfer is None and not self._inbox.crowded:
            self._inbox.put([Event(op="refused", kind=error.code, text=error.message)])

    def chunk(self, payload: bytes) -> None:
        """A piece of a download; see `link.Listener`."""
        try:
            piece = parse_chunk(payload)
        except BadFrame:
            return
        sink = self.transfers.get(piece.transfer)
        if sink is not None:
            sink.chunk(piece.offset, piece.data)

    def acknowledged(self, transfer: str, offset: int) -> None:
        """A piece of an upload has arrived; see `link.Listener`."""
        sink = self.transfers.get(transfer)
        if sink is not None:
            sink.acknowledged(offset)

    def _deliver(self, decide_delivery: Callable[[], Delivery]) -> None:
        """Hands over what the cursors let go, and reads the history of what they miss."""
        try:
            delivery = decide_delivery()
        except Gap:
            self._gap()
            return
        self._inbox.put(delivery.events)
        link = self.link
        for room in delivery.fill:
            if link is not None and self._link_tasks is not None:
                self._link_tasks.create_task(self._fill(link, room), name="garita-fill")

    def _gap(self) -> None:
        self.counters.gaps += 1
        self._fail_link("events are missing")

    def _fail_link(self, why: str) -> None:
        if self.link is not None:
            self.link.fail(why)

    async def _fill(self, link: Link, room: str) -> None:
        """Reads what a room said while we were away, page by page, until the cursor has caught up."""
        self.counters.fills += 1
        repeats = 0
        while (cursor := self._cursors.filling(room)) is not None and not link.over:
            await self._inbox.has_space()
            fields = {"room": room, "after": cursor.seq, "limit": HISTORY_PAGE}
            try:
                answer = await link.ask("history", fields)
            except LinkLost:
                return
            except TimeoutError:
                continue
            if isinstance(answer, Ok):
                self._filled(link, room, answer)
                continue
            match saying.judge(answer, repeats=repeats, fraction=self._fraction()):
                case saying.Repeat(after_s):
                    await asyncio.sleep(after_s)
                case saying.Reconnect():
                    link.fail("the server wants a new token")
                case saying.Refuse():
                    self._cursors.unreadable(room)
                    self._inbox.put([Event(op="gone", room=room)])
            repeats += 1

    def _filled(self, link: Link, room: str, answer: Ok) -> None:
        """A page of history, unless the link that asked for it is gone: then the next one starts from the cursor again."""
        if link.over:
            return
        try:
            page = read_reply(answer, HistoryPage)
            self._deliver(lambda: Delivery(self._cursors.filled(room, page)))
        except BadServerFrame as exc:
            link.fail(str(exc))

    # --- life ---------------------------------------------------------------------------------------------------------------------

    def _end(self, error: Ended) -> None:
        self._ended = self._ended or error
        self._inbox.end(self._ended)
        self._link_stands.set()

    async def _run(self) -> None:
        """Link after link, until there is no point."""
        timing = self._timing
        backoff = Backoff(timing.backoff_base_s, timing.backoff_ceiling_s, timing.good_after_s)
        while True:
            self._stands_since = math.inf
            step = await self._one_link()
            if isinstance(step, Stop):
                self._end(step.error)
                return
            backoff.connection_ended(time.monotonic() - self._stands_since)
            self._want_fresh = self._want_fresh or step.fresh_token
            await asyncio.sleep(backoff.next_delay_s(self._fraction(), at_least_s=step.after_s))
            await self._inbox.has_space()

    async def _one_link(self) -> Again | Stop:
        """A token, a transport, a link until its end; what to do next."""
        fresh = self._want_fresh
        try:
            token = await self._tokens.token(fresh=fresh)
        except Ended as exc:
            return Stop(exc)
        except (AuthRefused, Unreachable) as exc:
            self.trouble = str(exc)
            return decide_without_token(exc)
        self._want_fresh = False
        try:
            transport = await open_transport(self.address, tls=self._tls, timeout_s=self._timing.open_s)
        except TransportClosed as exc:
            self.trouble = str(exc)
            return decide(exc.ending, token_was_fresh=fresh)
        link = Link(transport, self, self._timing)
        try:
            ending = await self._live(link, token)
        finally:
            self.link, self._link_tasks = None, None
            if self._ended is None:
                self._link_stands.clear()
            link.end()
            await transport.close()
        return decide(ending, token_was_fresh=fresh)

    async def _live(self, link: Link, token: AccessToken) -> Ending:
        """The link's tasks, until one of them says that it is over."""
        ending = Ending()
        try:
            async with asyncio.TaskGroup() as tasks:
                self._link_tasks = tasks
                tasks.create_task(link.read(), name="garita-read")
                tasks.create_task(link.watch(), name="garita-watch")
                tasks.create_task(self._greet_and_renew(link, token), name="garita-renew")
        except* LinkEnded as group:
            first = next(exc for exc in group.exceptions if isinstance(exc, LinkEnded))
            ending, self.trouble = first.ending, first.detail
        return ending

    async def _greet_and_renew(self, link: Link, token: AccessToken) -> None:
        """Says `connect`, then shows a new token in good time, for as long as the link lives."""
        try:
            await link.connect(
                token.text, self._name, self._cursors.resume(), lambda answer: self._welcomed(link, answer)
            )
            while True:
                await asyncio.sleep(max(1.0, token.good_for_s * RENEW_AT))
                token = await self._renewed(link, token)
        except LinkLost:
            return

    def _welcomed(self, link: Link, answer: Ok) -> None:
        """The answer to `connect`, before anything that came after it is heard."""
        reply = read_reply(answer, Connected)
        link.connected(reply)
        self.link, self.welcome, self.trouble = link, reply, ""
        self.counters.connections += 1
        self._stands_since = time.monotonic()
        self._deliver(lambda: self._cursors.connected(reply))
        self._link_stands.set()

    async def _renewed(self, link: Link, token: AccessToken) -> AccessToken:
        """The next token, shown to the server; while there is none, the old one with what is left of it. The server ends what is over."""
        try:
            following = await self._tokens.token(fresh=True)
            if await link.renew(following.text) is not None:
                return following
        except (GaritaError, TimeoutError) as exc:
            if isinstance(exc, LinkLost):
                raise
            self.trouble = str(exc)
        return AccessToken(token.text, RENEW_RETRY_S / RENEW_AT)
