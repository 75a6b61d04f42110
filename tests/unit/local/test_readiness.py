"""Asking a service whether it is ready."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from garita_local import ports
from garita_local.readiness import is_ready


@asynccontextmanager
async def service(answer: bytes) -> AsyncIterator[int]:
    """A listener that reads a request and says `answer`."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(reply, ports.HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "ready"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"HTTP/1.1 2000 OK\r\n\r\n", False),
        (b"hello\r\n", False),
        (b"HTTP/1.1 " + b"9" * 2000, False),
        (b"", False),
    ],
)
async def test_only_200_is_ready(answer: bytes, ready: bool) -> None:
    """Anything else, well-formed or not, is not ready and not an error."""
    async with service(answer) as port:
        assert await is_ready(port) is ready


async def test_nobody_listening_is_not_ready() -> None:
    """A closed port is an answer too."""
    assert await is_ready(ports.free_ports(1)[0]) is False
