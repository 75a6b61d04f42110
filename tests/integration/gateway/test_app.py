"""The whole road of a message through one gateway: sockets in, Redis out, and back to every member."""

from __future__ import annotations

import time
from pathlib import Path

import aiohttp
import pytest

from .rig import Rig, eventually, rig, user_id


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_a_message_reaches_every_member_once(tmp_path: Path, redis_url: str, transport: str) -> None:
    """What one member sends is answered, and pushed to all members, the sender too, over both transports."""
    async with rig(tmp_path, redis_url) as it:
        ana = await it.user("ana", transport)
        ben = await it.user("ben", "ws" if transport == "tcp" else "tcp")
        made = await ana.change("create_room", kind="public", title="Patio")
        room = made["room"]["id"]
        joined = await ben.change("join", room=room)

        sent = await ana.change("send", room=room, text="¿Qué tal? 👋")

        assert sent["op"] == "ok"
        seen = [await client.push("message") for client in (ana, ben)]
        assert {push["mid"] for push in seen} == {sent["mid"]}
        assert {push["seq"] for push in seen} == {sent["seq"]} == {joined["seq"] + 2}
        assert seen[0]["user"] == {"id": user_id("ana"), "name": "ana"}
        assert (await ben.push("member"))["user"]["name"] == "ben"


async def inner(it: Rig, path: str) -> tuple[int, str]:
    """An answer of the inner listener."""
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{it.gateway.inner_port}{path}") as answer,
    ):
        return answer.status, await answer.text()


async def test_readiness_names_what_is_missing(tmp_path: Path, redis_url: str) -> None:
    """Not ready before the first snapshot of bans; healthy all the same; every figure is there."""
    async with rig(tmp_path, redis_url, ready=False) as it:
        await eventually(lambda: it.gateway.missing() == ["bans"])
        assert await inner(it, "/readyz") == (503, '{"status": "unready", "missing": ["bans"]}')
        assert (await inner(it, "/healthz"))[0] == 200

        await it.redis.set("bans:generation", "1")
        await eventually(lambda: not it.gateway.missing())

        assert (await inner(it, "/readyz"))[0] == 200
        assert "gateway_connections" in (await inner(it, "/metrics"))[1]


async def test_draining_tells_everybody_and_takes_nobody(tmp_path: Path, redis_url: str) -> None:
    """4401 with a time to come back, running requests answered first; within the time that a restart has."""
    async with rig(tmp_path, redis_url, drain_spread_s=60) as it:
        ana, ben = await it.user("ana", "tcp"), await it.user("ben", "ws")
        number = ana.send("rooms")
        await eventually(lambda: it.chat.commands and it.chat.commands[-1].request == number)
        began = time.monotonic()

        it.stop.set()

        assert (await ana.answer(number))["op"] == "ok"
        for closed in (await ana.end(), await ben.end()):
            assert closed.disconnect is not None
            assert (closed.disconnect["code"], closed.disconnect["reconnect"]) == (4401, True)
            assert 0 <= closed.disconnect["after_ms"] <= 12
        with pytest.raises(OSError):
            await it.tcp()
        await it.over.wait()
        assert time.monotonic() - began < 20
