"""The TCP port with real sockets: frames, limits at the header, and what no correct client sends."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_common.core.activity import ConnectionClosed, ConnectionOpened, ProtocolViolated
from garita_common.core.channels import ACTIVITY_KEY_STREAM, ACTIVITY_STREAM

from .rig import eventually, rig, user_id


async def test_one_wrong_byte_closes_in_that_read_and_is_recorded(tmp_path: Path, redis_url: str) -> None:
    """A single 0x52, nothing after it: 4501, and a record that tells byte and state."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()

        client.writer.write(b"\x52")
        closed = await client.end()

        assert closed.disconnect is not None
        assert (closed.disconnect["code"], closed.disconnect["reconnect"]) == (4501, False)
        [event] = await eventually(lambda: it.events(ACTIVITY_KEY_STREAM, ProtocolViolated))
        assert (event.kind, event.byte, event.state, event.before_frames) == ("tcp_kind", 0x52, "new", True)
        assert (event.ip, event.ip_prefix, event.src) == ("127.0.0.1", "127.0.0.1/32", "gateway")
        assert it.figure("gateway_violations_total", kind="tcp_kind") == 1


async def test_a_wrong_byte_after_connect_names_the_user(tmp_path: Path, redis_url: str) -> None:
    """The state is the connection's, and it is no scanner noise any more."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")

        client.writer.write(b"\x52\x00\x00\x00\x01x")
        await client.end()

        [event] = await eventually(lambda: it.events(ACTIVITY_KEY_STREAM, ProtocolViolated))
        assert (event.state, event.before_frames, event.user) == ("connected", False, user_id("ana"))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "http_on_tcp"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "tls_on_tcp"),
        (b"RANDOM NOISE", "tcp_kind"),
    ],
)
async def test_other_protocols_on_the_tcp_port_are_named(
    tmp_path: Path, redis_url: str, data: bytes, kind: str
) -> None:
    """HTTP from a browser, a TLS hello, anything else."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()

        client.writer.write(data)
        closed = await client.end()

        assert closed.disconnect is not None
        [event] = await eventually(lambda: it.events(ACTIVITY_KEY_STREAM, ProtocolViolated))
        assert (event.kind, event.byte) == (kind, data[0])


@pytest.mark.parametrize(
    ("connected", "kind", "size", "refused"),
    [
        (False, 1, 16 * 1024, False),
        (False, 1, 16 * 1024 + 1, True),
        (False, 2, 4 * 1024, False),
        (False, 2, 4 * 1024 + 1, True),
        (True, 1, 32 * 1024, False),
        (True, 1, 32 * 1024 + 1, True),
        (True, 2, 64 * 1024 + 24, False),
        (True, 2, 64 * 1024 + 25, True),
    ],
)
async def test_a_length_over_the_limit_is_refused_from_the_header(
    tmp_path: Path, redis_url: str, connected: bool, kind: int, size: int, refused: bool
) -> None:
    """Five bytes decide; at the limit the body is waited for."""
    async with rig(tmp_path, redis_url, connect_timeout_s=1 if not connected else 10, ping_interval_s=1) as it:
        client = await it.user("ana") if connected else await it.tcp()

        client.writer.write(bytes((kind,)) + size.to_bytes(4, "big"))
        if refused or not connected:
            closed = await client.end()
            assert closed.disconnect is not None
            assert closed.disconnect["code"] == (4508 if refused else 4502)
        else:
            client.writer.write(b" " * (size - 2) + b"{}")
            answered = await client.end() if kind == 1 else None
            if answered is not None:
                assert answered.disconnect is not None
                assert answered.disconnect["code"] == 4501


async def test_frames_in_pieces_and_many_at_once(tmp_path: Path, redis_url: str) -> None:
    """Byte by byte, and ten in one write: all are answered in order."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        whole = b'{"op":"rooms","id":1000}'
        for byte in b"\x01" + len(whole).to_bytes(4, "big") + whole:
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
        assert (await client.answer(1000))["op"] == "ok"
        numbers = [client.send("rooms") for _ in range(10)]

        answers = [await client.answer(number) for number in numbers]

        assert [answer["op"] for answer in answers] == ["ok"] * 10


async def test_a_connection_s_life_is_recorded(tmp_path: Path, redis_url: str) -> None:
    """Opened and closed, with the reason and the bytes."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        client.send("logout")
        closed = await client.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4403
        [opened] = await eventually(lambda: it.events(ACTIVITY_STREAM, ConnectionOpened))
        [ended] = await eventually(lambda: it.events(ACTIVITY_STREAM, ConnectionClosed))
        assert (opened.transport, opened.port) == ("tcp", it.gateway.tcp_port)
        assert (ended.reason, ended.user) == ("4403", user_id("ana"))
        assert ended.bytes_in > 100
        assert opened.connection == ended.connection
        await eventually(lambda: it.figure("gateway_connections", transport="tcp") == 0)
