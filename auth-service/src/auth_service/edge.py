"""The HTTP edge: from a request to a caller, a strict struct and perhaps a session, and from an answer or a refusal to bytes.

Everything is asked in one order, cheapest first: how much is going on, who calls, whether a page of another origin is behind it, the address's allowance, the
body's kind, size and shape, the access token. A handler (`routes.py`) is entered only with values it can trust, and raises `AppError`s; here is the one place
where these become problem+json, and where an unforeseen exception becomes `internal` without a detail.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
import structlog
from aiohttp import web
from msgspec import Struct
from multidict import CIMultiDict

from garita_common.core import activity, addresses
from garita_common.core.errors import AppError, Internal
from garita_common.emitter import Emitter
from garita_common.logs import Sparingly

from .audit import Audit
from .core.problems import (
    AccessRefused,
    BodyTooLarge,
    InvalidRequest,
    MediaRefused,
    MethodRefused,
    NotHere,
    OriginRejected,
    Overloaded,
    Problem,
    TooMany,
)
from .core.requests import MAX_BODY_BYTES, Audience
from .limits import Limit, Limiter
from .origins import Cookies, Origins
from .parts import Caller, Parts
from .sessions import Present, Sessions

log = structlog.get_logger()

BASE: Final = "/v1/auth"
BODY_S: Final = 5.0
MAX_LABEL_CHARS: Final = 160  # a browser names itself at the end of about 110
WEB_HEADER: Final = "X-Garita-Web"
FLOW_HEADER: Final = "X-Flow-Secret"
MAX_SECRET_CHARS: Final = 256
PROBLEM_TYPE: Final = "application/problem+json"
HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class Ask:
    """A request as a handler gets it. `body` is of the route's type, `present` there where the route needs a token."""

    caller: Caller
    body: Any
    path: Mapping[str, str]
    query: Mapping[str, str]
    host: str
    session: Present | None
    bearer: str | None = None
    """The access token that came, for the one route that needs it for some of what it does."""
    flow_secret: str = ""
    """The header X-Flow-Secret, where the route says that it takes it."""

    @property
    def present(self) -> Present:
        """Who is there.

        Raises:
            AccessRefused: nobody has said; only where the route takes a token without needing it.
        """
        if self.session is None:
            raise AccessRefused
        return self.session


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer: a status, a struct or finished JSON, and cookies to set (a value) or take away (None)."""

    status: int
    body: Struct | list[Any] | bytes | None = None
    cookies: Mapping[str, str | None] = field(default_factory=dict)
    cache_s: int = 0
    media: str = "application/json"
    """Of bytes that are no JSON."""
    policy: str = HEADERS["Content-Security-Policy"]
    """What the answer may load where a browser shows it."""


@dataclass(frozen=True, slots=True)
class Route:
    """One endpoint: what /openapi.json says about it and what the edge holds requests against. `answers` are types by status: None for no body, a tuple for
    one of several.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Callable[[Ask], Awaitable[Reply]]
    answers: Mapping[int, Any]
    body: Any = None
    needs_token: bool = False
    audience: Audience = "auth"
    """Of the token that is needed or taken."""
    refusals: tuple[type[AppError], ...] = ()
    public: bool = True
    takes_token: bool = False
    """An access token may come and is held against the session; without one the handler has no session."""
    flow_secret: bool = False
    """The secret of a flow comes in the header X-Flow-Secret: a GET has no body, and addresses are written into logs."""
    media: tuple[str, ...] = ("application/json",)
    query: tuple[tuple[str, str], ...] = ()
    """Parameters of the query, each with a word about it."""
    sets_cookies: bool = False
    """In browser mode."""
    takes_cookie: bool = False
    """The refresh token may be in its cookie."""
    spared: bool = False
    """A neighbour's flood does not close it: only what turns out to be nothing of ours counts against an address."""


class Edge:
    """Carries routes out."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        emitter: Emitter,
        origins: Origins,
        cookies: Cookies,
        audit: Audit,
    ) -> None:
        """Args: origins: whose pages are let in; cookies: how they are called here."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._emitter = emitter
        self._origins = origins
        self._cookies = cookies
        self._audit = audit
        self._trusted = parts.config.trusted()
        self._all = Limit("all_prefix", parts.config.all_per_prefix_per_5_min, 300)
        self._bad_tokens = Limit("bad_token_prefix", parts.config.bad_tokens_per_prefix_per_h, 3600)
        self._sparingly = Sparingly(parts.clock)
        self._open = 0
        self._methods: dict[str, list[str]] = {}

    def application(self, routes: list[Route]) -> web.Application:
        """An aiohttp application of these routes."""
        app = web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[self._astray])
        for route in routes:
            app.router.add_route(route.method, route.path, self._handler(route))
            self._methods.setdefault(route.path, []).append(route.method)
        return app

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        decoder = None if route.body is None else msgspec.json.Decoder(route.body)

        async def handle(request: web.Request) -> web.Response:
            request_id = self._parts.new_id()[:16]
            with structlog.contextvars.bound_contextvars(request_id=request_id, route=route.name):
                return await self._carried_out(route, decoder, request, request_id)

        return handle

    async def _carried_out(
        self, route: Route, decoder: "msgspec.json.Decoder[Any] | None", request: web.Request, request_id: str
    ) -> web.Response:
        self._open += 1
        self._parts.metrics.open_requests.set(self._open)
        caller = None
        code = "ok"
        try:
            if self._open > self._parts.config.open_requests:
                raise Overloaded
            caller = self._caller(request, request_id)
            reply = await self._asked(route, decoder, request, caller)
            return self._answer(reply)
        except AppError as exc:
            code = exc.code
            self._note(exc, caller)
            return problem(exc, request_id)
        except Exception as exc:
            code = Internal.code
            log.error("request_failed", error=type(exc).__name__, exc_info=exc)
            return problem(Internal(), request_id)
        finally:
            self._open -= 1
            self._parts.metrics.open_requests.set(self._open)
            self._parts.metrics.requests.labels(route.name, code).inc()

    async def _asked(
        self, route: Route, decoder: "msgspec.json.Decoder[Any] | None", request: web.Request, caller: Caller
    ) -> Reply:
        changes = route.method not in ("GET", "HEAD")
        if changes and not self._origins.allow(
            request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site"), caller.web
        ):
            raise OriginRejected
        if caller.counted and not route.spared:
            await self._limiter.take(self._all, caller.unit)
        body = await self._read(route, decoder, request, caller)
        bearer = _bearer(request)
        has_token = route.needs_token or (route.takes_token and bearer is not None)
        session = await self._present(route, bearer, caller) if has_token else None
        ask = Ask(
            caller=caller,
            body=body,
            path=request.match_info,
            query=request.query,
            host=request.host,
            session=session,
            bearer=bearer,
            flow_secret=_flow_secret(request) if route.flow_secret else "",
        )
        return await route.handler(ask)

    async def _read(
        self, route: Route, decoder: "msgspec.json.Decoder[Any] | None", request: web.Request, caller: Caller
    ) -> Any:
        """The body. What is no request at all counts also where requests do not."""
        if decoder is None:
            return None
        try:
            return _decoded(decoder, await _body(request))
        except AppError:
            if caller.counted and route.spared:
                await self._limiter.take(self._all, caller.unit)
            raise

    async def _present(self, route: Route, bearer: str | None, caller: Caller) -> Present:
        """Whose token it is."""
        try:
            present = await self._sessions.present(bearer, route.audience)
        except AccessRefused:
            if caller.counted and route.spared:
                await self._limiter.take(self._bad_tokens, caller.unit)
            raise
        if route.audience == "console":
            await self._sessions.demand_admin(present)
        return present

    def _caller(self, request: web.Request, request_id: str) -> Caller:
        peer = request.transport.get_extra_info("peername") if request.transport else None
        forwarded = request.headers.getall("X-Forwarded-For", [])
        address = addresses.client_address(
            addresses.parse(peer[0].partition("%")[0] if peer else "0.0.0.0"),  # noqa: S104 - an address to count, not one to listen on
            ",".join(forwarded) if forwarded else None,
            self._trusted,
        )
        is_web = request.headers.get(WEB_HEADER) == "1"
        agent = request.headers.get("User-Agent", "")
        return Caller(
            address=address,
            counted=addresses.is_counted(address, self._parts.config.loopback),
            web=is_web,
            label="".join(char for char in agent if char.isprintable())[:MAX_LABEL_CHARS],
            request_id=request_id,
            device_cookie=request.cookies.get(self._cookies.device) if is_web else None,
            refresh_cookie=request.cookies.get(self._cookies.refresh) if is_web else None,
            browser_cookie=request.cookies.get(self._cookies.browser) if is_web else None,
        )

    def _answer(self, reply: Reply) -> web.Response:
        body = reply.body if isinstance(reply.body, bytes) else msgspec.json.encode(reply.body)
        headers = CIMultiDict(HEADERS)
        if reply.cache_s:
            headers["Cache-Control"] = f"public, max-age={reply.cache_s}"
        headers["Content-Security-Policy"] = reply.policy
        if reply.status == 204:
            response = web.Response(status=204, headers=headers)
        else:
            headers["Content-Type"] = reply.media
            response = web.Response(status=reply.status, body=body, headers=headers)
        for name, value in reply.cookies.items():
            self._cookies.put(response, name, value)
        return response

    def _note(self, exc: AppError, caller: Caller | None) -> None:
        if isinstance(exc, TooMany) and caller is not None:
            self._audit.tally("limit.tripped", caller, limit=exc.limit)
            self._emitter.emit(
                activity.RateHit(
                    ts_ms=self._parts.now_ms(),
                    src="auth",
                    ip=str(caller.address),
                    ip_prefix=caller.unit,
                    limit=exc.limit,
                )
            )
        if self._sparingly.due("refused", exc.code):
            log.info("refused", reason=exc.code)

    @web.middleware
    async def _astray(
        self, request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        """What no route takes is a problem+json too."""
        try:
            return await handler(request)
        except web.HTTPException as exc:
            refusal: AppError = MethodRefused() if exc.status == 405 else NotHere()
            self._parts.metrics.requests.labels("none", refusal.code).inc()
            response = problem(refusal, self._parts.new_id()[:16])
            if "Allow" in exc.headers:
                # A path that stands in the table as it is never means the one with an id in that place.
                response.headers["Allow"] = ",".join(self._methods.get(request.path, ())) or exc.headers["Allow"]
            return response


def problem(exc: AppError, request_id: str) -> web.Response:
    """A refusal as problem+json (RFC 9457)."""
    document: dict[str, object] = {
        "type": f"urn:chat:auth:{exc.code}",
        "title": exc.sentence,
        "status": exc.status,
        "code": exc.code,
    }
    headers = dict(HEADERS) | {"Content-Type": PROBLEM_TYPE}
    if not isinstance(exc, Problem) or exc.traced:
        document["request_id"] = request_id
    if exc.retry_after_ms is not None:
        document["retry_after"] = -(-exc.retry_after_ms // 1000)
        headers["Retry-After"] = str(document["retry_after"])
    if exc.status == 401:
        headers["WWW-Authenticate"] = "Bearer"  # RFC 9110 §15.5.2 wants one with every 401
    if isinstance(exc, Problem):
        document |= exc.fields
    return web.Response(status=exc.status, body=msgspec.json.encode(document), headers=headers)


async def _body(request: web.Request) -> bytes:
    if request.content_type != "application/json" or "Content-Encoding" in request.headers:
        raise MediaRefused
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise BodyTooLarge
    try:
        async with asyncio.timeout(BODY_S):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as exc:
        raise BodyTooLarge from exc
    except (TimeoutError, web.RequestPayloadError, ConnectionError) as exc:  # the last: who sent it has hung up
        raise InvalidRequest("The body did not come whole in time.") from exc


def _flow_secret(request: web.Request) -> str:
    secret = request.headers.get(FLOW_HEADER, "")
    if not 0 < len(secret) <= MAX_SECRET_CHARS:
        raise InvalidRequest(f"The header {FLOW_HEADER} is missing, or is none.")
    return secret


def _decoded(decoder: "msgspec.json.Decoder[Any]", data: bytes) -> Any:
    try:
        body = decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as exc:
        # msgspec's text names the field and what was expected of it, never the value.
        raise InvalidRequest(str(exc) if isinstance(exc, msgspec.ValidationError) else "This is not JSON.") from exc
    if _has_nul(body):
        raise InvalidRequest("Text never holds U+0000.")
    # Who reads the first of two equal names and who reads the last one would see two requests. Only a body that was decoded comes here: its depth is bounded.
    json.loads(data, object_pairs_hook=_refuse_doubles)
    return body


def _refuse_doubles(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise InvalidRequest("A name stands twice in one object.")


def _has_nul(body: object) -> bool:
    if isinstance(body, str):
        return "\0" in body
    if isinstance(body, Struct):
        return any(_has_nul(getattr(body, name)) for name in body.__struct_fields__)
    return False


def _bearer(request: web.Request) -> str | None:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" and token else None
