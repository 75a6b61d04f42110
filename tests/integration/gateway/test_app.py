"""The whole road of a message through one gateway: sockets in, Redis out, and back to every member."""

from __future__ import annotations

from pathlib import Path

import pytest

from .rig import rig, user_id


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
