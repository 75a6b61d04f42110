"""gateway.renewing: while Redis is away the auth service is asked, and without its answer nobody's token is extended."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.integration.gateway.rig import SERVICE_TOKEN, eventually, rig, token, user_id


@dataclass
class Judge:
    """The auth service's introspection; `active` None: it does not know either."""

    url: str = ""
    active: bool | None = True
    whose: dict[str, str] = field(default_factory=dict)
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def introspect(self, request: web.Request) -> web.Response:
        """Answers, if the service token is right."""
        if request.headers.get("Authorization") != f"Bearer {SERVICE_TOKEN}":
            return web.json_response({}, status=401)
        self.asked.append(await request.json())
        return web.json_response(
            {"active": self.active is not False, **self.whose}, status=503 if self.active is None else 200
        )


@asynccontextmanager
async def judging() -> AsyncIterator[Judge]:
    """A judge that listens."""
    judge = Judge()
    app = web.Application()
    app.add_routes([web.post("/internal/introspect", judge.introspect)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    judge.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield judge
    finally:
        await runner.cleanup()


class Cable:
    """A way to Redis that can be cut."""

    def __init__(self, redis_url: str, path: Path) -> None:
        """Args: path: the socket of this end."""
        self._far, self._path = redis_url.removeprefix("unix://"), path
        self._writers: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Redis by this way."""
        return f"unix://{self._path}"

    async def lay(self) -> None:
        """Lets connections through."""
        self._server = await asyncio.start_unix_server(self._through, str(self._path))

    def cut(self) -> None:
        """Ends them all and takes no more."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_unix_connection(self._far)
        self._writers += [writer, far_writer]

        async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65536):
                    sink.write(data)
                    await sink.drain()
            except OSError:
                pass
            sink.transport.abort()

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(pump(reader, far_writer))
            tasks.create_task(pump(far_reader, writer))


@pytest.mark.parametrize(
    ("active", "outcome"), [(True, "ok"), (False, "token_expired"), (None, "busy")], ids=["good", "ended", "unknown"]
)
async def test_abuse_51_without_redis_the_auth_service_decides(
    tmp_path: Path, redis_url: str, active: bool | None, outcome: str
) -> None:
    """A good token extends the connection, an ended session closes it, and no answer is busy: the old token still ends it."""
    cable = Cable(redis_url, tmp_path / "redis")
    await cable.lay()
    async with judging() as judge, rig(tmp_path, redis_url, gateway_redis=cable.url, auth_inner_url=judge.url) as it:
        judge.active = active
        client = await it.user("ana")
        assert (await client.ask("renew", token=token("ana")))["op"] == "ok"
        assert judge.asked == []  # while Redis is there nobody needs to be asked
        cable.cut()
        await eventually(lambda: "redis" in it.gateway.missing())
        later = token("ana", lifetime_s=320)

        answer = await client.ask("renew", token=later)

        assert judge.asked == [{"token": later, "audience": "chat"}]
        assert answer.get("code", answer["op"]) == outcome
        if active is False:
            closed = await client.end()
            assert closed.disconnect is not None and closed.disconnect["code"] == 4403
        else:
            held = it.gateway.people.of(user_id("ana"))
            assert [connection.closed for connection in held] == [False]


async def test_without_an_address_to_ask_it_is_busy(tmp_path: Path, redis_url: str) -> None:
    """Fail closed; and somebody else's token is refused before anybody is asked."""
    cable = Cable(redis_url, tmp_path / "redis")
    await cable.lay()
    async with rig(tmp_path, redis_url, gateway_redis=cable.url) as it:
        client = await it.user("ana")
        cable.cut()
        await eventually(lambda: "redis" in it.gateway.missing())
        assert (await client.ask("renew", token=token("ana")))["code"] == "busy"


async def test_another_users_token_is_refused_without_asking(tmp_path: Path, redis_url: str) -> None:
    """4500, with Redis or without."""
    cable = Cable(redis_url, tmp_path / "redis")
    await cable.lay()
    async with judging() as judge, rig(tmp_path, redis_url, gateway_redis=cable.url, auth_inner_url=judge.url) as it:
        client = await it.user("ana")
        cable.cut()
        await eventually(lambda: "redis" in it.gateway.missing())
        await client.ask("renew", token=token("eva"))
        closed = await client.end()
        assert closed.disconnect is not None and closed.disconnect["code"] == 4500
        assert judge.asked == []
