"""G-08: a page of somebody else opens a socket, or makes a browser speak HTTP to the TCP port."""

import asyncio

import pytest

from tests.attack import raw
from tests.attack.conftest import Target


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "http://127.0.0.1:1", "http://127.0.0.1.evil.example"]
)
async def test_a_foreign_origin_gets_no_socket(target: Target, no_traceback: None, origin: str) -> None:
    """403 before the upgrade."""
    status, connection = await raw.upgrade(target.http(), raw.fresh_address(), Origin=origin)
    connection.close()

    assert " 403 " in status


async def test_the_own_origin_and_a_program_without_one_get_it(target: Target) -> None:
    """The page itself, and what is no browser."""
    for headers in ({"Origin": target.origin}, {}):
        status, connection = await raw.upgrade(target.http(), raw.fresh_address(), **headers)
        connection.close()
        assert " 101 " in status, headers


async def test_http_on_the_tcp_port_gets_no_answer(target: Target, no_traceback: None) -> None:
    """Not a byte that a browser could take for a page, and the connection ends."""
    reader, writer = await asyncio.open_connection(*target.tcp(), local_addr=(raw.fresh_address(), 0))
    writer.write(
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 40\r\n\r\n" + b'\x01\x00\x00\x00\x14{"op":"logout","id":1}'
    )
    async with asyncio.timeout(raw.PATIENCE_S):
        try:
            said = await reader.read()
        except OSError:
            said = b""
    writer.close()

    assert not said.startswith(b"HTTP/")


async def test_a_foreign_page_cannot_post_to_the_accounts(target: Target) -> None:
    """A foreign Origin and a form's content type are refused."""
    source = raw.fresh_address()
    for headers, expected in (
        ("Origin: https://evil.example\r\nContent-Type: application/json\r\n", b"403"),
        ("Content-Type: text/plain\r\n", b"415"),
    ):
        reader, writer = await asyncio.open_connection(*target.http(), local_addr=(source, 0))
        host, port = target.http()
        writer.write(
            f"POST /v1/auth/login HTTP/1.1\r\nHost: {host}:{port}\r\n{headers}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
        )
        async with asyncio.timeout(raw.PATIENCE_S):
            status = (await reader.readline()).split()[1]
        writer.close()
        assert status == expected, headers
