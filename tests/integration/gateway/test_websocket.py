"""The WebSocket transport with real sockets: upgrade, control frames, closing, and what the RFC forbids."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from garita_common.core.activity import ProtocolViolated
from garita_common.core.channels import ACTIVITY_KEY_STREAM
from gateway.websocket import MAX_FRAMES_AFTER_CLOSE
from tests.fakes.wire_clients import Closed, WsClient, upgrade, ws_frame

from .rig import eventually, rig, token


async def test_the_upgrade_names_the_subprotocol_and_no_extension(tmp_path: Path, redis_url: str) -> None:
    """Even when compression is offered."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws(Sec_WebSocket_Extensions="permessage-deflate")

        assert client.status == 101
        assert b"garita.v1" in client.headers
        assert b"Extensions" not in client.headers


async def test_a_message_in_fragments_with_a_ping_between(tmp_path: Path, redis_url: str) -> None:
    """The ping is answered with its payload, the message as if it were whole."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws()
        whole = b'{"op":"connect","id":1,"v":1,"token":"' + token("ana").encode() + b'"}'
        client.writer.write(ws_frame(1, whole[:10], fin=False))
        client.writer.write(ws_frame(9, b"still there?"))
        client.writer.write(ws_frame(0, whole[10:], fin=False) + ws_frame(0, b""))

        assert await client.raw() == (10, b"still there?")
        assert (await client.answer(1))["op"] == "ok"


@pytest.mark.parametrize(
    ("data", "code", "kind"),
    [
        (ws_frame(1, b"{}", mask=False), 4501, "ws_mask"),
        (ws_frame(1, b"{}", rsv=4), 4501, "ws_reserved_bits"),
        (b"\x52", 4501, "ws_reserved_bits"),
        (ws_frame(5, b"{}"), 4501, "ws_opcode"),
        (ws_frame(0, b"{}"), 4501, "ws_fragment"),
        (ws_frame(9, b"x" * 126), 4501, "ws_control_length"),
        (ws_frame(1, b"\xff"), 4501, "ws_utf8"),
        (ws_frame(8, b"\x00"), 4501, "ws_close"),
        (ws_frame(1, b"hello"), 4501, "json"),
        (ws_frame(1, b"x" * 16385)[:8], 4508, ""),
        (ws_frame(1, b"x" * 10000, fin=False) + ws_frame(0, b"x" * 6385)[:4], 4508, ""),
        (ws_frame(2, b"x" * 4097)[:8], 4508, ""),
    ],
)
async def test_what_may_not_be_is_refused_with_our_codes(
    tmp_path: Path, redis_url: str, data: bytes, code: int, kind: str
) -> None:
    """First the `disconnect`, then the close frame with the same code; violations are recorded."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws()

        client.writer.write(data)
        closed = await client.end()

        assert closed.code == code
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == code
        if kind:
            [event] = await eventually(lambda: it.events(ACTIVITY_KEY_STREAM, ProtocolViolated))
            assert event.kind == kind
        await eventually(lambda: it.figure("gateway_connections", transport="websocket") == 0)


@pytest.mark.parametrize("payload", [b"", b"\x03\xe8", b"\x03\xe9bye", b"\x0f\xa0"])
async def test_a_close_of_the_client_is_answered_with_its_code(tmp_path: Path, redis_url: str, payload: bytes) -> None:
    """And the server ends the TCP connection."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws()

        client.writer.write(ws_frame(8, payload) + ws_frame(1, b"after the close nothing counts"))

        assert await client.raw() == (8, payload[:2])
        assert await client.reader.read() == b""


async def test_a_client_that_does_not_answer_our_close_is_cut_off(tmp_path: Path, redis_url: str) -> None:
    """After a second, whatever it goes on sending."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.ws()
        client.writer.write(ws_frame(1, b"nonsense"))

        opcode, _ = await client.raw()
        assert opcode == 1
        assert (await client.raw())[0] == 8
        with pytest.raises((Closed, ConnectionError)):
            for _ in range(10_000):
                client.writer.write(ws_frame(1, b"{}"))
                await client.writer.drain()
                await asyncio.sleep(0.01)
                if client.reader.at_eof():
                    raise Closed(None, None)


@pytest.mark.parametrize(("frames", "ends"), [(MAX_FRAMES_AFTER_CLOSE, False), (MAX_FRAMES_AFTER_CLOSE + 1, True)])
async def test_after_our_close_few_frames_are_looked_at(
    tmp_path: Path, redis_url: str, frames: int, ends: bool
) -> None:
    """A peer that floods on is not taken apart for its close: the server says at once that it is done."""
    async with rig(tmp_path, redis_url, close_s=60) as it:
        client = await it.ws()
        client.writer.write(ws_frame(1, b"nonsense"))
        assert (await client.raw())[0] == 1
        assert (await client.raw())[0] == 8

        client.writer.write(ws_frame(1, b"{}") * frames)
        if not ends:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.3):
                    await client.reader.read()
            client.writer.write(ws_frame(8, b""))
        assert await client.reader.read() == b""


async def test_frames_that_come_with_the_upgrade_are_read(tmp_path: Path, redis_url: str) -> None:
    """A hasty client loses nothing."""
    async with rig(tmp_path, redis_url) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
        client = WsClient(reader, writer)
        it.clients.append(client)
        whole = b'{"op":"connect","id":1,"v":1,"token":"' + token("ana").encode() + b'"}'
        writer.write(upgrade() + ws_frame(1, whole))
        await reader.readuntil(b"\r\n\r\n")

        assert (await client.answer(1))["op"] == "ok"


async def test_a_flood_of_pings_is_slowed_down(tmp_path: Path, redis_url: str) -> None:
    """Control frames have a price: reading pauses."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana", "ws")
        for _ in range(600):
            client.writer.write(ws_frame(9, b""))

        await eventually(lambda: it.figure("gateway_read_pauses_total") > 0)
