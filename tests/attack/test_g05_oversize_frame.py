"""G-05: frames whose header announces more than is allowed."""

import struct

import pytest

from tests.attack import raw
from tests.attack.conftest import Target


@pytest.mark.parametrize("length", [16 * 1024 + 1, 2**31, 2**32 - 1])
async def test_tcp_refuses_from_the_header(target: Target, no_traceback: None, length: int) -> None:
    """Five bytes are enough; no byte of the body is waited for."""
    async with raw.tcp(target.tcp(), raw.fresh_address()) as connection:
        await connection.send_raw(struct.pack(">BI", 1, length))

        closed = await connection.end()

    assert closed.said is not None
    assert closed.said["code"] == 4508


@pytest.mark.parametrize("length", [16 * 1024 + 1, 2**32, 2**63 - 1])
async def test_websocket_refuses_from_the_header(target: Target, no_traceback: None, length: int) -> None:
    """Likewise, with the same code in the close frame."""
    async with raw.websocket(target.http(), raw.fresh_address()) as connection:
        await connection.send_raw(raw.websocket_frame(0x1, b"", length=length))

        closed = await connection.end()

    assert closed.code == 4508


@pytest.mark.parametrize("websocket", [False, True])
async def test_after_connect_the_limit_is_another_and_holds(
    target: Target, no_traceback: None, websocket: bool
) -> None:
    """A text frame of 32 KiB is judged by its content; one byte more ends the connection."""
    person = await target.person()
    async with target.connected(person, websocket=websocket) as connection:
        padded = b'{"op":"rooms","id":77}'.ljust(32 * 1024)
        await connection.send_text(padded)
        assert (await connection.receive())["id"] == 77

        await connection.send_text(padded + b" ")

        closed = await connection.end()
    assert closed.said is not None
    assert closed.said["code"] == 4508
