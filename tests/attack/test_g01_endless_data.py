"""G-01: `while True: socket.send(data)` on both transports, before and after `connect`, from many sockets at once."""

import asyncio
import time
import uuid

import pytest

from tests.attack import raw
from tests.attack.conftest import Target

SOCKETS = 50
SECONDS = 4.0
MESSAGES = 3
LONGEST_S = 60.0
GROWTH_KIB = 64 * 1024
PIECE = b"x" * 65536


async def flood(connection: raw.RawConnection, piece: bytes, over: asyncio.Event) -> None:
    """Sends until the server ends it or the drill is over."""
    try:
        async with asyncio.timeout(LONGEST_S):
            while not over.is_set():
                await connection.send_raw(piece)
                await asyncio.sleep(0)
    except (TimeoutError, OSError):
        return


async def talk(one: raw.RawConnection, other: raw.RawConnection, room: str, over: asyncio.Event) -> None:
    """A calm conversation while the floods last: every message is stored and delivered, however long the machine takes. Ends the drill."""
    started_s = time.monotonic()
    count = 0
    try:
        while time.monotonic() - started_s < SECONDS or count < MESSAGES:
            cmid = str(uuid.uuid4())
            while (answer := await one.request("send", cmid=cmid, room=room, text=f"calm {count}"))["op"] != "ok":
                assert answer["temporary"], answer  # as any client should: the same cmid again
                await raw.pause(answer.get("retry_after_ms", 500) / 1000)
            heard = await other.push("message")
            assert heard["text"] == f"calm {count}"
            count += 1
            await asyncio.sleep(0.7)
    finally:
        over.set()


@pytest.mark.parametrize("transport", ["tcp", "websocket"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_endless_data_is_refused_and_a_calm_pair_talks_on(
    target: Target, no_traceback: None, transport: str, moment: str
) -> None:
    """50 sockets send as fast as they can; memory stays flat, and two well-behaved people lose nothing."""
    one, other = await target.person(), await target.person()
    attackers = [await target.person() for _ in range(5)] if moment == "after" else []
    async with target.connected(one) as ana, target.connected(other, websocket=True) as ben:
        room = (await ana.change("create_room", kind="public", title="calm"))["room"]["id"]
        assert (await ben.change("join", room=room))["op"] == "ok"
        await ben.push("member")
        before_kib = target.resident_kib("gateway-1")
        over = asyncio.Event()

        async def attack(number: int) -> None:
            try:
                if moment == "after":
                    async with target.connected(
                        attackers[number % 5], websocket=transport == "websocket"
                    ) as connection:
                        await flood(connection, frames(transport), over)
                    return
                source = raw.fresh_address()
                opened = (
                    raw.websocket(target.http(), source) if transport == "websocket" else raw.tcp(target.tcp(), source)
                )
                async with opened as connection:
                    await flood(connection, frames(transport) if number % 2 else PIECE, over)
            except (raw.Closed, OSError, AssertionError):
                return

        async with asyncio.TaskGroup() as tasks:
            for number in range(SOCKETS):
                tasks.create_task(attack(number))
            await talk(ana, ben, room, over)

    assert target.resident_kib("gateway-1") - before_kib < GROWTH_KIB


def frames(transport: str) -> bytes:
    """Many small frames that are right in form."""
    text = b'{"op":"rooms","id":1}'
    frame = (
        raw.websocket_frame(0x1, text) if transport == "websocket" else b"\x01" + len(text).to_bytes(4, "big") + text
    )
    return frame * 500
