"""garita_common.inner over a real socket."""

import asyncio

import aiohttp
import pytest
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter

from garita_common import inner, logs
from garita_common.runtime import listening


async def test_readiness_names_what_is_missing() -> None:
    """503 with the names of the checks that fail, 200 when all hold; health and metrics answer all along."""
    registry = CollectorRegistry()
    Counter("things_total", "Things.", registry=registry).inc()
    state = {"redis": False}

    async def redis() -> bool:
        return state["redis"]

    async with (
        listening(inner.application(registry, {"redis": redis}), "127.0.0.1", 0) as port,
        aiohttp.ClientSession(f"http://127.0.0.1:{port}") as http,
    ):
        async with http.get("/readyz") as answer:
            assert (answer.status, await answer.json()) == (503, {"status": "unready", "missing": ["redis"]})
        state["redis"] = True
        async with http.get("/readyz") as answer:
            assert answer.status == 200
        async with http.get("/healthz") as answer:
            assert answer.status == 200
        async with http.get("/metrics") as answer:
            assert "things_total 1.0" in await answer.text()


async def test_malformed_http_writes_no_log_and_a_fault_of_ours_does(caplog: pytest.LogCaptureFixture) -> None:
    """A stranger must not fill our log; an exception in a handler must be seen."""

    async def fault(_: web.Request) -> web.Response:
        raise RuntimeError("ours")

    logs.configure("toy", "INFO")
    app = inner.application(CollectorRegistry(), {})
    app.router.add_get("/fault", fault)
    async with listening(app, "127.0.0.1", 0) as port:
        for request in (
            b"\x16\x03\x01 nonsense\r\n\r\n",
            b"GET /fault HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        ):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(request)
            async with asyncio.timeout(15):
                await reader.read()
            writer.close()

    assert [str(record.exc_info[1]) for record in caplog.records if record.exc_info] == ["ours"]
