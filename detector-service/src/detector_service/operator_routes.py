"""The operator's HTTP routes: what is banned and why, what a subject did, and lifting a ban. README.md beside this package has the shapes.

Every request carries the operator token; it is compared before anything is read. The edge turns each error into problem+json once.
"""

import asyncio
import hmac
import sqlite3
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from msgspec import Struct
from redis.exceptions import RedisError

from garita_common.config import Secret
from garita_common.core.errors import AppError, BadRequest, Busy, Conflict, Internal, NotFound, Unauthenticated

from . import events, ledger
from .core.questions import parse_number, parse_subject
from .judging import Judge
from .metrics import Metrics
from .publication import Publisher
from .store import Row, Store
from .views import ban_view, decision_view, event_view

log = structlog.get_logger()

ANSWER_S = 10.0
MAX_BODY_BYTES = 8 * 1024
MAX_ROWS = 1_000
MAX_DECISION = 2**62


class Lift(Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a lift."""

    reason: str


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
        self._expected = b"Bearer " + token.bytes()
        self._now_ms = now_ms

    def application(self) -> web.Application:
        """An aiohttp application with the routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._edge()])
        app.add_routes(
            [
                web.get("/v1/bans", self.list_bans),
                web.get("/v1/bans/{decision}", self.one_ban),
                web.delete("/v1/bans/{decision}", self.lift),
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
        return _json({"bans": [ban_view(row, now_ms) for row in rows]})

    async def one_ban(self, request: web.Request) -> web.Response:
        """One ban."""
        return _json(ban_view(await self._ban(request), self._now_ms()))

    async def explain(self, request: web.Request) -> web.Response:
        """Why a decision was made."""
        decision, db = _decision(request), self._store.reading
        row = await ledger.find_decision(db, decision)
        if row is None:
            raise NotFound
        ban = await ledger.find_ban(db, decision)
        evidence = await events.of_decision(db, decision)
        view = decision_view(row) | {"evidence": [event_view(event) for event in evidence]}
        return _json(view | {"ban": ban_view(ban, self._now_ms()) if ban is not None else None})

    async def lift(self, request: web.Request) -> web.Response:
        """Ends a ban now, with the reason in the audit log, and tells the gateways."""
        await self._ban(request)
        decision = _decision(request)
        subject = await self._judge.lift(decision, _reason(await request.read()))
        if subject is None:
            raise Conflict("This ban is over already.")
        pushed = True
        try:
            await self._publisher.push({subject: None})
        except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
            pushed = False  # the publisher owes it and catches up
            log.warning("lift_not_pushed", error=type(exc).__name__)
        log.info("ban_lifted", decision=decision)
        return _json(ban_view(await self._ban(request), self._now_ms()) | {"pushed": pushed})

    async def list_events(self, request: web.Request) -> web.Response:
        """What a subject did lately."""
        subject = parse_subject(request.query.get("subject", ""))
        limit = parse_number(request.query.get("limit"), "limit", default=100, most=MAX_ROWS)
        rows = await events.of_subject(self._store.reading, subject, limit)
        return _json({"subject": subject, "events": [event_view(row) for row in rows]})

    async def list_audit(self, request: web.Request) -> web.Response:
        """What operators did."""
        limit = parse_number(request.query.get("limit"), "limit", default=200, most=MAX_ROWS)
        return _json({"entries": [dict(row) for row in await ledger.audited(self._store.reading, limit)]})

    async def _ban(self, request: web.Request) -> Row:
        row = await ledger.find_ban(self._store.reading, _decision(request))
        if row is None:
            raise NotFound
        return row

    def _edge(self) -> Middleware:
        """Checks the token, sets the deadline, translates errors."""

        @web.middleware
        async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
                if not hmac.compare_digest(given, self._expected):
                    raise Unauthenticated("The operator token is missing or wrong.")
                async with asyncio.timeout(ANSWER_S):
                    return await handler(request)
            except AppError as exc:
                return self._problem(exc)
            except (sqlite3.Error, TimeoutError) as exc:
                log.warning("operator_request_failed", error=type(exc).__name__)
                return self._problem(Busy("The database does not answer now. Please try again."))
            except web.HTTPException as exc:
                return self._answer(
                    exc.status, "not_found" if exc.status == HTTPStatus.NOT_FOUND else "bad_request", exc.reason
                )
            except Exception as exc:  # edge: whatever is left is ours, and the operator gets no detail
                log.error("operator_request_broke", exc_info=exc)
                return self._problem(Internal())

        return edge

    def _problem(self, error: AppError) -> web.Response:
        return self._answer(error.status, error.code, error.sentence)

    def _answer(self, status: int, code: str, detail: str) -> web.Response:
        self._metrics.refused.labels(code).inc()
        body = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "code": code,
            "detail": detail,
        }
        headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
        return web.Response(
            body=msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
        )


def _decision(request: web.Request) -> int:
    try:
        return parse_number(request.match_info["decision"], "decision", default=0, most=MAX_DECISION)
    except BadRequest:
        raise NotFound from None


def _reason(body: bytes) -> str:
    try:
        reason = msgspec.json.decode(body, type=Lift).reason.strip()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        reason = ""
    if not 1 <= len(reason) <= 500:
        raise BadRequest('The body is {"reason": "…"} with 1 to 500 characters.')
    return reason


def _json(value: Any) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", headers={"Cache-Control": "no-store"}
    )
