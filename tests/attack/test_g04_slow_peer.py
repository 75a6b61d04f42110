"""G-04: peers that send drop by drop, or nothing."""

import asyncio
import time

from tests.attack import raw
from tests.attack.conftest import Target


async def until_closed(address: tuple[str, int], first: bytes, drop: bytes) -> float:
    """Seconds until the server ends a connection on which `drop` comes every half second after `first`."""
    started_s = time.monotonic()
    reader, writer = await asyncio.open_connection(*address, local_addr=(raw.fresh_address(), 0))
    try:
        writer.write(first)
        async with asyncio.timeout(40):
            while True:
                try:
                    async with asyncio.timeout(0.5):
                        if not await reader.read(4096):
                            return time.monotonic() - started_s
                except TimeoutError:
                    writer.write(drop)
    except OSError:
        return time.monotonic() - started_s
    finally:
        writer.close()


async def test_slow_headers_slow_frames_and_silence_are_all_ended(target: Target, no_traceback: None) -> None:
    """Headers have 5 s, `connect` has 10 s, whatever trickles in meanwhile."""
    async with asyncio.TaskGroup() as tasks:
        headers = tasks.create_task(until_closed(target.http(), b"GET /v1/socket HTTP/1.1\r\nHost: x\r\n", b"X: y\r\n"))
        nothing_http = tasks.create_task(until_closed(target.http(), b"", b""))
        frame = tasks.create_task(until_closed(target.tcp(), b"\x01\x00\x00\x10\x00", b"{"))
        nothing_tcp = tasks.create_task(until_closed(target.tcp(), b"", b""))

    assert headers.result() < 20
    assert nothing_http.result() < 20
    assert frame.result() < 30
    assert nothing_tcp.result() < 30
