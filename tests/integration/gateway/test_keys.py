"""The auth service's keys: fetched until they are there, kept when a fetch fails, never fetched because of a token."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from msgspec import json

from garita_common.core.tokens import Jwks, Keyring, jwk_of
from gateway.keys import PATH, KeyFeed

from .rig import KEY, eventually

GOOD = json.encode(Jwks([jwk_of(KEY.public_key())]))


class AuthService:
    """Answers what a test wants, and counts."""

    def __init__(self) -> None:
        self.body, self.status, self.asked = GOOD, 200, 0
        self.held: list[Keyring] = []

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        return web.Response(body=self.body, status=self.status)

    @asynccontextmanager
    async def fed(self, every_s: float = 0.05) -> AsyncIterator[None]:
        """A feed that asks this service while the block runs."""
        app = web.Application()
        app.add_routes([web.get(PATH, self.answer)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        feed = KeyFeed(url, self.held.append, every_s=every_s, timeout_s=5)
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(feed.run())
            yield
            task.cancel()
        await runner.cleanup()


async def test_keys_are_fetched_at_once_and_again() -> None:
    """Every so often."""
    service = AuthService()
    async with service.fed():
        await eventually(lambda: len(service.held) >= 3)

    assert len(service.held[0]) == 1


@pytest.mark.parametrize(
    ("body", "status"), [(b"", 200), (b'{"keys":[]}', 200), (b"x" * 100_000, 200), (GOOD, 500), (GOOD, 302)]
)
async def test_a_fetch_that_fails_changes_nothing_and_is_repeated(body: bytes, status: int) -> None:
    """No keys, too many bytes, an error, a redirect."""
    service = AuthService()
    service.body, service.status = body, status
    async with service.fed():
        await eventually(lambda: service.asked >= 2)
        assert service.held == []

        service.body, service.status = GOOD, 200

        await eventually(lambda: service.held)
