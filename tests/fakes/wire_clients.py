"""Clients made of sockets and nothing else: what a test sends is what goes over the wire, right or wrong."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import os
import uuid
from typing import Any

import msgspec

WAIT_S = 20.0


class Closed(Exception):
    """The server has ended the connection; `code` is the close frame's, `disconnect` what it said before."""

    def __init__(self, code: int | None, disconnect: dict[str, Any] | None) -> None:
        super().__init__(f"closed: {code} {disconnect}")
        self.code = code
        self.disconnect = disconnect


class Client:
    """What both transports share: requests by number, pushes in the order they came."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.pushes: list[dict[str, Any]] = []
        self.chunks: list[bytes] = []
        self.answers: dict[int, dict[str, Any]] = {}
        self.disconnect: dict[str, Any] | None = None
        self._ids = itertools.count(1)

    async def frame(self) -> dict[str, Any] | bytes:
        """The next JSON operation, or a chunk's payload."""
        raise AssertionError("a transport says how")

    def send_text(self, data: bytes) -> None:
        """Sends bytes as a JSON frame."""
        raise AssertionError("a transport says how")

    def send_chunk(self, payload: bytes) -> None:
        """Sends a chunk frame."""
        raise AssertionError("a transport says how")

    def send(self, op: str, **fields: Any) -> int:
        """Sends a request without waiting; returns its number."""
        number = next(self._ids)
        self.send_text(msgspec.json.encode({"op": op, "id": number, **fields}))
        return number

    def hint(self, op: str, **fields: Any) -> None:
        """Says something that has no number."""
        self.send_text(msgspec.json.encode({"op": op, **fields}))

    async def answer(self, number: int) -> dict[str, Any]:
        """The answer to a request; what comes before it is kept."""
        while number not in self.answers:
            await self.take()
        return self.answers.pop(number)

    async def ask(self, op: str, **fields: Any) -> dict[str, Any]:
        """Sends a request and waits for its answer."""
        return await self.answer(self.send(op, **fields))

    async def change(self, op: str, **fields: Any) -> dict[str, Any]:
        """A request with a fresh cmid."""
        return await self.ask(op, cmid=str(uuid.uuid4()), **fields)

    async def connect(self, token: str, **fields: Any) -> dict[str, Any]:
        """Connects as a user."""
        return await self.ask("connect", v=1, token=token, **fields)

    async def push(self, op: str) -> dict[str, Any]:
        """The next push of a kind; others are kept for later."""
        while True:
            for place, found in enumerate(self.pushes):
                if found["op"] == op:
                    return self.pushes.pop(place)
            await self.take()

    async def take(self) -> None:
        """Reads one frame and puts it where it belongs."""
        async with asyncio.timeout(WAIT_S):
            frame = await self.frame()
        if isinstance(frame, bytes):
            self.chunks.append(frame)
        elif frame["op"] == "ping":
            self.send_text(b'{"op":"pong"}')
        elif frame["op"] == "disconnect":
            self.disconnect = frame
        elif "id" in frame:
            self.answers[frame["id"]] = frame
        else:
            self.pushes.append(frame)

    async def end(self) -> Closed:
        """Reads on until the server ends the connection; how it did."""
        try:
            while True:
                await self.take()
        except Closed as closed:
            return closed

    async def settle(self) -> None:
        """A round trip, after which everything that was under way to this client has come."""
        await self.ask("rooms")

    def abort(self) -> None:
        """Drops the connection."""
        self.writer.transport.abort()

    async def _read(self, count: int) -> bytes:
        try:
            return await self.reader.readexactly(count)
        except (asyncio.IncompleteReadError, ConnectionError) as exc:
            raise Closed(None, self.disconnect) from exc


class TcpClient(Client):
    """Five bytes of header."""

    @classmethod
    async def open(cls, port: int, *, source: str | None = None) -> TcpClient:
        local = (source, 0) if source else None
        return cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=local))

    async def frame(self) -> dict[str, Any] | bytes:
        header = await self._read(5)
        payload = await self._read(int.from_bytes(header[1:], "big"))
        return payload if header[0] == 2 else msgspec.json.decode(payload)

    def send_text(self, data: bytes) -> None:
        self.writer.write(b"\x01" + len(data).to_bytes(4, "big") + data)

    def send_chunk(self, payload: bytes) -> None:
        self.writer.write(b"\x02" + len(payload).to_bytes(4, "big") + payload)


def ws_frame(opcode: int, payload: bytes, *, fin: bool = True, rsv: int = 0, mask: bool = True) -> bytes:
    """A client's frame, as wrong as one likes."""
    first = bytes(((0x80 if fin else 0) | rsv << 4 | opcode,))
    size, bit = len(payload), 0x80 if mask else 0
    if size < 126:
        head = bytes((bit | size,))
    elif size < 65536:
        head = bytes((bit | 126,)) + size.to_bytes(2, "big")
    else:
        head = bytes((bit | 127,)) + size.to_bytes(8, "big")
    if not mask:
        return first + head + payload
    key = hashlib.blake2s(payload, digest_size=4).digest()  # any mask will do; this one keeps a case's name the same
    return first + head + key + bytes(byte ^ key[i % 4] for i, byte in enumerate(payload))


def upgrade(**changes: str | None) -> bytes:
    """An upgrade request; a change of None leaves the header out, underscores stand for dashes."""
    headers: dict[str, str | None] = {
        "Host": "127.0.0.1",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode(),
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "garita.v1",
    }
    headers |= {name.replace("_", "-"): value for name, value in changes.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join(["GET /v1/socket HTTP/1.1", *lines, "", ""]).encode()


class WsClient(Client):
    """RFC 6455, by hand."""

    status = 0
    headers = b""

    @classmethod
    async def open(cls, port: int, *, source: str | None = None, **changes: str | None) -> WsClient:
        local = (source, 0) if source else None
        client = cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=local))
        client.writer.write(upgrade(**changes))
        async with asyncio.timeout(WAIT_S):
            try:
                client.headers = await client.reader.readuntil(b"\r\n\r\n")
            except (asyncio.IncompleteReadError, ConnectionError) as exc:
                raise Closed(None, None) from exc
        client.status = int(client.headers.split(b" ", 2)[1])
        return client

    async def raw(self) -> tuple[int, bytes]:
        """The next frame: its opcode and payload."""
        first, second = await self._read(2)
        assert first & 0x70 == 0, "the server sets no reserved bit"
        assert not second & 0x80, "the server does not mask"
        size = second & 0x7F
        if size == 126:
            size = int.from_bytes(await self._read(2), "big")
        elif size == 127:
            size = int.from_bytes(await self._read(8), "big")
        return first & 0x0F, await self._read(size)

    async def frame(self) -> dict[str, Any] | bytes:
        while True:
            opcode, payload = await self.raw()
            if opcode == 1:
                return msgspec.json.decode(payload)
            if opcode == 2:
                return payload
            if opcode == 8:
                code = int.from_bytes(payload[:2], "big") if payload else None
                self.writer.write(ws_frame(8, payload))
                raise Closed(code, self.disconnect)

    def send_text(self, data: bytes) -> None:
        self.writer.write(ws_frame(1, data))

    def send_chunk(self, payload: bytes) -> None:
        self.writer.write(ws_frame(2, payload))
