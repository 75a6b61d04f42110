"""Behind our own proxies: PROXY v2 on both ports, to the byte, and what becomes of a proxy that is set up otherwise."""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

from garita_common.core.activity import ProtocolViolated
from garita_common.core.bans import address_subject
from garita_common.core.channels import ACTIVITY_KEY_STREAM
from gateway.core.proxy_header import SIGNATURE
from tests.fakes.wire_clients import Client, Closed, TcpClient, WsClient, upgrade

from .rig import Rig, eventually, rig, token

PROXY, STRANGER = "127.0.0.20", "127.0.0.9"
LOCAL = SIGNATURE + b"\x20\x00\x00\x00"
UNKNOWN = SIGNATURE + b"\x21\x00\x00\x00"


def proxied(client: str, extensions: bytes = b"") -> bytes:
    """A PROXY v2 header for a client."""
    address = ip_address(client)
    rest = address.packed + bytes(len(address.packed)) + bytes(4) + extensions
    return SIGNATURE + bytes((0x21, 0x11 if address.version == 4 else 0x21)) + len(rest).to_bytes(2, "big") + rest


async def behind(it: Rig, port: str, first: bytes, *, source: str = PROXY) -> Client:
    """A connection by way of a proxy, which writes `first`; on the HTTP port the upgrade follows in the same segment."""
    number = it.gateway.tcp_port if port == "tcp" else it.gateway.http_port
    reader, writer = await asyncio.open_connection("127.0.0.1", number, local_addr=(source, 0))
    client: Client = TcpClient(reader, writer) if port == "tcp" else WsClient(reader, writer)
    it.clients.append(client)
    writer.write(first if port == "tcp" else first + upgrade())
    return client


async def comes_in(it: Rig, port: str, first: bytes, *, source: str = PROXY) -> bool:
    """Whether one can connect as somebody there."""
    client = await behind(it, port, first, source=source)
    try:
        if port == "ws":
            head = await client.reader.readuntil(b"\r\n\r\n")
            if b" 101 " not in head:
                return False
        return bool((await client.connect(token(f"u{len(it.clients)}")))["op"] == "ok")
    except (Closed, ConnectionError, asyncio.IncompleteReadError):
        return False


def settings(**changes: Any) -> dict[str, Any]:
    """Addresses that count, one proxy, headers on both ports."""
    return {"loopback": "public", "trusted_proxies": PROXY, "http_proxy_header": True, **changes}


@pytest.mark.parametrize("port", ["tcp", "ws"])
async def test_the_client_of_the_header_is_counted_and_not_the_proxy(tmp_path: Path, redis_url: str, port: str) -> None:
    """Two of a client's connections come in, the third does not; another client's does, over IPv6 too."""
    async with rig(tmp_path, redis_url, **settings(connections_per_address=2)) as it:
        told = [await comes_in(it, port, proxied("203.0.113.7", b"\x05\x00\x02id")) for _ in range(3)]
        assert told == [True, True, False]
        assert await comes_in(it, port, proxied("203.0.113.8"))

        sixes = [await comes_in(it, port, proxied(f"2001:db8::{n}")) for n in range(3)]
        assert sixes == [True, True, False]
        assert it.figure("gateway_refused_total", reason="connections_per_address") == 2


@pytest.mark.parametrize("port", ["tcp", "ws"])
async def test_a_proxy_that_speaks_for_itself_is_nobody(tmp_path: Path, redis_url: str, port: str) -> None:
    """Health checks and unknown families are neither counted nor banned by address, even by a ban of the proxy's own."""
    async with rig(tmp_path, redis_url, **settings(connections_per_address=1, attempts_per_address=1)) as it:
        await it.ban(address_subject(f"{PROXY}/32"))
        await eventually(lambda: it.gateway.bans_held)

        assert [await comes_in(it, port, first) for first in (LOCAL, UNKNOWN, LOCAL)] == [True] * 3


async def test_what_a_nobody_does_wrong_names_no_address(tmp_path: Path, redis_url: str) -> None:
    """The detector must not ban our own proxy."""
    async with rig(tmp_path, redis_url, **settings()) as it:
        await (await behind(it, "tcp", LOCAL + b"\x52")).end()
        await (await behind(it, "tcp", proxied("203.0.113.7") + b"\x52")).end()

        async def recorded() -> list[ProtocolViolated]:
            found = await it.events(ACTIVITY_KEY_STREAM, ProtocolViolated)
            return found if len(found) == 2 else []

        assert [event.ip for event in await eventually(recorded)] == ["", "203.0.113.7"]


async def test_a_banned_client_is_told_behind_a_proxy(tmp_path: Path, redis_url: str) -> None:
    """By the address of the header."""
    async with rig(tmp_path, redis_url, **settings()) as it:
        await it.ban(address_subject("203.0.113.7/32"))
        await eventually(lambda: it.gateway.bans_held)

        closed = await (await behind(it, "tcp", proxied("203.0.113.7"))).end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4503
        assert await comes_in(it, "tcp", proxied("203.0.113.8"))


async def test_a_header_may_come_byte_by_byte_and_nothing_behind_it_is_lost(tmp_path: Path, redis_url: str) -> None:
    """It is read to its exact length; a frame in the same segment as its last byte is read as a frame."""
    async with rig(tmp_path, redis_url, **settings()) as it:
        header = proxied("203.0.113.7", b"\x05\x00\x02id")
        client = await behind(it, "tcp", header[:1])
        for byte in header[1:-1]:
            client.writer.write(bytes((byte,)))
            await client.writer.drain()
            await asyncio.sleep(0)
        whole = b'{"op":"connect","id":1,"v":1,"token":"' + token("ana").encode() + b'"}'
        client.writer.write(header[-1:] + b"\x01" + len(whole).to_bytes(4, "big") + whole)

        assert (await client.answer(1))["op"] == "ok"


@pytest.mark.parametrize("port", ["tcp", "ws"])
@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (b"\x01\x00\x00\x00\x02{}", "missing"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n", "missing"),
        (SIGNATURE + b"\x31\x11\x00\x0c" + bytes(12), "version"),
        (SIGNATURE + b"\x21\x11\xff\xff", "too_long"),
        (SIGNATURE + b"\x21\x11\x00\x0d" + bytes(13), "extension"),
    ],
)
async def test_a_proxy_without_the_header_is_cut_off_and_logged(
    tmp_path: Path, redis_url: str, port: str, first: bytes, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At its first wrong byte, in one clear line; everybody else comes in."""
    async with rig(tmp_path, redis_url, **settings()) as it:
        for _ in range(2):
            assert not await comes_in(it, port, first)

        assert it.figure("gateway_refused_total", reason=f"proxy_{kind}") == 2
        assert capsys.readouterr().out.count("proxy_header_refused") == 1
        assert await comes_in(it, port, b"", source=STRANGER)
        assert await comes_in(it, port, proxied("203.0.113.7"))


async def test_a_header_has_a_time(tmp_path: Path, redis_url: str) -> None:
    """Like any other."""
    async with rig(tmp_path, redis_url, **settings(header_timeout_s=0.5)) as it:
        silent, half = await behind(it, "tcp", b""), await behind(it, "tcp", proxied("203.0.113.7")[:20])

        for client in (silent, half):
            assert (await client.end()).disconnect is None
        assert it.figure("gateway_refused_total", reason="proxy_timeout") == 2


async def test_a_stranger_s_header_is_garbage(tmp_path: Path, redis_url: str) -> None:
    """A violation on the TCP port, no request on the other; the address it claims is not looked at."""
    async with rig(tmp_path, redis_url, **settings()) as it:
        closed = await (await behind(it, "tcp", proxied("203.0.113.7"), source=STRANGER)).end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4501
        [event] = await eventually(lambda: it.events(ACTIVITY_KEY_STREAM, ProtocolViolated))
        assert (event.kind, event.byte, event.ip) == ("tcp_kind", 0x0D, STRANGER)

        client = await behind(it, "ws", proxied("203.0.113.7"), source=STRANGER)
        assert b" 400 " in await client.reader.readline()


async def test_two_proxies_in_a_row(tmp_path: Path, redis_url: str) -> None:
    """The first names the second by its header, the second its client by X-Forwarded-For."""
    inner = settings(trusted_proxies=f"{PROXY},198.51.100.0/24", connections_per_address=1)
    async with rig(tmp_path, redis_url, **inner) as it:
        statuses = []
        for client in ("203.0.113.7", "203.0.113.7", "203.0.113.8"):
            reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port, local_addr=(PROXY, 0))
            it.clients.append(WsClient(reader, writer))
            writer.write(proxied("198.51.100.3") + upgrade(X_Forwarded_For=f"6.6.6.6, {client}"))
            statuses.append((await reader.readline()).split()[1])

        assert statuses == [b"101", b"429", b"101"]
