"""Sockets that mean no good: floods, slow heads, churn and oversize frames, each from addresses of their own and at a bounded pace.

An attacker whose socket is closed comes back, as an attacker does; the pace counts new connections and frames of all sockets together.
"""

import asyncio
import itertools
import socket
import time
from typing import Any

from bench.load import wire
from bench.load.wire import TCP

KINDS = ("flood", "slowloris", "churn", "oversize")
_ROOMS = b'{"op":"rooms","id":7}'
_SLOW = (b"GET /v1/socket HTTP/1.1\r\n", b"Host: x\r\n", b"X-A: b\r\n")
_TOO_LARGE = ((b"\x01" + (1 << 30).to_bytes(4, "big")), b"\x81\xff" + (1 << 30).to_bytes(8, "big") + bytes(4))
_CHUNK = b"x" * 16_384


class Attackers:
    """Some hundred sockets of one kind."""

    def __init__(self, kind: str, ports: tuple[int, int], sources: list[str], tokens: list[str]) -> None:
        """Args: ports: TCP and HTTP; sources: an address for each socket; tokens: for floods by people who are let in."""
        self._kind = kind
        self._ports = ports
        self._sources = sources
        self._tokens = tokens
        self._sockets: list[socket.socket | None] = [None] * len(sources)
        self._numbers = itertools.count(1)
        self.opened = self.sent = self.refused = 0

    async def run(self, seconds: float, per_s: float) -> dict[str, Any]:
        """Attacks for so long: `per_s` moves a second, each a frame, a piece of a head, or a new connection."""
        begun_s = time.perf_counter()
        place = itertools.cycle(range(len(self._sources)))
        moves = 0
        while (now_s := time.perf_counter()) < begun_s + seconds:
            due_s = begun_s + moves / per_s
            if due_s > now_s:
                await asyncio.sleep(due_s - now_s)
                continue
            self._move(next(place))
            moves += 1
            if moves % 64 == 0:
                await asyncio.sleep(0)
        for sock in self._sockets:
            if sock is not None:
                sock.close()
        return {"kind": self._kind, "opened": self.opened, "sent": self.sent, "refused": self.refused}

    def _move(self, place: int) -> None:
        sock = self._sockets[place]
        if sock is not None and self._kind == "churn":
            sock.close()
            sock = None
        if sock is None:
            self._sockets[place] = self._open(place)
            return
        try:
            sock.setblocking(False)
            self._drain(sock)
            sock.send(self._words(place))
            self.sent += 1
        except BlockingIOError:
            pass  # its buffer is full: the server has stopped reading
        except OSError:
            self.refused += 1
            sock.close()
            self._sockets[place] = None

    def _drain(self, sock: socket.socket) -> None:
        """Throws answers away.

        Raises:
            ConnectionResetError: the server has closed.
        """
        try:
            if not sock.recv(65_536):
                raise ConnectionResetError
        except BlockingIOError:
            return

    def _open(self, place: int) -> socket.socket | None:
        transport = place % 2
        sock = socket.socket()
        try:
            sock.settimeout(0.5)
            sock.bind((self._sources[place], 0))
            sock.connect(("127.0.0.1", self._ports[1 if self._kind == "slowloris" else transport]))
            self.opened += 1
            if self._kind != "slowloris":
                sock.send(self._hello(place, transport))
        except OSError:
            self.refused += 1
            sock.close()
            return None
        return sock

    def _hello(self, place: int, transport: int) -> bytes:
        start = b"" if transport == TCP else wire.upgrade("127.0.0.1", place)
        if self._kind == "flood":
            token = self._tokens[place % len(self._tokens)].encode()
            return start + wire.framed(transport, b'{"op":"connect","id":1,"v":1,"token":"%b"}' % token)
        return start

    def _words(self, place: int) -> bytes:
        transport = place % 2
        match self._kind:
            case "flood":
                return wire.framed(transport, _ROOMS) * 8
            case "slowloris":
                return _SLOW[next(self._numbers) % len(_SLOW)]
            case _:
                return _TOO_LARGE[transport] + _CHUNK
