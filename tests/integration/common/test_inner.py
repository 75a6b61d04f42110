"""garita_common.inner over a real socket."""

import aiohttp
from prometheus_client import CollectorRegistry, Counter

from garita_common import inner
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
