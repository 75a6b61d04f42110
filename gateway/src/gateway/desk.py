"""The desk: carries out what the sessions decide, and tells sessions what came of it.

Everything about one connection's life passes here: opening, connecting as a user, requests and their answers, files, the end. Who may not come in or has to
go (a ban, an ended session, an eleventh connection) is decided from the books (`people.py`); what is unknown refuses: without keys, bans or a link to Redis,
`connect` is answered `busy`, and `renew` as `renewing.py` says.
"""

from collections.abc import Callable

import structlog

from garita_common.core import activity, addresses, gate
from garita_common.core.bans import Ban
from garita_common.core.errors import AppError, BadFrame, Busy, CloseCode, FrameTooLarge, LimitReached
from garita_common.core.frames import Connect, CreateRoom, Edit, HintOp, Join, Request, Send
from garita_common.core.records import Answered, AttachRoom, HeadsCompared, TellPresent
from garita_common.core.tokens import SKEW_S, Claims, TokenInvalid
from garita_common.emitter import Emitter
from garita_common.logs import Sparingly

from . import attach
from .attach import Attacher
from .challenges import Challenges
from .chat_link import ChatLink, Gone
from .clock import Clock
from .config import GatewayConfig
from .connection import Connection
from .core.allowance import Allowances
from .core.enforcement import Enforcement
from .core.session import Acknowledge, Begin, End, Extend, Forward, Mention, Redeem, Step, TakeChunk, Tell
from .entrance import Entrance
from .errands import Errands
from .files import Files
from .greeting import greeting
from .hints import Hints
from .hub import Hub
from .metrics import Metrics
from .people import People
from .presence import Presence
from .renewing import Renewing
from .shares import Shares

log = structlog.get_logger()


class Desk:
    """One gateway process's desk."""

    def __init__(
        self,
        config: GatewayConfig,
        gateway_id: str,
        clock: Clock,
        metrics: Metrics,
        emitter: Emitter,
        *,
        entrance: Entrance,
        people: People,
        chat: ChatLink,
        hub: Hub,
        attacher: Attacher,
        files: Files,
        hints: Hints,
        presence: Presence,
        errands: Errands,
        shares: Shares,
        allowances: Allowances,
        enforcement: Enforcement,
        renewing: Renewing,
        challenges: Challenges,
        ready: Callable[[], bool],
    ) -> None:
        """Args: shares, allowances: the limits of users over all gateways, and here; enforcement: which limits refuse."""
        self._config = config
        self._gateway_id = gateway_id
        self._clock = clock
        self._metrics = metrics
        self._emitter = emitter
        self._entrance = entrance
        self._people = people
        self._chat = chat
        self._hub = hub
        self._attacher = attacher
        self._files = files
        self._hints = hints
        self._presence = presence
        self._errands = errands
        self._shares = shares
        shares.on_make_room = self.make_room
        self._enforcement = enforcement
        self._allowances = allowances
        self._renewing = renewing
        self._challenges = challenges
        self._ready = ready
        self._sparingly = Sparingly(clock.monotonic)
        self.connections: dict[int, Connection] = {}
        self.leaving: set[Connection] = set()
        """Those that a drain has asked to go: they get no new requests answered."""

    # A connection's life

    def opened(self, connection: Connection) -> None:
        """A connection was admitted."""
        self.connections[connection.id] = connection
        self._metrics.connections.labels(connection.transport_name).inc()
        self._emit(
            activity.ConnectionOpened,
            connection,
            transport=connection.transport_name,
            port=connection.port,
        )

    def ended(self, connection: Connection, code: CloseCode | None) -> None:
        """The connection is over for us: nobody sends it anything any more."""
        self._hub.leave_all(connection)
        self._count_out(connection)
        self._files.closed(connection)
        self._metrics.closed.labels(connection.reason).inc()
        self._metrics.bytes_in.labels(connection.transport_name).inc(connection.bytes_in)
        self._emit(
            activity.ConnectionClosed,
            connection,
            reason=connection.reason,
            bytes_in=connection.bytes_in,
            lifetime_ms=max(0, self._clock.unix_ms() - connection.opened_ms),
        )

    def _count_out(self, connection: Connection) -> None:
        self._people.leave(connection)
        self._shares.leave(connection.id, connection.user)
        if connection.user and not self._people.of(connection.user):
            self._presence.left(connection.user)

    def rerouted(self, connection: Connection) -> None:
        """It is written to in another way now."""
        self._hub.rerouted(connection)

    def lost(self, connection: Connection) -> None:
        """The socket is gone."""
        if self.connections.pop(connection.id, None) is not None:
            self._metrics.connections.labels(connection.transport_name).dec()
            self._entrance.leave(connection.ticket)

    def failed(self, connection: Connection, where: str, exc: Exception) -> None:
        """A fault of ours ends this one connection, and is logged once a minute and kind."""
        self._metrics.faults.labels(where).inc()
        if self._sparingly.due(where, type(exc).__name__):
            log.error("connection_failed", where=where, exc_info=exc)
        if connection.closed:
            connection.abort()
        else:
            connection.close(CloseCode.INTERNAL, "Something went wrong on our side.")

    # Steps

    def step(self, connection: Connection, step: Step) -> None:
        """Carries one out."""
        match step:
            case Tell():
                connection.send_json(step.frame)
                if step.limit:
                    self._rate_hit(connection, step.limit)
                if step.attempt:
                    self._emit(activity.CaptchaAttempted, connection, cmid=step.attempt)
            case Forward():
                self._forward(connection, step.op)
            case Mention():
                self._mention(connection, step.op)
            case TakeChunk():
                self._chunk(connection, step.payload)
            case Acknowledge():
                self._files.acknowledge(connection, step.op)
            case Begin():
                self._begin(connection, step.op)
            case Extend():
                self._renewing.renew(connection, step.op)
            case Redeem():
                self._challenges.redeem(connection, step.op)
            case End():
                self._end(connection, step)

    def _end(self, connection: Connection, step: End) -> None:
        if step.last:
            connection.send_json(step.last)
        if step.violation is not None:
            self._violated(connection, step.violation)
        if step.limit:
            self._rate_hit(connection, step.limit, step.count)
        connection.close(step.code, step.reason)

    def _chunk(self, connection: Connection, payload: bytes) -> None:
        try:
            self._files.receive_chunk(connection, payload)
        except AppError as exc:
            self.refuse(connection, None, exc)

    def refuse(self, connection: Connection, request_id: int | None, error: AppError) -> None:
        """Answers an error, or ends the connection where the error says so."""
        if isinstance(error, BadFrame | FrameTooLarge) and error.close is not None:
            connection.refuse(error)
        else:
            connection.fault(request_id, error)

    # Connecting

    def _begin(self, connection: Connection, op: Connect) -> None:
        claims = self._verified(connection, op.id, op.token)
        if claims is None:
            connection.session.connect_refused()
            return
        self._entrance.give_back(connection.ticket)
        ban = self._people.ban_of(connection, claims)
        if ban is not None:
            close_banned(connection, ban)
            return
        self._people.leave(connection)
        connection.claims, connection.user = claims, claims.sub
        self._people.enter(connection)
        try:
            self._errands.start("connect", self._connect(connection, op, claims), connection)
        except Busy as exc:
            self._connect_failed(connection, op, exc)

    async def _connect(self, connection: Connection, op: Connect, claims: Claims) -> None:
        try:
            sends = await self._shares.enter(connection.id, claims.sub, claims.did)
            cuts = await self._attacher.connect(connection, op)
        except AppError as exc:
            self._connect_failed(connection, op, exc)
            return
        finally:
            if connection.closed:
                self._shares.leave(connection.id, claims.sub)
        if connection.closed:
            raise Gone
        now_s = self._clock.monotonic()
        until_s = now_s + max(0.0, claims.exp + SKEW_S - self._clock.unix())
        allowance, device_send = self._allowances.of(claims.sub, now_s), self._allowances.device(claims.did, now_s)
        connection.session.connected(now_s, until_s, allowance, sends, device_send)
        connection.reschedule()
        self._presence.came(claims.sub)
        self._metrics.attaches.labels("ok").inc()
        connection.send_json(
            attach.answer(op.id, greeting(self._config, claims, f"{self._gateway_id}/{connection.id}"), cuts)
        )
        self._challenges.look(connection)
        behind = self._attacher.release(connection, cuts.values())
        await self._attacher.catch_up(connection, behind)

    def _connect_failed(self, connection: Connection, op: Connect, error: AppError) -> None:
        self._metrics.attaches.labels(error.code).inc()
        self._count_out(connection)
        connection.claims, connection.user = None, ""
        connection.session.connect_refused()
        if not connection.closed:
            connection.fault(op.id, error)

    def _verified(self, connection: Connection, request_id: int, token: str) -> Claims | None:
        """The claims of a token that is valid and not revoked; None if that was answered already."""
        if not self._ready():
            self._metrics.refused.labels("not_ready").inc()
            connection.fault(request_id, Busy("The service is not ready yet. Please come back in a moment."))
            return None
        try:
            return self._people.verify(token)
        except TokenInvalid as exc:
            self._metrics.refused.labels(exc.code).inc()
            connection.fault(request_id, exc)
            connection.close(exc.close or CloseCode.BAD_TOKEN, exc.sentence)
            return None

    def make_room(self, number: int, user: str) -> None:
        """A newer connection of the user's, at any gateway, is one too many for this one."""
        connection = self.connections.get(number)
        if connection is not None and connection.user == user:
            connection.close(CloseCode.REPLACED, "A newer connection of yours has taken this one's place.")

    # Requests

    def _forward(self, connection: Connection, op: Request) -> None:
        if isinstance(op, Send | Edit):
            self._shares.spent(connection.user)
        try:
            if connection in self.leaving:
                raise Busy("This server restarts. Please come back.")
            if connection.in_flight >= self._config.requests_in_flight and type(op) not in gate.NEVER_REFUSED:
                self._metrics.refused.labels("requests_in_flight").inc()
                raise Busy("Too many of your requests wait for their answers.")
            if (
                isinstance(op, Join | CreateRoom)
                and len(connection.feeds) > self._config.rooms_per_connection
                and self._enforcement.refuses("rooms_per_connection")
            ):
                raise LimitReached("This connection follows as many rooms as it may.")
            self._chat.request(connection, op)
        except AppError as exc:
            connection.fault(op.id, exc)

    def _mention(self, connection: Connection, op: HintOp) -> None:
        try:
            self._hints.say(connection, op)
        except Busy as exc:
            connection.fault(None, exc)

    def connection(self, number: int) -> Connection | None:
        """A connection by its number, while its socket is open."""
        return self.connections.get(number)

    def answered(self, connection: Connection, reply: Answered) -> None:
        """The chat service has answered: the directive first, then the client."""
        self._metrics.answers.labels(reply.code or "ok").inc()
        end = connection.session.answered(reply.code, self._clock.monotonic())
        if end is not None:
            connection.send_json(reply.frame)
            self._end(connection, end)
        elif reply.directive is None:
            connection.send_json(reply.frame)
        elif isinstance(reply.directive, AttachRoom):
            self._attach(connection, reply.directive, reply.frame)
        elif isinstance(reply.directive, TellPresent):
            self._tell_present(connection, reply.request, reply.directive)
        else:
            self._files.carry_out(connection, reply.request, reply.directive, reply.frame)

    def _tell_present(self, connection: Connection, request: int, ask: TellPresent) -> None:
        try:
            self._errands.start("presence", self._presence.tell(connection, request, ask), connection)
        except Busy as exc:
            connection.fault(request, exc)

    def heads(self, reply: HeadsCompared) -> None:
        """The chat service has compared heads."""
        self._hub.heads(reply)

    def attach_all(self, user: str, directive: AttachRoom) -> None:
        """A personal event put the user into a room: all connections here follow it."""
        for connection in self._people.of(user):
            if connection.session.state is not connection.session.state.NEW:
                self._attach(connection, directive)

    def _attach(self, connection: Connection, directive: AttachRoom, answer: bytes = b"") -> None:
        try:
            work = self._attacher.attach_room(connection, directive, answer)
            self._errands.start("attach", work, connection)
        except Busy:
            if answer:
                connection.send_json(answer)
            connection.close(CloseCode.STATE_LOST, "Too much is going on here. Please resume.")

    # Records for the detector

    def _rate_hit(self, connection: Connection, limit: str, count: int = 1) -> None:
        self._metrics.refused.labels(limit).inc()
        self._emit(activity.RateHit, connection, limit=limit, count=count)

    def _violated(self, connection: Connection, exc: BadFrame) -> None:
        self._metrics.violations.labels(exc.kind).inc()
        self._emit(
            activity.ProtocolViolated,
            connection,
            kind=exc.kind,
            byte=-1 if exc.byte is None else exc.byte,
            state=connection.session.state.value,
            before_frames=connection.session.frames_understood == 0,
        )

    def _emit(self, event: Callable[..., activity.Event], connection: Connection, **fields: object) -> None:
        ticket = connection.ticket
        self._emitter.emit(
            event(
                ts_ms=self._clock.unix_ms(),
                src="gateway",
                connection=f"{self._gateway_id}/{connection.id}",
                ip="" if ticket.proxied else str(ticket.address),
                ip_prefix="" if ticket.proxied else addresses.unit(ticket.address),
                user=connection.claims.sub if connection.claims is not None else "",
                device=connection.claims.did if connection.claims is not None else "",
                **fields,
            )
        )


def close_banned(connection: Connection, ban: Ban) -> None:
    """Tells a ban and closes."""
    connection.close(CloseCode.BANNED, ban.sentence, until_ms=ban.until_ms, appeal=ban.appeal)
