"""The part of docs/auth-api.md that a logged-in client needs, in memory: refresh with one-use tokens, logout, and faults."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

from aiohttp import web


class AccountsServer:
    """One account whose newest refresh token is `rt1.<number>`."""

    def __init__(self) -> None:
        self.number = 0
        self.expires_in = 300
        self.lose_answers = 0
        self.refusal: tuple[int, dict[str, Any]] | None = None
        self.refreshes: list[dict[str, Any]] = []
        self.at_once = self.most_at_once = 0
        self.base = ""

    async def _refresh(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.refreshes.append(body)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await asyncio.sleep(0.02)
            return await self._answer(request, body)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.Response:
        if self.refusal is not None:
            status, problem = self.refusal
            return web.json_response(problem, status=status, content_type="application/problem+json")
        shown = int(body["refresh_token"].removeprefix("rt1."))
        if shown == self.number:
            self.number += 1
        elif shown != self.number - 1 or not body.get("device_hint"):
            problem = {"code": "session_ended", "title": "Log in again.", "status": 401}
            return web.json_response(problem, status=401)
        if self.lose_answers:
            self.lose_answers -= 1
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({
            "access_token": f"{body['audience']}-{self.number}", "token_type": "Bearer", "expires_in": self.expires_in,
            "audience": body["audience"], "session_id": "s1", "refresh_token": f"rt1.{self.number}", "refresh_expires_in": 99,
        })  # fmt: skip

    async def _logout(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[AccountsServer]:
        """The API answers inside the block."""
        app = web.Application()
        app.router.add_post("/v1/auth/token/refresh", self._refresh)
        app.router.add_post("/v1/auth/logout", self._logout)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/auth"
        try:
            yield self
        finally:
            await runner.cleanup()
