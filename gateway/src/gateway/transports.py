"""What we ask of a transport beyond asyncio's own calls, plain or under TLS alike."""

import asyncio
import socket

HIGH_WATER = 128 * 1024
LOW_WATER = 32 * 1024


def finish_writing(transport: asyncio.Transport) -> None:
    """Says that nothing more comes, after what was written; a peer that is gone already need not be told."""
    try:
        transport.write_eof()
    except (OSError, RuntimeError):
        transport.abort()


def prepare(transport: asyncio.Transport, sndbuf_bytes: int) -> None:
    """Sets a socket's buffers, so that the kernel does not hide a client that does not read."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, sndbuf_bytes)
    transport.set_write_buffer_limits(high=HIGH_WATER, low=LOW_WATER)
