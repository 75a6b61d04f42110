"""The inner listener of every service: `/healthz`, `/readyz`, `/metrics`, and whatever internal routes a service adds.

`/healthz`: the process's loop turns. `/readyz`: 200 when every named check holds, else 503 with the names of those that do not; where a service has copies that do
different things, also the `role` of this one.
"""

from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

Check = Callable[[], Awaitable[bool]]


def application(
    registry: CollectorRegistry, checks: Mapping[str, Check], role: Callable[[], str] | None = None
) -> web.Application:
    """An aiohttp application with the three routes. Args: checks: what must hold for the service to be ready, by name; role: what this copy does now."""

    async def health(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def ready(_: web.Request) -> web.Response:
        missing = [name for name, check in checks.items() if not await check()]
        told: dict[str, object] = {"status": "unready" if missing else "ready", "missing": missing}
        if role is not None:
            told["role"] = role()
        return web.json_response(told, status=503 if missing else 200)

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(body=generate_latest(registry), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application(client_max_size=16 * 1024)
    app.add_routes([web.get("/healthz", health), web.get("/readyz", ready), web.get("/metrics", metrics)])
    return app
