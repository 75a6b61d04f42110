"""TLS ended by the gateway: on both ports, checks before it, a deadline on it, and a certificate renewed while people are connected."""

from __future__ import annotations

import asyncio
import datetime as dt
import os
import signal
import socket
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from prometheus_client import CollectorRegistry

from garita_common.config import ConfigError
from garita_common.core.bans import address_subject
from gateway.app import build
from gateway.clock import Clock
from tests.fakes.wire_clients import Client, TcpClient, WsClient, upgrade, ws_frame

from .rig import Rig, eventually, rig, settings, token, user_id
from .test_arrival import PROXY, proxied

HOST = "chat.example"


def write_certificate(folder: Path, number: int, *, password: bytes | None = None) -> dict[str, Any]:
    """A self-signed certificate with this serial number, and its key; the settings that name them."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, HOST)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(number)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=30))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(HOST)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    paths = {"tls_cert": folder / "cert.pem", "tls_key": folder / "key.pem"}
    paths["tls_cert"].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths["tls_key"].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked)
    )
    return paths


def context(**changes: Any) -> ssl.SSLContext:
    """A client's context that asks for nothing but TLS."""
    made = ssl.create_default_context()
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    made.set_alpn_protocols(["h2", "http/1.1"])
    for name, value in changes.items():
        setattr(made, name, value)
    return made


async def connected(
    it: Rig, transport: str, *, first: bytes = b"", source: str | None = None, **changes: Any
) -> Client:
    """A client over TLS, upgraded where there is something to upgrade. Args: first: what goes before TLS."""
    port = it.gateway.tcp_port if transport == "tcp" else it.gateway.http_port
    local = (source, 0) if source else None
    reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=local)
    writer.write(first)
    await writer.start_tls(context(**changes), server_hostname=HOST)
    client: Client = TcpClient(reader, writer) if transport == "tcp" else WsClient(reader, writer)
    it.clients.append(client)
    if transport == "ws":
        writer.write(upgrade())
        assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
    return client


def session_of(client: Client) -> Any:
    """The TLS behind a client."""
    return client.writer.get_extra_info("ssl_object")


def serial(client: Client) -> int:
    """Which certificate it was shown."""
    return x509.load_der_x509_certificate(session_of(client).getpeercert(True)).serial_number


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_people_talk_over_tls(tmp_path: Path, redis_url: str, transport: str) -> None:
    """Connect, hear, and part in order; large frames too."""
    async with rig(tmp_path, redis_url, **write_certificate(tmp_path, 1)) as it:
        client = await connected(it, transport)
        assert (await client.connect(token("ana")))["op"] == "ok"
        client.send_text(b'{"op":"rooms","id":900}' + b" " * 30_000)
        assert (await client.answer(900))["code"] == "too_large"
        await client.settle()
        assert session_of(client).version() == "TLSv1.3"
        assert session_of(client).selected_alpn_protocol() == ("http/1.1" if transport == "ws" else None)

        client.send("logout")
        closed = await client.end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4403
        assert await client.reader.read() == b""
        await eventually(lambda: not it.gateway.desk.connections)


async def test_a_message_that_comes_with_the_handshake_s_end_is_read(tmp_path: Path, redis_url: str) -> None:
    """Many at once, each in as few segments as TLS can do: none is lost between handshake and handing over."""
    async with rig(tmp_path, redis_url, **write_certificate(tmp_path, 1)) as it:

        async def hasty(number: int) -> str:
            client = await connected(it, "tcp")
            return str((await client.connect(token(f"u{number}")))["op"])

        async with asyncio.TaskGroup() as tasks:
            clients = [tasks.create_task(hasty(number)) for number in range(20)]

        assert [client.result() for client in clients] == ["ok"] * 20


async def test_pages_are_served_over_tls(tmp_path: Path, redis_url: str) -> None:
    """By the HTTP server behind."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html>" + "x" * 200_000)
    async with (
        rig(tmp_path, redis_url, web_dir=web, **write_certificate(tmp_path, 1)) as it,
        aiohttp.ClientSession() as session,
        session.get(f"https://127.0.0.1:{it.gateway.http_port}/", ssl=context()) as answer,
    ):
        assert answer.status == 200
        assert len(await answer.text()) == 200_015


@pytest.mark.parametrize(
    "changes",
    [
        {"maximum_version": ssl.TLSVersion.TLSv1_1, "minimum_version": ssl.TLSVersion.TLSv1},
        {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": "AES128-SHA"},
        {"maximum_version": ssl.TLSVersion.TLSv1_2, "ciphers": "ECDHE-ECDSA-AES128-SHA256"},
    ],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")  # the old ones are what is tried
async def test_old_versions_and_weak_ciphers_get_no_connection(
    tmp_path: Path, redis_url: str, changes: dict[str, Any]
) -> None:
    """Nothing below TLS 1.2, nothing without forward secrecy and authenticated encryption."""
    ciphers = changes.pop("ciphers", "ALL") + ":@SECLEVEL=0"
    async with rig(tmp_path, redis_url, **write_certificate(tmp_path, 1)) as it:
        weak = context(**changes)
        weak.set_ciphers(ciphers)
        with pytest.raises((ssl.SSLError, ConnectionError)):
            await asyncio.open_connection("127.0.0.1", it.gateway.tcp_port, ssl=weak, server_hostname=HOST)

        assert (await connected(it, "tcp", maximum_version=ssl.TLSVersion.TLSv1_2)) is not None
        assert it.figure("gateway_refused_total", reason="tls_failed") == 1


@pytest.mark.parametrize("first", [b"", b"\x16\x03\x01\x02\x00\x01"])
async def test_a_handshake_has_a_time(tmp_path: Path, redis_url: str, first: bytes) -> None:
    """Who says nothing or only half a hello is cut off, and no longer counted."""
    async with rig(tmp_path, redis_url, tls_timeout_s=0.5, connections=1, **write_certificate(tmp_path, 1)) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
        writer.write(first)
        async with asyncio.timeout(20):
            try:
                await reader.read()
            except ConnectionError:
                pass
        writer.close()

        await eventually(lambda: it.figure("gateway_refused_total", reason="tls_timeout") == 1)
        assert (await (await connected(it, "tcp")).connect(token("ana")))["op"] == "ok"


async def test_what_is_no_tls_is_closed_and_a_peer_that_leaves_is_forgotten(tmp_path: Path, redis_url: str) -> None:
    """Plain HTTP gets no answer but the end; rubbish and a peer that goes in the middle leave nothing behind."""
    async with rig(tmp_path, redis_url, connections=1, **write_certificate(tmp_path, 1)) as it:
        for data in (upgrade(), b"\x52" * 100, b"\x01\x00\x00\x00\x02{}"):
            reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
            writer.write(data)
            async with asyncio.timeout(20):
                assert not (await reader.read()).startswith(b"HTTP")
            writer.close()
        _, writer = await asyncio.open_connection("127.0.0.1", it.gateway.tcp_port)
        writer.write(b"\x16\x03\x01")
        await writer.drain()
        writer.transport.abort()

        await eventually(lambda: it.figure("gateway_refused_total", reason="tls_left") == 1)
        assert it.figure("gateway_refused_total", reason="tls_http") == 1
        assert it.figure("gateway_refused_total", reason="tls_failed") == 2
        assert it.figure("gateway_faults_total", where="handshake") == 0
        assert (await (await connected(it, "ws")).connect(token("ana")))["op"] == "ok"


async def test_limits_are_asked_before_tls_and_a_ban_is_told_behind_it(tmp_path: Path, redis_url: str) -> None:
    """An address over its limit gets no byte; a banned one gets the reason once a second, at the price of a handshake."""
    fields: dict[str, Any] = {"loopback": "public", "connections_per_address": 1, **write_certificate(tmp_path, 1)}
    async with rig(tmp_path, redis_url, **fields) as it:
        await connected(it, "tcp", source="127.0.0.9")
        reader, _ = await asyncio.open_connection("127.0.0.1", it.gateway.http_port, local_addr=("127.0.0.9", 0))
        with pytest.raises(ConnectionError):
            if await reader.read() == b"":
                raise ConnectionError

        await it.ban(address_subject("127.0.0.10/32"))
        await eventually(lambda: it.gateway.bans_held)
        closed = await (await connected(it, "tcp", source="127.0.0.10")).end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4503


async def test_tls_behind_a_proxy_header(tmp_path: Path, redis_url: str) -> None:
    """The header is plain, read to its last byte; the hello that follows in the same segment is TLS's."""
    fields: dict[str, Any] = {"loopback": "public", "trusted_proxies": PROXY, "connections_per_address": 1}
    async with rig(tmp_path, redis_url, **fields, **write_certificate(tmp_path, 1)) as it:
        client = await connected(it, "tcp", first=proxied("203.0.113.7"), source=PROXY)
        assert (await client.connect(token("ana")))["op"] == "ok"

        with pytest.raises((ssl.SSLError, ConnectionError)):
            await connected(it, "tcp", first=proxied("203.0.113.7"), source=PROXY)


async def test_reading_pauses_for_a_budget_and_goes_on_where_it_was(tmp_path: Path, redis_url: str) -> None:
    """What TLS has decrypted already by then is neither lost nor turned round: everything is answered, in order."""
    fields: dict[str, Any] = {
        "bytes_in_burst": 2000,
        "bytes_in_per_s": 40_000,
        "other_burst": 1000,
        "other_per_s": 1000,
    }
    async with rig(tmp_path, redis_url, **fields, **write_certificate(tmp_path, 1)) as it:
        client = await connected(it, "tcp")
        assert (await client.connect(token("ana")))["op"] == "ok"
        frame = b'{"op":"rooms","id":%d}' + b" " * 100
        frames = [frame % number for number in range(1000, 1200)]
        client.writer.write(b"".join(b"\x01" + len(each).to_bytes(4, "big") + each for each in frames))

        for number in range(1000, 1200):
            assert (await client.answer(number))["op"] == "ok"
        assert it.figure("gateway_read_pauses_total") > 1


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_who_does_not_read_is_closed_over_tls_too(tmp_path: Path, redis_url: str, transport: str) -> None:
    """What waits is counted in one place, encrypted."""
    async with rig(tmp_path, redis_url, queue_bytes=256 * 1024, **write_certificate(tmp_path, 1)) as it:
        room = it.chat.room(user_id("ana"), user_id("ben"))
        slow, quick = await connected(it, transport), await connected(it, "tcp")
        for client, name in ((slow, "ana"), (quick, "ben")):
            assert (await client.connect(token(name)))["op"] == "ok"
        slow.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.writer.transport.pause_reading()  # type: ignore[attr-defined]

        async with asyncio.timeout(20):
            while not it.figure("gateway_closed_total", reason="4408"):
                await it.chat.say(room, "x" * 8000)
                await quick.push("message")
        await quick.settle()
        await eventually(lambda: len(it.gateway.desk.connections) == 1)


async def test_a_violation_is_told_over_tls(tmp_path: Path, redis_url: str) -> None:
    """And the connection ends."""
    async with rig(tmp_path, redis_url, **write_certificate(tmp_path, 1)) as it:
        client = await connected(it, "ws")
        client.writer.write(ws_frame(1, b"{}", rsv=1))

        closed = await client.end()
        assert closed.code == 4501
        await eventually(lambda: not it.gateway.desk.connections)


async def test_a_new_certificate_counts_without_a_restart(
    tmp_path: Path, redis_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """At a signal and at a look; who is connected stays; files that do not fit leave the old one in force, said once."""
    async with rig(tmp_path, redis_url, tls_look_s=0.1, **write_certificate(tmp_path, 1)) as it:
        ana = await connected(it, "tcp")
        await ana.connect(token("ana"))
        assert serial(ana) == 1

        files = write_certificate(tmp_path, 2)
        await eventually(lambda: capsys_text(capsys).count("certificate_renewed"))
        assert serial(await connected(it, "ws")) == 2

        files["tls_key"].write_text("nonsense")
        await eventually(lambda: capsys_text(capsys).count("certificate_not_renewed"))
        files["tls_cert"].unlink()
        await asyncio.sleep(0.3)
        assert serial(await connected(it, "tcp")) == 2
        assert it.figure("gateway_certificate_until_seconds") > 0
        await ana.settle()


async def test_sighup_looks_at_once(tmp_path: Path, redis_url: str) -> None:
    """However long the next look is away."""
    async with rig(tmp_path, redis_url, tls_look_s=3600, **write_certificate(tmp_path, 1)) as it:
        write_certificate(tmp_path, 2)
        os.kill(os.getpid(), signal.SIGHUP)

        async def renewed() -> bool:
            return serial(await connected(it, "tcp")) == 2

        await eventually(renewed)


@pytest.mark.parametrize("wrong", ["missing", "nonsense", "password", "alone"])
def test_a_certificate_that_cannot_be_used_is_a_sentence(tmp_path: Path, redis_url: str, wrong: str) -> None:
    """At the start, with the names of the settings and without a path."""
    files = write_certificate(tmp_path, 1, password=b"x" if wrong == "password" else None)
    if wrong == "missing":
        files["tls_key"].unlink()
    if wrong == "nonsense":
        files["tls_cert"].write_text("nonsense")
    if wrong == "alone":
        del files["tls_key"]

    with pytest.raises(ConfigError, match="GARITA_GATEWAY_TLS_KEY") as caught:
        build(settings(tmp_path, redis_url, "http://127.0.0.1", **files), clock=Clock(), registry=CollectorRegistry())
    assert str(tmp_path) not in str(caught.value)


def capsys_text(capsys: pytest.CaptureFixture[str]) -> str:
    """What was logged since it was last looked at."""
    return capsys.readouterr().out
