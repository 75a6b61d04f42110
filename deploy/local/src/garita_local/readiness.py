"""Asks a service whether it is ready: `GET /readyz` on its inner port, 200 or not."""

from __future__ import annotations

import asyncio

from garita_local.ports import HOST

ASK_TIMEOUT_S = 5.0
MAX_STATUS_LINE_BYTES = 256


async def is_ready(port: int) -> bool:
    """Whether the service on that inner port says it can work."""
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            return await _status(port) == 200
    except (OSError, TimeoutError, ValueError):
        return False


async def _status(port: int) -> int:
    """The status code of the answer.

    Raises: OSError when nobody listens, ValueError when the answer is not HTTP.
    """
    reader, writer = await asyncio.open_connection(HOST, port, limit=MAX_STATUS_LINE_BYTES)
    try:
        writer.write(f"GET /readyz HTTP/1.1\r\nHost: {HOST}:{port}\r\nConnection: close\r\n\r\n".encode())
        line = await reader.readline()
    finally:
        writer.close()
    words = line.split(b" ", 2)
    if len(words) < 2 or not words[0].startswith(b"HTTP/1."):
        raise ValueError("not an HTTP answer")
    return int(words[1])
