"""The operator's HTTP routes: what is banned and why, what a subject did, and lifting a ban. README.md beside this package has the shapes.

The edge (`garita_common.operators`) lets only the operator in.
"""

import sqlite3
from collections.abc import Callable
from typing import Annotated

import msgspec
import structlog
from aiohttp import web
from msgspec import Meta, Struct
from redis.exceptions import RedisError

from garita_common import operators
from garita_common.config import Secret
from garita_common.core.bans import Ban
from garita_common.core.errors import BadRequest, Conflict, NotFound
from garita_common.core.queries import parse_number

from . import events, ledger
from .core.questions import parse_subject
from .judging import Judge
from .metrics import Metrics
from .publication import Publisher
from .store import Row, Store
from .views import ban_view, decision_view, event_view

log = structlog.get_logger()

MAX_ROWS = 1_000
MAX_DECISION = 2**62


class Lift(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a lift."""

    reason: str


class Challenge(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a challenge."""

    user: Annotated[str, Meta(pattern=r"^u[0-9a-f]{32}$")]
    reason: Annotated[str, Meta(min_length=1, max_length=200)]


class OperatorRoutes:
    """The routes over one store."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        publisher: Publisher,
        metrics: Metrics,
        *,
        token: Secret,
        now_ms: Callable[[], int],
    ) -> None:
        """Args: token: what `Authorization: Bearer` must be."""
        self._store = store
        self._judge = judge
        self._publisher = publisher
        self._metrics = metrics
        self._token = token
        self._now_ms = now_ms

    def application(self) -> web.Application:
        """An aiohttp application with the routes."""
        app = operators.application(self._token, self._metrics.refused)
        app.add_routes(
            [
                web.get("/v1/bans", self.list_bans),
                web.get("/v1/bans/{decision}", self.one_ban),
                web.delete("/v1/bans/{decision}", self.lift),
                web.post("/v1/challenges", self.challenge),
                web.get("/v1/explain/{decision}", self.explain),
                web.get("/v1/events", self.list_events),
                web.get("/v1/audit", self.list_audit),
            ]
        )
        return app

    async def list_bans(self, request: web.Request) -> web.Response:
        """Bans, newest first."""
        now_ms, query = self._now_ms(), request.query
        rows = await ledger.list_bans(
            self._store.reading,
            now_ms=now_ms,
            ended=query.get("all", "") == "1",
            before=parse_number(query.get("before"), "before", default=MAX_DECISION, most=MAX_DECISION),
            limit=parse_number(query.get("limit"), "limit", default=200, most=MAX_ROWS),
        )
        return operators.answer({"bans": [ban_view(row, now_ms) for row in rows]})

    async def one_ban(self, request: web.Request) -> web.Response:
        """One ban."""
        return operators.answer(ban_view(await self._ban(request), self._now_ms()))

    async def explain(self, request: web.Request) -> web.Response:
        """Why a decision was made."""
        decision, db = _decision(request), self._store.reading
        row = await ledger.find_decision(db, decision)
        if row is None:
            raise NotFound
        ban = await ledger.find_ban(db, decision)
        evidence = await events.of_decision(db, decision)
        view = decision_view(row) | {"evidence": [event_view(event) for event in evidence]}
        return operators.answer(view | {"ban": ban_view(ban, self._now_ms()) if ban is not None else None})

    async def lift(self, request: web.Request) -> web.Response:
        """Ends a ban now, with the reason in the audit log, and tells the gateways."""
        await self._ban(request)
        decision = _decision(request)
        subject = await self._judge.lift(decision, _reason(await request.read()))
        if subject is None:
            raise Conflict("This ban is over already.")
        pushed = await self._pushed({subject: None})
        log.info("ban_lifted", decision=decision)
        return operators.answer(ban_view(await self._ban(request), self._now_ms()) | {"pushed": pushed})

    async def challenge(self, request: web.Request) -> web.Response:
        """Has a user solve a challenge before writing on."""
        asked = _asked(await request.read())
        made = await self._judge.challenge(asked.user, asked.reason)
        if made is None:
            raise Conflict("This user is challenged already.")
        pushed = await self._pushed({made.subject: made})
        log.info("challenged", decision=made.decision)
        row = await ledger.find_ban(self._store.reading, made.decision)
        if row is None:
            raise NotFound
        return operators.answer(ban_view(row, self._now_ms()) | {"pushed": pushed})

    async def list_events(self, request: web.Request) -> web.Response:
        """What a subject did lately."""
        subject = parse_subject(request.query.get("subject", ""))
        limit = parse_number(request.query.get("limit"), "limit", default=100, most=MAX_ROWS)
        rows = await events.of_subject(self._store.reading, subject, limit)
        return operators.answer({"subject": subject, "events": [event_view(row) for row in rows]})

    async def list_audit(self, request: web.Request) -> web.Response:
        """What operators did."""
        limit = parse_number(request.query.get("limit"), "limit", default=200, most=MAX_ROWS)
        return operators.answer({"entries": [dict(row) for row in await ledger.audited(self._store.reading, limit)]})

    async def _pushed(self, changed: dict[str, Ban | None]) -> bool:
        """Whether the gateways are told already; else the publisher owes it and catches up."""
        try:
            await self._publisher.push(changed)
        except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
            log.warning("not_pushed", error=type(exc).__name__)
            return False
        return True

    async def _ban(self, request: web.Request) -> Row:
        row = await ledger.find_ban(self._store.reading, _decision(request))
        if row is None:
            raise NotFound
        return row


def _decision(request: web.Request) -> int:
    try:
        return parse_number(request.match_info["decision"], "decision", default=0, most=MAX_DECISION)
    except BadRequest:
        raise NotFound from None


def _asked(body: bytes) -> Challenge:
    try:
        return msgspec.json.decode(body, type=Challenge)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise BadRequest('The body is {"user": "u…", "reason": "…"}, an id and 1 to 200 characters.') from None


def _reason(body: bytes) -> str:
    try:
        reason = msgspec.json.decode(body, type=Lift).reason.strip()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reason = ""
    if not 1 <= len(reason) <= 500:
        raise BadRequest('The body is {"reason": "…"} with 1 to 500 characters.')
    return reason
