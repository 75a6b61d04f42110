"""G-02: a frame that no correct client can send."""

import asyncio
from typing import Any

import aiohttp
import pytest

from tests.attack import raw
from tests.attack.conftest import Target


async def operator(target: Target, path: str) -> Any:
    """What the detector tells an operator."""
    headers = {"Authorization": f"Bearer {target.operator_token()}"}
    async with aiohttp.ClientSession(target.facts["operator"], headers=headers) as http, http.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.json()


async def is_refused(target: Target, source: str, gateway: int) -> bool:
    """Whether a gateway ends a new connection from `source` with 4503, or at once."""
    try:
        async with raw.tcp(target.tcp(gateway), source) as connection, asyncio.timeout(2.0):
            closed = await connection.end()
            return closed.said is None or closed.said["code"] == 4503
    except TimeoutError:
        return False
    except OSError:
        return True


@pytest.mark.parametrize("byte", [0x52, 0x00, 0x03, 0xFF])
async def test_the_connection_ends_in_that_very_read(target: Target, no_traceback: None, byte: int) -> None:
    """One byte is enough: nothing more is waited for."""
    async with raw.tcp(target.tcp(), raw.fresh_address()) as connection:
        await connection.send_raw(bytes([byte]))

        closed = await connection.end()

    assert closed.said is None or closed.said["code"] == 4501


async def test_the_third_in_an_hour_bans_the_address_on_both_gateways(target: Target, no_traceback: None) -> None:
    """Two do not; another address goes on; the ban is explained in a sentence."""
    hostile, neighbour = raw.fresh_address(), raw.fresh_address()
    for number in range(3):
        assert not await is_refused(target, hostile, 1 + number % 2)
        async with raw.tcp(target.tcp(1 + number % 2), hostile) as connection:
            await connection.send_raw(b"\x52")
            await connection.end()

    async def banned_everywhere() -> bool:
        return await is_refused(target, hostile, 1) and await is_refused(target, hostile, 2)

    await raw.eventually(banned_everywhere)
    assert not await is_refused(target, neighbour, 1)
    assert not await is_refused(target, neighbour, 2)
    ban = next(ban for ban in (await operator(target, "/v1/bans"))["bans"] if hostile in ban["subject"])
    told = await operator(target, f"/v1/explain/{ban['decision']}")
    assert "0x52" in told["sentence"]
    assert hostile in told["sentence"]


async def test_a_banned_browser_is_told_why(target: Target) -> None:
    """HTTP 403 with reason, end and appeal."""
    hostile = raw.fresh_address()
    for _ in range(3):
        async with raw.tcp(target.tcp(), hostile) as connection:
            await connection.send_raw(b"\x52")
            await connection.end()

    async def refused() -> bool:
        status, connection = await raw.upgrade(target.http(), hostile)
        connection.close()
        return " 403 " in status

    await raw.eventually(refused)
