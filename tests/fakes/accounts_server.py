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
        self.proven = self.totp = False
        self.methods: list[str] = []
        self.sessions: list[dict[str, Any]] = [
            {"id": "s1", "device_label": "garita", "created_ms": 0, "last_seen_ms": 0, "current": True},
            {"id": "s2", "device_label": "old \x1b[2J phone", "created_ms": 0, "last_seen_ms": 0},
        ]

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

    async def _login(self, request: web.Request) -> web.Response:
        return web.json_response({"mfa_ticket": "t", "methods": self.methods, "expires_in": 300})

    async def _me(self, request: web.Request) -> web.Response:
        return web.json_response({"id": "u1", "username": "ana", "totp": self.totp})

    async def _sessions(self, request: web.Request) -> web.Response:
        return web.json_response({"sessions": self.sessions})

    async def _end_session(self, request: web.Request) -> web.Response:
        if not self.proven:
            return self._step_up_required()
        self.sessions = [one for one in self.sessions if one["id"] != request.match_info["id"]]
        return web.Response(status=204)

    async def _begin_totp(self, request: web.Request) -> web.Response:
        if not self.proven:
            return self._step_up_required()
        return web.json_response(
            {"secret": "GEZDGNBVGY3TQOJQ", "otpauth_uri": "otpauth://totp/x", "digits": 6, "period": 30}
        )

    async def _confirm_totp(self, request: web.Request) -> web.Response:
        if (await request.json())["code"] != "123456":
            return web.json_response({"code": "code_invalid", "title": "No.", "status": 400}, status=400)
        self.totp = True
        return web.Response(status=204)

    async def _step_up(self, request: web.Request) -> web.Response:
        body = await request.json()
        if body != {"method": "password", "password": "secret"}:
            return web.json_response({"code": "invalid_credentials", "title": "Wrong.", "status": 401}, status=401)
        self.proven = True
        return web.json_response(
            {"access_token": "proven", "token_type": "Bearer", "expires_in": 300, "audience": "auth"}
        )

    def _step_up_required(self) -> web.Response:
        return web.json_response({"code": "step_up_required", "title": "Prove it.", "status": 403}, status=403)

    async def _logout(self, request: web.Request) -> web.Response:
        return web.Response(status=204)

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[AccountsServer]:
        """The API answers inside the block."""
        app = web.Application()
        app.router.add_post("/v1/auth/token/refresh", self._refresh)
        app.router.add_post("/v1/auth/login", self._login)
        app.router.add_post("/v1/auth/logout", self._logout)
        app.router.add_get("/v1/auth/me", self._me)
        app.router.add_get("/v1/auth/sessions", self._sessions)
        app.router.add_delete("/v1/auth/sessions/{id}", self._end_session)
        app.router.add_post("/v1/auth/me/totp", self._begin_totp)
        app.router.add_post("/v1/auth/me/totp/confirm", self._confirm_totp)
        app.router.add_post("/v1/auth/step-up", self._step_up)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.base = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/auth"
        try:
            yield self
        finally:
            await runner.cleanup()
