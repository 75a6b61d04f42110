"""Sockets as an attacker has them: any bytes, any source address of 127.0.0.0/8, no client library in between."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import struct
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

PATIENCE_S = 20.0
_hosts = itertools.count(2)


def fresh_address() -> str:
    """A loopback address that no other test of this run has used."""
    number = next(_hosts)
    return f"127.{10 + os.getpid() % 200}.{number // 250}.{2 + number % 250}"


class Closed(Exception):
    """The server ended the connection; `said` is the last `disconnect` it sent, if any, `code` the WebSocket close code."""

    def __init__(self, said: dict[str, Any] | None, code: int | None = None) -> None:
        """Args: said: the push; code: of the close frame."""
        super().__init__(f"closed: {said} {code}")
        self.said = said
        self.code = code


class RawConnection:
    """What both transports have in common: frames out, frames in, and what was said before the end."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Args: reader, writer: of an open connection."""
        self.reader = reader
        self.writer = writer
        self.disconnect: dict[str, Any] | None = None
        self._ids = itertools.count(1)
        self.pushes: list[dict[str, Any]] = []

    async def send_json(self, frame: dict[str, Any]) -> None:
        """One operation."""
        await self.send_text(json.dumps(frame).encode())

    async def send_text(self, payload: bytes) -> None:
        """One text frame of any bytes."""
        raise TypeError("a transport says how")

    async def send_raw(self, data: bytes) -> None:
        """Any bytes at all."""
        self.writer.write(data)
        await self.writer.drain()

    async def receive(self) -> dict[str, Any]:
        """The next JSON frame from the server; pings are answered.

        Raises: Closed.
        """
        async with asyncio.timeout(PATIENCE_S):
            while True:
                frame = await self._receive()
                if frame["op"] == "ping":
                    await self.send_json({"op": "pong"})
                    continue
                if frame["op"] == "disconnect":
                    self.disconnect = frame
                    continue
                return frame

    async def _receive(self) -> dict[str, Any]:
        raise TypeError("a transport says how")

    async def request(self, op: str, **fields: Any) -> dict[str, Any]:
        """The answer to a request; pushes that come before it are kept in `pushes`."""
        number = next(self._ids)
        await self.send_json({"op": op, "id": number, **fields})
        while True:
            frame = await self.receive()
            if frame.get("id") == number:
                return frame
            self.pushes.append(frame)

    async def change(self, op: str, **fields: Any) -> dict[str, Any]:
        """A request with a `cmid` of its own."""
        return await self.request(op, cmid=str(uuid.uuid4()), **fields)

    async def connect(self, token: str, **fields: Any) -> dict[str, Any]:
        """The first operation."""
        return await self.request("connect", v=1, token=token, **fields)

    async def push(self, op: str) -> dict[str, Any]:
        """The next push of this kind; others are dropped."""
        while self.pushes:
            frame = self.pushes.pop(0)
            if frame["op"] == op:
                return frame
        while True:
            frame = await self.receive()
            if frame["op"] == op:
                return frame

    async def end(self) -> Closed:
        """Reads until the server ends the connection, and says how it did."""
        try:
            while True:
                await self.receive()
        except Closed as closed:
            return closed

    def close(self) -> None:
        """Lets go."""
        self.writer.close()


class RawTcp(RawConnection):
    """The TCP transport, frame by frame."""

    async def send_text(self, payload: bytes) -> None:
        """A frame of kind 0x01."""
        await self.send_raw(b"\x01" + struct.pack(">I", len(payload)) + payload)

    async def _receive(self) -> dict[str, Any]:
        try:
            while True:
                kind, length = struct.unpack(">BI", await self.reader.readexactly(5))
                payload = await self.reader.readexactly(length)
                if kind == 1:
                    frame: dict[str, Any] = json.loads(payload)
                    return frame
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise Closed(self.disconnect) from exc


class RawWebSocket(RawConnection):
    """The WebSocket transport, frame by frame."""

    async def send_text(self, payload: bytes) -> None:
        """A whole text message."""
        await self.send_raw(websocket_frame(0x1, payload))

    async def _receive(self) -> dict[str, Any]:
        try:
            while True:
                first, second = await self.reader.readexactly(2)
                length = second & 0x7F
                if length == 126:
                    (length,) = struct.unpack(">H", await self.reader.readexactly(2))
                elif length == 127:
                    (length,) = struct.unpack(">Q", await self.reader.readexactly(8))
                payload = await self.reader.readexactly(length)
                opcode = first & 0x0F
                if opcode == 0x8:
                    raise Closed(self.disconnect, struct.unpack(">H", payload[:2])[0] if len(payload) >= 2 else None)
                if opcode == 0x1:
                    frame: dict[str, Any] = json.loads(payload)
                    return frame
        except (asyncio.IncompleteReadError, OSError) as exc:
            raise Closed(self.disconnect) from exc


def websocket_frame(
    opcode: int,
    payload: bytes,
    *,
    final: bool = True,
    reserved: int = 0,
    mask: bytes | None = b"\x01\x02\x03\x04",
    length: int | None = None,
) -> bytes:
    """A WebSocket frame with any of its rules broken on demand; `length` is what the header claims."""
    claimed = len(payload) if length is None else length
    head = bytearray([(0x80 if final else 0) | reserved << 4 | opcode])
    masked = 0x80 if mask is not None else 0
    if claimed < 126:
        head.append(masked | claimed)
    elif claimed < 65536:
        head += bytes([masked | 126]) + struct.pack(">H", claimed)
    else:
        head += bytes([masked | 127]) + struct.pack(">Q", claimed)
    if mask is None:
        return bytes(head) + payload
    return bytes(head) + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))


@asynccontextmanager
async def tcp(address: tuple[str, int], source: str = "127.0.0.1") -> AsyncIterator[RawTcp]:
    """A TCP connection from `source`."""
    reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
    try:
        yield RawTcp(reader, writer)
    finally:
        writer.close()


async def upgrade(address: tuple[str, int], source: str = "127.0.0.1", **headers: str) -> tuple[str, RawWebSocket]:
    """Asks for a WebSocket; gives the status line and the connection."""
    reader, writer = await asyncio.open_connection(*address, local_addr=(source, 0))
    fields = {
        "Host": f"{address[0]}:{address[1]}",
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Protocol": "garita.v1",
    } | headers
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    writer.write(f"GET /v1/socket HTTP/1.1\r\n{lines}\r\n".encode())
    async with asyncio.timeout(PATIENCE_S):
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, OSError):
            head = b""
    return head.split(b"\r\n", 1)[0].decode(), RawWebSocket(reader, writer)


@asynccontextmanager
async def websocket(address: tuple[str, int], source: str = "127.0.0.1") -> AsyncIterator[RawWebSocket]:
    """A WebSocket connection from `source`."""
    status, connection = await upgrade(address, source)
    if " 101 " not in status:
        connection.close()
        raise Closed({"status": status})
    try:
        yield connection
    finally:
        connection.close()


async def eventually(holds: Callable[[], Awaitable[bool]], timeout_s: float = 20.0) -> None:
    """Waits until a condition holds."""
    async with asyncio.timeout(timeout_s):
        while not await holds():
            await asyncio.sleep(0.05)


async def pause(seconds: float) -> None:
    """Waits as the server asked to."""
    await asyncio.sleep(seconds)


async def metric(inner: str, *words: str) -> float:
    """The sum of all samples whose line holds one of `words`, from a service's /metrics."""
    async with aiohttp.ClientSession() as http, http.get(f"{inner}/metrics") as answer:
        lines = (await answer.text()).splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1])
        for line in lines
        if not line.startswith("#") and any(word in line for word in words)
    )
