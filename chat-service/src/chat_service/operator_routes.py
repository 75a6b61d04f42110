"""The operator's HTTP routes, on the inner listener: what members reported, wherever it was, and who they are.

Moderators see the reports of their own room, never who reported (`audit`). A direct room has no moderators, and some moderators are what is
reported: so the operator sees all of them.
"""

from typing import Any

from aiohttp import web
from prometheus_client import Counter

from garita_common import operators
from garita_common.config import Secret
from garita_common.core.queries import parse_number

from . import store_audit
from .core import speech
from .database import Database

MAX_ROWS = 200
MAX_ID = 2**53 - 1


class OperatorRoutes:
    """The routes over one database, of an active copy or one that stands by."""

    def __init__(self, database: Database, token: Secret, refused: Counter) -> None:
        """Args: token: what `Authorization: Bearer` must be; refused: counts refusals by code."""
        self._database = database
        self._token = token
        self._refused = refused

    def application(self) -> web.Application:
        """An aiohttp application, to be put under /v1."""
        app = operators.application(self._token, self._refused)
        app.add_routes([web.get("/reports", self.list_reports)])
        return app

    async def list_reports(self, request: web.Request) -> web.Response:
        """Reports of all rooms, newest first; `next` is the `before` of the next page."""
        query = request.query
        before = parse_number(query.get("before"), "before", default=MAX_ID, most=MAX_ID)
        limit = parse_number(query.get("limit"), "limit", default=50, most=MAX_ROWS)
        found = await self._database.run(lambda db: store_audit.reports(db, before, limit + 1))
        told: dict[str, Any] = {"reports": [speech.report_object(report) for report in found[:limit]]}
        if len(found) > limit:
            told["next"] = found[limit - 1].id
        return operators.answer(told)
