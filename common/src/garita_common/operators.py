"""The edge of routes for operators: who may ask, for how long, and how an error is told.

Every request carries the operator token; it is compared before anything is read. An error becomes problem+json, once, and is counted.
"""

import asyncio
import hmac
import sqlite3
from http import HTTPStatus
from typing import Any

import msgspec
import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_client import Counter

from .config import Secret
from .core.errors import AppError, Busy, Internal, Unauthenticated

log = structlog.get_logger()

ANSWER_S = 10.0
MAX_BODY_BYTES = 8 * 1024


def application(token: Secret, refused: Counter) -> web.Application:
    """An application whose routes are for operators only. Args: token: what `Authorization: Bearer` must be; refused: a counter with the label `code`."""
    return web.Application(client_max_size=MAX_BODY_BYTES, middlewares=[_edge(b"Bearer " + token.bytes(), refused)])


def answer(value: Any) -> web.Response:
    """A value as JSON that nobody keeps."""
    return web.Response(
        body=msgspec.json.encode(value), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def _edge(expected: bytes, refused: Counter) -> Middleware:
    def problem(status: int, code: str, detail: str) -> web.Response:
        refused.labels(code).inc()
        title = HTTPStatus(status).phrase
        body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
        headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else None
        return web.Response(
            body=msgspec.json.encode(body), status=status, content_type="application/problem+json", headers=headers
        )

    def told(error: AppError) -> web.Response:
        return problem(error.status, error.code, error.sentence)

    @web.middleware
    async def edge(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
            if not hmac.compare_digest(given, expected):
                raise Unauthenticated("The operator token is missing or wrong.")
            async with asyncio.timeout(ANSWER_S):
                return await handler(request)
        except AppError as exc:
            return told(exc)
        except (sqlite3.Error, TimeoutError) as exc:
            log.warning("operator_request_failed", error=type(exc).__name__)
            return told(Busy("The database does not answer now. Please try again."))
        except web.HTTPException as exc:
            return problem(exc.status, "not_found" if exc.status == HTTPStatus.NOT_FOUND else "bad_request", exc.reason)
        except Exception as exc:  # edge: whatever is left is ours, and the operator gets no detail
            log.error("operator_request_broke", exc_info=exc)
            return told(Internal())

    return edge
