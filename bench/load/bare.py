"""What the stack is compared with: a bare protocol that writes the same bytes to as many sockets, and does nothing else.

No limits, no identity, no Redis, no store. The `token` of a client's first frame names its group; every further frame is answered with the same bytes that
the stack answered, and passed on to the group with the bytes that the stack pushed. What a write to a socket costs on this machine is in both.
"""

import asyncio
from functools import partial
from typing import Any, cast

import msgspec

from bench.load import wire
from bench.load.wire import TCP

_UPGRADED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: xxxxxxxxxxxxxxxxxxxxxxxxxxx=\r\nSec-WebSocket-Protocol: garita.v1\r\n\r\n"
)


class _Hello(msgspec.Struct):
    token: str


class Bare:
    """One bare server."""

    def __init__(self) -> None:
        """Says nothing yet."""
        self.groups: dict[str, tuple[list[asyncio.Transport], list[asyncio.Transport]]] = {}
        self.ack = self.push = self.greeting = (b"", b"")
        self._servers: list[asyncio.Server] = []

    async def listen(self) -> dict[str, Any]:
        """Opens both ports."""
        loop = asyncio.get_running_loop()
        for transport in (TCP, wire.WS):
            server = await loop.create_server(partial(BareLink, self, transport), "127.0.0.1", 0, backlog=1024)
            self._servers.append(server)
        return {"ports": [server.sockets[0].getsockname()[1] for server in self._servers]}

    async def say(self, ack: str, push: str, greeting: str) -> dict[str, Any]:
        """What to answer and to push from now on: payloads, framed here once per transport."""
        self.ack, self.push, self.greeting = (
            (wire.answer(TCP, text.encode()), wire.answer(wire.WS, text.encode())) for text in (ack, push, greeting)
        )
        return {}

    def enter(self, name: str, kind: int, transport: asyncio.Transport) -> None:
        """A member of a group."""
        self.groups.setdefault(name, ([], []))[kind].append(transport)

    def leave(self, name: str, kind: int, transport: asyncio.Transport) -> None:
        """A member has gone."""
        self.groups[name][kind].remove(transport)

    def pass_on(self, name: str) -> None:
        """One write to each member of a group."""
        for kind, members in enumerate(self.groups[name]):
            push = self.push[kind]
            for transport in members:
                transport.write(push)


class BareLink(asyncio.Protocol):
    """One socket of the bare server."""

    __slots__ = ("_bare", "_kind", "_name", "_rest", "_transport", "_upgraded")

    def __init__(self, bare: Bare, kind: int) -> None:
        """Args: kind: the transport."""
        self._bare = bare
        self._kind = kind
        self._rest = b""
        self._name = ""
        self._upgraded = kind == TCP
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Waits for what the client says."""
        self._transport = cast("asyncio.Transport", transport)  # what a socket always has

    def data_received(self, data: bytes) -> None:
        """Greets, then answers and passes on each frame."""
        if self._rest:
            data = self._rest + data
        if not self._upgraded:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                self._rest = data
                return
            self._upgraded = True
            self._transport.write(_UPGRADED)
            data = data[end + 4 :]
        over = 0
        for start, end in wire.requests(self._kind, data):
            over = end
            if self._name:
                self._transport.write(self._bare.ack[self._kind])
                self._bare.pass_on(self._name)
            else:
                self._name = msgspec.json.decode(data[start:end], type=_Hello).token
                self._bare.enter(self._name, self._kind, self._transport)
                self._transport.write(self._bare.greeting[self._kind])
        self._rest = data[over:]

    def connection_lost(self, exc: Exception | None) -> None:
        """The socket is gone."""
        if self._name:
            self._bare.leave(self._name, self._kind, self._transport)
