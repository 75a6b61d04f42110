"""G-09: a client that asks much and reads nothing."""

import asyncio

from tests.attack import raw
from tests.attack.conftest import Target

TEXT = "x" * 8000


async def test_who_does_not_read_is_closed_and_nobody_waits_for_it(target: Target, no_traceback: None) -> None:
    """A member that stops reading is dropped when 512 KiB wait for it; the others get every message."""
    ana, ben, eve = [await target.person() for _ in range(3)]
    async with (
        target.connected(ana) as speaker,
        target.connected(ben, websocket=True) as reader,
        target.connected(eve) as deaf,
    ):
        room = (await speaker.change("create_room", kind="public", title="loud"))["room"]["id"]
        for member in (reader, deaf):
            assert (await member.change("join", room=room))["op"] == "ok"
        for _ in range(40):  # history of its own, asked for again and again and never read
            answer = await speaker.change("send", room=room, text=TEXT)
            if answer.get("code") == "rate_limited":
                await raw.pause(answer["retry_after_ms"] / 1000)
        transport = deaf.writer.transport
        assert isinstance(transport, asyncio.Transport)
        transport.pause_reading()
        number = 0

        async def gone() -> bool:
            nonlocal number
            number += 1
            if transport.is_closing():
                return True
            try:
                await deaf.send_json({"op": "history", "id": number, "room": room, "limit": 100})
            except OSError:
                return True
            said = await speaker.change("send", room=room, text="still here")
            assert said["op"] == "ok" or said["code"] == "rate_limited", said
            return await slow_consumers(target) > 0

        await raw.eventually(gone, 90)
        heard = 0
        async with asyncio.timeout(60):
            last = (await speaker.request("room", room=room))["room"]["head"]
            while heard < last:
                heard = (await reader.push("message"))["seq"]

    assert heard >= last


async def slow_consumers(target: Target) -> float:
    """How many the gateway closed for not reading, by its own count."""
    return await raw.metric(target.gateway()["inner"], "4408", "slow_consumer")
