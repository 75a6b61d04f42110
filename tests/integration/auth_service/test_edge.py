"""auth_service.edge: what reaches a handler, and what everything else is answered with."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.integration.auth_service.conftest import ORIGIN, PASSWORD, World, Worlds

LOGIN = {"identifier": "ana", "password": PASSWORD}


@pytest.mark.parametrize(
    ("data", "headers", "status", "code"),
    [
        (json.dumps(LOGIN | {"admin": True}).encode(), {}, 400, "invalid_request"),
        (b"", {}, 400, "invalid_request"),
        (b"{", {}, 400, "invalid_request"),
        (b"[]", {}, 400, "invalid_request"),
        (b"null", {}, 400, "invalid_request"),
        (b'{"identifier":"ana","password":"\xff"}', {}, 400, "invalid_request"),
        (b'{"identifier":"ana","password":"a\\u0000b"}', {}, 400, "invalid_request"),
        (b'{"identifier":"ana","password":"\\ud800"}', {}, 400, "invalid_request"),
        (b'{"identifier":"ana","password":"x","identifier":"bo"}', {}, 400, "invalid_request"),
        (b'{"captcha":{"challenge":{},"challenge":{}}}', {}, 400, "invalid_request"),
        (b"[" * 10_000 + b"]" * 6_000, {}, 400, "invalid_request"),
        (b'{"captcha":' * 1_000, {}, 400, "invalid_request"),
        (b'{"identifier":"ana","password":"' + b"x" * 16_384 + b'"}', {}, 413, "payload_too_large"),
        (b"x" * 1_000_000, {}, 413, "payload_too_large"),
        (json.dumps(LOGIN).encode(), {"Content-Type": "text/plain"}, 415, "unsupported_media"),
        (json.dumps(LOGIN).encode(), {"Content-Type": "application/x-www-form-urlencoded"}, 415, "unsupported_media"),
        (gzip.compress(b"x" * 10_000_000), {"Content-Encoding": "gzip"}, 415, "unsupported_media"),
    ],
)
async def test_bodies_that_no_handler_sees(
    world: World, data: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    """Unknown fields, no JSON, text with U+0000 or half a character, too deep, too large, another kind."""
    answer = await world.ask("POST", "/login", data=data, headers=headers)

    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Content-Type"] == "application/problem+json"


async def test_a_chunked_body_is_cut_off_at_its_limit(world: World) -> None:
    """Also where no length is announced."""

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 1024

    url = f"{world.url}/v1/auth/login"
    async with world.http.post(url, data=endless(), headers={"Content-Type": "application/json"}) as response:
        assert response.status == 413


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    data=st.one_of(
        st.binary(max_size=300),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=10),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        ).map(lambda value: json.dumps(value).encode()),
    )
)
@pytest.mark.parametrize("path", ["/login", "/registrations", "/token/refresh", "/challenges"])
def test_any_body_is_answered_in_the_4xx(
    event_world: tuple[asyncio.AbstractEventLoop, World], path: str, data: bytes
) -> None:
    """Random bytes and random JSON never make a 500."""
    loop, world = event_world
    answer = loop.run_until_complete(world.ask("POST", path, data=data))

    assert 400 <= answer.status < 500 or answer.status == 200
    assert answer.code != "internal"


@pytest.fixture
def event_world(worlds: Worlds):  # type: ignore[no-untyped-def]
    """A running service and its loop, for tests that are not asynchronous themselves."""
    loop = asyncio.new_event_loop()
    context = worlds()
    world = loop.run_until_complete(context.__aenter__())
    yield loop, world
    loop.run_until_complete(context.__aexit__(None, None, None))
    loop.close()


async def test_what_no_route_takes_is_a_problem_too(world: World) -> None:
    """Unknown paths, other methods, paths that climb."""
    for method, path, code in (
        ("GET", "/nothing", "not_found"),
        ("GET", "/login", "method_not_allowed"),
        ("PUT", "/me", "method_not_allowed"),
        ("GET", "/../../etc/passwd", "not_found"),
        ("GET", "/sessions/%2e%2e%2fme", "method_not_allowed"),
    ):
        answer = await world.ask(method, path)
        assert answer.code == code, path
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Origin": ORIGIN}, 401),
        ({"Origin": ORIGIN, "X-Garita-Web": "1"}, 401),
        ({"Origin": "http://localhost:8080"}, 401),
        ({"X-Garita-Web": "1"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": ORIGIN + ".evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8080"}, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_only_our_own_pages_may_change_anything(world: World, headers: dict[str, str], status: int) -> None:
    """Browser mode needs our own Origin; a foreign one is refused in any mode."""
    answer = await world.post("/login", LOGIN, headers=headers)

    assert answer.status == status
    assert status != 403 or answer.code == "origin_rejected"
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_every_answer_has_the_protecting_headers(world: World) -> None:
    """Good and bad ones alike."""
    for answer in (await world.post("/login", LOGIN), await world.get("/openapi.json"), await world.get("/nothing")):
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert (await world.post("/login", LOGIN)).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "Basic abc", "é", "x" * 5000])
async def test_no_token_opens_nothing(world: World, token: str) -> None:
    """Every route that needs one refuses before it looks at anything."""
    headers = {"Authorization": token if token.startswith("Basic") else f"Bearer {token}"}
    for method, path in (("GET", "/me"), ("GET", "/sessions"), ("DELETE", f"/sessions/{'0' * 32}")):
        answer = await world.ask(method, path, headers=headers)
        assert (answer.status, answer.code) == (401, "token_invalid")


async def test_requests_of_one_address_are_limited_where_addresses_count(worlds: Worlds) -> None:
    """The limit and one past it; Retry-After says when; a forged X-Forwarded-For is not believed."""
    async with worlds(GARITA_LOOPBACK="public", ALL_PER_PREFIX_PER_5_MIN="5") as world:
        answers = [
            await world.get("/.well-known/jwks.json", headers={"X-Forwarded-For": f"203.0.113.{n}"}) for n in range(6)
        ]

        assert [answer.status for answer in answers] == [200] * 5 + [429]
        assert int(answers[-1].headers["Retry-After"]) == answers[-1].body["retry_after"] >= 1


async def test_behind_a_trusted_proxy_each_client_counts_for_itself(worlds: Worlds) -> None:
    """The right-most untrusted entry is the client; what the client wrote further left is not looked at."""
    async with worlds(TRUSTED_PROXIES="127.0.0.1", ALL_PER_PREFIX_PER_5_MIN="2") as world:

        async def ask(forwarded: str) -> int:
            return (await world.get("/.well-known/jwks.json", headers={"X-Forwarded-For": forwarded})).status

        assert [await ask("203.0.113.1") for _ in range(3)] == [200, 200, 429]
        assert await ask("203.0.113.2") == 200
        assert await ask("203.0.113.2, 203.0.113.1") == 429
        assert [await ask(f"2001:db8::{n:x}") for n in range(1, 4)] == [200, 200, 429], "a /64 is one address"


async def test_too_many_requests_at_once_are_shed(worlds: Worlds) -> None:
    """503 with Retry-After, and none of them an error of ours."""
    async with worlds(OPEN_REQUESTS="3") as world:
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(world.post("/login", LOGIN | {"identifier": f"n{n}"})) for n in range(40)]

        answers = [task.result() for task in asked]
        assert {answer.status for answer in answers} <= {401, 503}
        assert any(answer.status == 503 for answer in answers)
        assert all("Retry-After" in answer.headers for answer in answers if answer.status == 503)
