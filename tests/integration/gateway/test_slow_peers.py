"""Peers that are slow on purpose, or no longer there: each is cut off by a deadline of ours, and nobody else notices."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.fakes.wire_clients import Client, TcpClient, upgrade

from .rig import Rig, eventually, rig, token, user_id
from .test_attach import ANA
from .test_connection import TRANSPORTS, slow_name

BEN = user_id("ben")


class Deaf:
    """A raw socket with a small window, which reads only what it is told to."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)

    async def send(self, data: bytes) -> None:
        """Writes."""
        await asyncio.get_running_loop().sock_sendall(self.sock, data)

    async def read(self, size: int) -> bytes:
        """Reads a little."""
        async with asyncio.timeout(20):
            return await asyncio.get_running_loop().sock_recv(self.sock, size)

    async def ended(self) -> bool:
        """Reads to the end, or is cut off."""
        try:
            while await self.read(65_536):
                pass
        except ConnectionError:
            pass
        return True


@asynccontextmanager
async def deaf(port: int) -> AsyncIterator[Deaf]:
    """One of them, closed in the end."""
    it = Deaf(port)
    try:
        yield it
    finally:
        it.sock.close()


def tcp_frame(data: bytes) -> bytes:
    """JSON over TCP."""
    return b"\x01" + len(data).to_bytes(4, "big") + data


async def test_a_reader_below_its_queue_s_limit_is_closed_by_the_deadline(tmp_path: Path, redis_url: str) -> None:
    """It answers every ping, reads a byte now and then, and never lets its queue fill: 4408 all the same, and another member misses nothing."""
    async with rig(
        tmp_path,
        redis_url,
        ping_interval_s=0.2,
        pong_timeout_s=60,
        write_timeout_s=1,
        sndbuf_bytes=4096,
        queue_bytes=64 * 1024 * 1024,
        bytes_in_per_s=1024 * 1024,
    ) as it:
        room = it.chat.room(ANA, BEN)
        quick = await it.user("ben")
        async with deaf(it.gateway.tcp_port) as slow:
            await slow.send(tcp_frame(b'{"op":"connect","id":1,"v":1,"token":"' + token("ana").encode() + b'"}'))
            await eventually(lambda: it.gateway.people.of(ANA))
            await slow.read(300)
            for _ in range(100):
                await it.chat.say(room, "x" * 8000)
                await quick.push("message")

            async with asyncio.timeout(20):
                while not it.figure("gateway_closed_total", reason="4408"):
                    await slow.send(tcp_frame(b'{"op":"pong"}'))
                    await slow.read(1)
                    await asyncio.sleep(0.05)

            assert it.figure("gateway_refused_total", reason="write_timeout") == 1
            await eventually(lambda: it.figure("gateway_connections", transport="tcp") == 1)
            await quick.settle()


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_peer_that_has_vanished_is_let_go_of(tmp_path: Path, redis_url: str, transport: str) -> None:
    """It neither answers nor reads nor closes: no pong, then cut off without waiting for its goodbye."""
    async with rig(tmp_path, redis_url, ping_interval_s=0.2, pong_timeout_s=0.5, close_s=0.2) as it:
        gone = await it.user("ana", transport)
        gone.writer.transport.pause_reading()  # type: ignore[attr-defined]

        await eventually(lambda: it.figure("gateway_closed_total", reason="4409") == 1)
        await eventually(lambda: it.figure("gateway_connections", transport=slow_name(transport)) == 0)
        assert len(it.gateway.people) == 0


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_a_frame_that_trickles_in_does_not_stand_for_a_pong(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """A byte now and then keeps nobody connected."""
    async with rig(tmp_path, redis_url, ping_interval_s=0.3, pong_timeout_s=0.5) as it:
        client = await it.user("ana", transport)
        client.writer.write(b"\x01\x00\x00\x40\x00" if transport == "tcp" else b"\x81\xfe\x40\x00abcd")

        async with asyncio.timeout(20):
            while not it.figure("gateway_closed_total", reason="4409"):
                client.writer.write(b" ")
                await asyncio.sleep(0.05)


async def test_a_page_s_last_bytes_have_the_same_deadline(tmp_path: Path, redis_url: str) -> None:
    """An answer that is whole and short of the high-water mark does not wait for ever either."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("x" * 30_000)
    async with rig(tmp_path, redis_url, web_dir=web, page_idle_s=0.5, sndbuf_bytes=4096) as it:
        async with deaf(it.gateway.http_port) as slow:
            await slow.send(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")

            await eventually(lambda: it.figure("gateway_refused_total", reason="slow_reader") == 1)
            await eventually(lambda: it.figure("gateway_connections", transport="http") == 0)


@pytest.mark.parametrize("first", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize(
    "slow", [b"GET / HTTP/1.1\r\nHost: x\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n"]
)
async def test_slow_headers_and_bodies_end_on_a_kept_connection_too(
    tmp_path: Path, redis_url: str, first: bytes, slow: bytes
) -> None:
    """A first good request buys nobody time for a second that never ends."""
    async with rig(tmp_path, redis_url, header_timeout_s=0.5, page_idle_s=0.5) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
        client: Client = TcpClient(reader, writer)
        it.clients.append(client)
        writer.write(first)
        if first:
            await reader.readuntil(b"\r\n\r\n")
        writer.write(slow)
        await eventually(lambda: it.figure("gateway_accepted_total", transport="http") == 1)

        await trickle_until_ended(client)
        await eventually(lambda: it.figure("gateway_connections", transport="http") == 0)


async def trickle_until_ended(client: Client) -> None:
    """Goes on sending a byte now and then, until the server has had enough."""
    ended = asyncio.Event()

    async def read() -> None:
        try:
            while await client.reader.read(65_536):
                pass
        except ConnectionError:
            pass
        ended.set()

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(read())
        while not ended.is_set():
            client.writer.write(b"a")
            await asyncio.sleep(0.05)


async def test_a_storm_of_connections_leaves_nothing_and_nobody_notices(tmp_path: Path, redis_url: str) -> None:
    """Hundreds come, say something or nothing, and reset; a pair talks meanwhile."""
    async with rig(tmp_path, redis_url, accept_burst=5000) as it:
        room = it.chat.room(ANA, BEN)
        ana, ben = await it.user("ana"), await it.user("ben", "ws")
        for turn in range(10):
            await storm(it, 40)
            await it.chat.say(room, f"turn {turn}")
            for client in (ana, ben):
                assert (await client.push("message"))["text"] == f"turn {turn}"

        await eventually(lambda: len(it.gateway.desk.connections) == 2)
        await eventually(lambda: it.figure("gateway_connections", transport="http") == 0)
        assert it.figure("gateway_faults_total", where="read") == 0


async def storm(it: Rig, count: int) -> None:
    """So many sockets, each at another stage when it goes."""
    words = [b"", upgrade()[:40], upgrade(), b"\x01\x00\x00\x00\x02{}", b"\x52"]
    for number in range(count):
        port = it.gateway.http_port if number % 2 else it.gateway.tcp_port
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(words[number % len(words)])
        writer.transport.abort()
