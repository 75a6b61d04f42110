"""A connection over time: pings, slow readers, floods of bytes, and faults of our own."""

from __future__ import annotations

import asyncio
import socket
import time
from pathlib import Path

import pytest

from garita_common.core.activity import RateHit
from garita_common.core.channels import ACTIVITY_STREAM
from tests.fakes.wire_clients import Client

from .rig import eventually, rig, user_id
from .test_attach import ANA, talk

TRANSPORTS = ["tcp", "ws"]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_client_that_answers_pings_stays(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Through several of them."""
    async with rig(tmp_path, redis_url, ping_interval_s=0.2, pong_timeout_s=5) as it:
        client = await it.user("ana", transport)
        pings = 0
        while pings < 3:
            async with asyncio.timeout(20):
                frame = await client.frame()
            assert isinstance(frame, dict)
            if frame["op"] == "ping":
                assert frame == {"op": "ping"}
                pings += 1
                client.send_text(b'{"op":"pong"}')

        await client.settle()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_client_that_does_not_is_told_and_closed(tmp_path: Path, redis_url: str, transport: str) -> None:
    """4409."""
    async with rig(tmp_path, redis_url, ping_interval_s=0.2, pong_timeout_s=0.3) as it:
        client = await it.user("ana", transport)
        codes: list[int] = []
        while not codes:
            async with asyncio.timeout(20):
                frame = await client.frame()
            assert isinstance(frame, dict)
            codes += [frame["code"]] if frame["op"] == "disconnect" else []

        assert codes == [4409]


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_connect_has_to_come_in_time(tmp_path: Path, redis_url: str, transport: str) -> None:
    """4502."""
    async with rig(tmp_path, redis_url, connect_timeout_s=0.5) as it:
        client = await it.either(transport)

        closed = await client.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4502


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_slow_reader_is_closed_and_nobody_waits_for_it(tmp_path: Path, redis_url: str, transport: str) -> None:
    """More than its queue holds: 4408 by the figures; another member gets everything meanwhile."""
    async with rig(tmp_path, redis_url, queue_bytes=256 * 1024) as it:
        room = it.chat.room(ANA, user_id("ben"))
        slow, quick = await it.user("ana", transport), await it.user("ben", transport)
        slow.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]

        text = "x" * 8000
        for _ in range(30):
            for _ in range(30):
                await it.chat.say(room, text)
            for _ in range(30):
                await quick.push("message")
            if it.figure("gateway_closed_total", reason="4408"):
                break

        assert it.figure("gateway_closed_total", reason="4408") == 1
        await quick.settle()
        await eventually(lambda: it.figure("gateway_connections", transport=slow_name(transport)) == 1)


def slow_name(transport: str) -> str:
    """The transport's name in metrics."""
    return "tcp" if transport == "tcp" else "websocket"


async def pour(client: Client, data: bytes, seconds: float) -> int:
    """`while True: socket.send(data)`, for a while or until the server has had enough; how many bytes it took."""
    sent, until = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < until:
            client.writer.write(data)
            async with asyncio.timeout(max(0.05, until - time.monotonic())):
                await client.writer.drain()
            sent += len(data)
    except (ConnectionError, TimeoutError):
        pass
    return sent


async def test_bytes_over_the_budget_are_slowed_to_it(tmp_path: Path, redis_url: str) -> None:
    """The client finds that it cannot send faster; its connection goes on."""
    async with rig(tmp_path, redis_url, bytes_in_burst=64 * 1024, bytes_in_per_s=32 * 1024, flood_s=60) as it:
        client = await it.user("ana")
        frame = b'{"op":"pong"}' + b" " * 40
        whole = b"\x01" + len(frame).to_bytes(4, "big") + frame

        client.writer.write(whole * 4000)
        await eventually(lambda: it.figure("gateway_read_pauses_total") > 0)

        assert it.figure("gateway_closed_total", reason="4413") == 0


async def test_a_flood_that_goes_on_is_ended_and_recorded(tmp_path: Path, redis_url: str) -> None:
    """4413, and a record of the limit for the detector."""
    async with rig(tmp_path, redis_url, bytes_in_burst=16384, bytes_in_per_s=16384, flood_s=0.5, pause_s=0.3) as it:
        client = await it.user("ana")
        frame = b'{"op":"pong"}' + b" " * 40
        await pour(client, (b"\x01" + len(frame).to_bytes(4, "big") + frame) * 100, 8)

        await eventually(lambda: it.figure("gateway_closed_total", reason="4413") == 1)
        hits = await eventually(lambda: it.events(ACTIVITY_STREAM, RateHit))
        assert {hit.limit for hit in hits} == {"bytes_in"}


async def test_an_end_by_errors_is_recorded_with_all_of_them(tmp_path: Path, redis_url: str) -> None:
    """Twenty errors are twenty refusals to the detector, though it hears of one end."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        frame = b'{"op":"fly","id":7}'
        client.writer.write((b"\x01" + len(frame).to_bytes(4, "big") + frame) * 20)

        hits = await eventually(lambda: it.events(ACTIVITY_STREAM, RateHit))
        assert [(hit.limit, hit.count) for hit in hits] == [("errors", 20)]


async def test_a_fault_of_ours_ends_one_connection_and_is_logged_once(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """4402, no detail for the peer, one traceback a minute for us, and everybody else goes on."""
    async with rig(tmp_path, redis_url) as it:
        ben = await it.user("ben")
        broken = [await it.user(f"u{n}", "ws") for n in range(3)]

        for connection in list(it.gateway.desk.connections.values()):
            if connection.user != user_id("ben"):
                connection.session.json_limit = None  # type: ignore[assignment]
        for client in broken:
            client.send_text(b'{"op":"rooms","id":1}')
            assert (await client.end()).code == 4402

        await ben.settle()
        assert capsys.readouterr().out.count("connection_failed") == 1


async def test_a_connection_that_is_gone_leaves_nothing_behind(tmp_path: Path, redis_url: str) -> None:
    """No timer, no feed member, no user, no count."""
    async with rig(tmp_path, redis_url, room_keep_s=0.1) as it:
        it.chat.room(ANA)
        for transport in TRANSPORTS * 3:
            (await it.user("ana", transport)).abort()

        await eventually(lambda: not it.gateway.desk.connections)
        await eventually(lambda: len(it.gateway.hub) == 0)
        assert len(it.gateway.people) == 0
        assert it.figure("gateway_connections", transport="tcp") == 0
        assert it.figure("gateway_connections", transport="websocket") == 0


async def test_talk_reaches_a_member_between_pings(tmp_path: Path, redis_url: str) -> None:
    """Pushes and pings share the connection without disturbing each other."""
    async with rig(tmp_path, redis_url, ping_interval_s=0.05, pong_timeout_s=5) as it:
        room = it.chat.room(ANA)
        client = await it.user("ana")
        for number in range(1, 40):
            await talk(it, room, 1)
            assert (await client.push("message"))["seq"] == number


async def test_a_user_s_connections_share_their_bytes(tmp_path: Path, redis_url: str) -> None:
    """Each is within its own budget, together they are over the user's: reading pauses, whichever transport they use, and nobody else's does."""
    async with rig(tmp_path, redis_url, user_bytes_in_burst=8192, user_bytes_in_per_s=1024, flood_s=60) as it:
        clients = [await it.user("ana", transport) for transport in TRANSPORTS * 2]
        ben = await it.user("ben")
        before = it.figure("gateway_read_pauses_total")

        for client in clients:
            for _ in range(40):
                client.send_text(b'{"op":"pong"}')
        await eventually(lambda: it.figure("gateway_read_pauses_total") > before)

        await ben.settle()
        assert it.figure("gateway_closed_total", reason="4413") == 0


async def test_a_queue_may_be_full_and_not_one_byte_more(tmp_path: Path, redis_url: str) -> None:
    """What waits is counted to the byte: at the limit the connection stays, one past it 4408."""
    async with rig(tmp_path, redis_url, queue_bytes=400_000) as it:
        for extra, reason in ((0, ""), (1, "4408")):
            client = await it.user("ana")
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]
            (connection,) = [each for each in it.gateway.desk.connections.values() if not each.closed]
            while connection.transport.get_write_buffer_size() < 100_000:
                connection.enqueue(b"x" * 50_000)
                await asyncio.sleep(0)
            connection.enqueue(b"x" * (400_000 + extra - connection.transport.get_write_buffer_size()))
            await asyncio.sleep(0.01)

            assert connection.reason == reason
            client.abort()
            await eventually(lambda: not it.gateway.desk.connections)
