"""`while True: socket.send(data)` from fifty sockets: refused within the limits, memory flat, and a well-behaved pair goes on talking.

The gateway is a process of its own, as in production; the chat service is the one in memory. What is asserted are outcomes, never speeds.
"""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from garita_common import bus
from garita_common.core import channels
from tests.fakes.memory_chat import MemoryChat, Room
from tests.fakes.wire_clients import Client, TcpClient, WsClient, upgrade, ws_frame
from tests.integration.gateway.rig import WAIT_S, key_server, token, user_id

FLOODERS = 50
FLOOD_S = 4.0
MAX_GROWTH_KIB = 64 * 1024
"""Fifty sockets at their largest (a frame, a queue) are about 30 MiB; the rest is the allocator's."""


@dataclass
class Target:
    """A gateway process under attack."""

    pid: int
    http_port: int
    tcp_port: int
    inner_port: int
    chat: MemoryChat
    log: Path

    def resident_kib(self) -> int:
        """How much memory the process holds now."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))

    async def metrics(self) -> str:
        """What Prometheus would see."""
        url = f"http://127.0.0.1:{self.inner_port}/metrics"
        async with aiohttp.ClientSession() as session, session.get(url) as answer:
            return await answer.text()

    async def open(self, transport: str) -> Client:
        """A socket."""
        return await (TcpClient.open(self.tcp_port) if transport == "tcp" else WsClient.open(self.http_port))


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


@asynccontextmanager
async def target(folder: Path, redis_url: str) -> AsyncIterator[Target]:
    """`python -m gateway`, ready; told to stop at the end, and checked to have stopped in time and in order."""
    secrets = folder / "secrets"
    secrets.mkdir()
    (secrets / "address_key").write_text("0123456789abcdefghijklmnopqrstuvwxyz")
    http_port, tcp_port, inner_port = free_port(), free_port(), free_port()
    client = bus.connect(redis_url)
    await client.set(channels.BANS_GENERATION, "1")
    chat, log = MemoryChat(redis_url), folder / "gateway.log"
    async with key_server() as auth_url, chat.running():
        environment = {
            "PATH": os.environ["PATH"],
            "GARITA_REDIS_URL": redis_url,
            "GARITA_SECRETS_DIR": str(secrets),
            "GARITA_GATEWAY_AUTH_URL": auth_url,
            "GARITA_GATEWAY_BLOB_URL": (folder / "blobs").as_uri(),
            "GARITA_GATEWAY_HTTP_PORT": str(http_port),
            "GARITA_GATEWAY_TCP_PORT": str(tcp_port),
            "GARITA_GATEWAY_INNER_PORT": str(inner_port),
        }
        with log.open("wb") as sink:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "gateway", env=environment, stderr=sink, stdout=sink
            )
        try:
            await ready(inner_port)
            yield Target(process.pid, http_port, tcp_port, inner_port, chat, log)
        finally:
            process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(WAIT_S):
                code = await process.wait()
        assert code == 0
    await client.aclose()
    assert "Traceback" not in log.read_text()


async def ready(inner_port: int) -> None:
    """Waits until /readyz says so."""
    deadline = time.monotonic() + WAIT_S
    async with aiohttp.ClientSession() as session:
        while time.monotonic() < deadline:
            try:
                async with session.get(f"http://127.0.0.1:{inner_port}/readyz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.05)
    raise AssertionError("the gateway is not ready")


async def flood(open_one: Callable[[], object], data: bytes, until_s: float) -> int:
    """Opens a socket and sends without end; opens another when that one is closed. How many it took."""
    sockets = 0
    while time.monotonic() < until_s:
        sockets += 1
        try:
            client = await open_one()  # type: ignore[misc]
            assert isinstance(client, Client)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        try:
            while time.monotonic() < until_s:
                client.writer.write(data)
                async with asyncio.timeout(1.0):
                    await client.writer.drain()
                await asyncio.sleep(0)
        except (OSError, TimeoutError):
            pass
        finally:
            client.abort()
        await asyncio.sleep(0.1)
    return sockets


async def talk(target: Target, room: Room, until_s: float) -> int:
    """Two users talk to each other all the while; every message arrives, in order."""
    ana, ben = await target.open("tcp"), await target.open("ws")
    await ana.connect(token("ana"))
    await ben.connect(token("ben"))
    said = 0
    while time.monotonic() < until_s or not said:
        said += 1
        sent = await ana.ask("send", cmid=str(uuid.uuid4()), room=room.id, text=f"n{said}")
        assert sent["op"] == "ok", sent
        assert (await ben.push("message"))["text"] == f"n{said}"
        assert (await ana.push("message"))["seq"] == sent["seq"]
        await asyncio.sleep(0.6)
    for client in (ana, ben):
        await client.settle()
        client.abort()
    return said


JSON = b'{"op":"rooms","id":1}' + b" " * 400
TCP_FRAME = b"\x01" + len(JSON).to_bytes(4, "big") + JSON
BIG = b'{"op":"rooms","id":1}' + b" " * 900
CASES = {
    "tcp noise before connect": ("tcp", False, os.urandom(65536)),
    "tcp frames before connect": ("tcp", False, TCP_FRAME * 100),
    "tcp half a frame before connect": ("tcp", False, b"\x01\x00\x00\x3f\xff" * 100),
    "tcp frames after connect": ("tcp", True, TCP_FRAME * 100),
    "tcp large frames after connect": ("tcp", True, b"\x01" + (len(BIG)).to_bytes(4, "big") + BIG),
    "tcp chunks after connect": ("tcp", True, b"\x02" + (64 * 1024 + 24).to_bytes(4, "big") + bytes(64 * 1024 + 24)),
    "http headers without end": ("http", False, b"X: " + b"a" * 1000 + b"\r\n"),
    "ws noise before connect": ("ws", False, os.urandom(65536)),
    "ws frames before connect": ("ws", False, ws_frame(1, JSON) * 100),
    "ws frames after connect": ("ws", True, ws_frame(1, JSON) * 100),
    "ws pings after connect": ("ws", True, ws_frame(9, b"x" * 100) * 200),
    "ws empty fragments after connect": ("ws", True, ws_frame(1, b"{", fin=False) + ws_frame(0, b"", fin=False) * 500),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
async def test_a_flood_is_refused_and_a_pair_goes_on_talking(tmp_path: Path, redis_url: str, case: str) -> None:
    """Threat: a client that never stops sending, over every road into the gateway."""
    transport, connected, data = CASES[case]
    async with target(tmp_path, redis_url) as it:
        room = it.chat.room(user_id("ana"), user_id("ben"))
        before_kib = it.resident_kib()
        until_s = time.monotonic() + FLOOD_S

        async def open_one(number: int) -> Client:
            if transport == "http":
                reader, writer = await asyncio.open_connection("127.0.0.1", it.http_port)
                writer.write(upgrade().removesuffix(b"\r\n"))
                return TcpClient(reader, writer)
            client = await it.open(transport)
            if connected:
                await client.connect(token(f"eva{number}"))
            return client

        async with asyncio.TaskGroup() as tasks:
            pair = tasks.create_task(talk(it, room, until_s))
            for number in range(FLOODERS):
                tasks.create_task(flood(lambda n=number: open_one(n), data, until_s))  # type: ignore[misc]

        assert pair.result() >= 1
        assert it.resident_kib() - before_kib < MAX_GROWTH_KIB
        metrics = await it.metrics()
        refused = [
            line
            for line in metrics.splitlines()
            if line.startswith(("gateway_refused_total{", "gateway_read_pauses_total", "gateway_violations_total{"))
        ]
        assert any(float(line.split()[-1]) > 0 for line in refused)
        assert "gateway_faults_total{" not in metrics
