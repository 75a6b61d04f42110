"""The HTTP side of the gateway besides the socket: the web client's files, in demo mode the forward to the auth service, and the form of every answer.

Files are read once, at start: what is not in that list does not exist, so no request ever becomes a path on the disk. The forward's rules are in `core.edge`;
outside demo mode its routes do not exist.
"""

import asyncio
import hashlib
import math
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import aiohttp
import structlog
from aiohttp import web
from aiohttp.http_exceptions import PayloadEncodingError
from aiohttp.typedefs import Handler, Middleware
from multidict import CIMultiDict
from yarl import URL

from garita_common.config import ConfigError
from garita_common.core.errors import AppError, BadRequest, Busy, Internal, TooLarge

from .core.edge import (
    ACCOUNTS_PREFIX,
    MAX_ANSWER_BYTES,
    MAX_BODY_BYTES,
    MAX_FORWARDS,
    OUTBOX_PATH,
    PUBLIC_DOCUMENTS,
    AccountsAway,
    AccountsSlow,
    BodyTooSlow,
    EdgeSettings,
    answer_headers,
    check_forward,
    code_of_status,
    content_type,
    forward_headers,
    own_hosts,
    problem,
    strict_headers,
    web_path,
)

log = structlog.get_logger()

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
KEPT_OF_AN_ERROR: Final = ("Allow", "Retry-After", "Upgrade", "Sec-WebSocket-Version")


@dataclass(frozen=True, slots=True)
class WebFile:
    """One file of the web client, as it is served."""

    path: str
    body: bytes
    media_type: str
    etag: str


def open_session() -> aiohttp.ClientSession:
    """The session for the forward. It keeps no cookies: one user's would go out with another's request."""
    return aiohttp.ClientSession(
        cookie_jar=aiohttp.DummyCookieJar(),
        connector=aiohttp.TCPConnector(limit=MAX_FORWARDS, keepalive_timeout=15.0),
        auto_decompress=False,
        trust_env=False,
    )


def routes(settings: EdgeSettings, session: aiohttp.ClientSession) -> list[web.RouteDef]:
    """The routes of the web client and, in demo mode, of the forward. Reads the files.

    Raises:
        ConfigError: the folder of the web client cannot be read.
    """
    found = [web.get(file.path, _serve(file)) for file in read_files(settings.web_dir)] if settings.web_dir else []
    if settings.demo:
        found += _forwards(settings, session)
    return found


def read_files(folder: Path) -> list[WebFile]:
    """The web client's files; `index.html` is at `/` too.

    Raises:
        ConfigError: the folder cannot be read.
    """
    if not folder.is_dir():
        raise ConfigError(f"The folder of the web client, {folder}, is not there.")
    root = folder.resolve()
    files = []
    try:
        for place in sorted(root.rglob("*")):
            path = web_path(place.relative_to(root).as_posix())
            if path is None or not place.is_file() or not place.resolve().is_relative_to(root):
                continue
            body = place.read_bytes()
            file = WebFile(path, body, content_type(path) or "", hashlib.sha256(body).hexdigest()[:32])
            files.append(file)
            if path == "/index.html":
                files.append(WebFile("/", body, file.media_type, file.etag))
    except OSError as exc:
        raise ConfigError(f"The folder of the web client, {folder}, cannot be read: {exc.strerror}.") from exc
    return files


def middleware(settings: EdgeSettings) -> Middleware:
    """Puts the strict headers on every answer and gives every error one form, `application/problem+json`, without any detail of ours."""
    strict = strict_headers(settings.origins)

    @web.middleware
    async def form(request: web.Request, handler: Handler) -> web.StreamResponse:
        response: web.StreamResponse
        try:
            response = await handler(request)
        except web.HTTPException as exc:
            response = _from_http_exception(exc)
        except AppError as exc:
            response = _from_app_error(exc)
        except Exception:  # an edge: whatever it is becomes "internal error", and the log has the rest
            log.exception("http_request_failed")
            response = _from_app_error(Internal())
        if not response.prepared:  # an upgraded socket has said its headers long ago
            response.headers.update(strict)
        return response

    return form


def _serve(file: WebFile) -> Callable[[web.Request], Awaitable[web.Response]]:
    """A handler for one file. `no-cache` means: ask each time, and be told 304."""
    headers = {"Cache-Control": "no-cache", "ETag": f'"{file.etag}"'}
    full = headers | {"Content-Type": file.media_type}

    async def serve(request: web.Request) -> web.Response:
        if any(tag.value in {"*", file.etag} for tag in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.body, headers=full)

    return serve


def _forwards(settings: EdgeSettings, session: aiohttp.ClientSession) -> list[web.RouteDef]:
    if not isinstance(session.cookie_jar, aiohttp.DummyCookieJar):
        raise TypeError("the forward's session must keep no cookies: take open_session()")
    forward = _Forward(settings, session).handle
    accounts = [web.route(method, ACCOUNTS_PREFIX + "{tail:.*}", forward) for method in METHODS]
    documents = [web.route("GET", path, forward) for path in (*PUBLIC_DOCUMENTS, OUTBOX_PATH)]
    return [*accounts, *documents]


class _Forward:
    """Hands requests on to the auth service and its answers back, both whole and of bounded size."""

    def __init__(self, settings: EdgeSettings, session: aiohttp.ClientSession) -> None:
        self._base = URL(settings.auth_url)
        self._hosts = own_hosts(settings.port)
        self._session = session
        self._body_s = settings.body_s
        self._answer_s = settings.answer_s
        self._running = 0

    async def handle(self, request: web.Request) -> web.Response:
        peer = _peer(request)
        check_forward(peer, request.headers.getall("Host", []), request.rel_url.raw_path, self._hosts)
        if self._running >= MAX_FORWARDS:
            raise Busy("Too many requests at once. Please try again.")
        self._running += 1
        try:
            body = await _body(request, self._body_s)
            return await self._ask(request, body, forward_headers(request.headers.items(), peer))
        finally:
            self._running -= 1

    async def _ask(self, request: web.Request, body: bytes, headers: list[tuple[str, str]]) -> web.Response:
        url = self._base.with_path(request.rel_url.raw_path, encoded=True)
        if request.rel_url.raw_query_string:
            url = URL(f"{url}?{request.rel_url.raw_query_string}", encoded=True)
        try:
            async with (
                asyncio.timeout(self._answer_s),
                self._session.request(
                    request.method,
                    url,
                    data=body or None,
                    headers=headers,
                    allow_redirects=False,
                    skip_auto_headers=("User-Agent", "Accept", "Content-Type"),
                    timeout=aiohttp.ClientTimeout(total=None),
                ) as answer,
            ):
                content = await _bounded(answer.content.iter_any(), MAX_ANSWER_BYTES)
                if content is None:
                    raise AccountsAway
                return web.Response(
                    status=answer.status, body=content, headers=CIMultiDict(answer_headers(answer.headers.items()))
                )
        except TimeoutError as exc:
            raise AccountsSlow from exc
        except aiohttp.ClientError as exc:
            raise AccountsAway from exc


def _peer(request: web.Request) -> str:
    """The socket's other end; empty when it has gone already."""
    name = request.transport.get_extra_info("peername") if request.transport is not None else None
    return str(name[0]) if name else ""


async def _body(request: web.Request, timeout_s: float) -> bytes:
    """The request's body.

    Raises:
        TooLarge: more than 16 KiB, by its header or in truth.
        BodyTooSlow: it did not arrive in time.
        BadRequest: it is not encoded as its headers say, or the connection has ended.
    """
    if (request.content_length or 0) > MAX_BODY_BYTES:
        raise TooLarge
    try:
        async with asyncio.timeout(timeout_s):
            body = await _bounded(request.content.iter_any(), MAX_BODY_BYTES)
    except TimeoutError as exc:
        raise BodyTooSlow from exc
    except (web.RequestPayloadError, PayloadEncodingError, ConnectionError) as exc:
        raise BadRequest("The request's body is malformed.") from exc
    if body is None:
        raise TooLarge
    return body


async def _bounded(pieces: AsyncIterator[bytes], limit: int) -> bytes | None:
    """All of a stream, or None as soon as it is more than `limit` bytes."""
    body = bytearray()
    async for piece in pieces:
        body += piece
        if len(body) > limit:
            return None
    return bytes(body)


def _from_http_exception(exc: web.HTTPException) -> web.StreamResponse:
    if exc.status < 400:
        return exc
    kept = {name: exc.headers[name] for name in KEPT_OF_AN_ERROR if name in exc.headers}
    return _problem(exc.status, *code_of_status(exc.status), kept)


def _from_app_error(exc: AppError) -> web.Response:
    kept = {} if exc.retry_after_ms is None else {"Retry-After": str(math.ceil(exc.retry_after_ms / 1000))}
    response = _problem(exc.status, exc.code, exc.sentence, kept)
    if isinstance(exc, TooLarge | BodyTooSlow):
        response.force_close()  # what is still to come of the body is not read
    return response


def _problem(status: int, code: str, title: str, headers: dict[str, str]) -> web.Response:
    response = web.json_response(
        problem(status, code, title), status=status, headers=headers, content_type="application/problem+json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response
