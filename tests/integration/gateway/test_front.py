"""The HTTP port before the upgrade: origins, headers in time and size, pages, and refusals in HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from garita_common.core.bans import address_subject
from tests.fakes.wire_clients import upgrade

from .rig import Rig, eventually, rig

PAGE = "https://chat.example"


async def raw(it: Rig, data: bytes, *, source: str | None = None) -> bytes:
    """Sends bytes to the HTTP port and reads to the end."""
    local = (source, 0) if source else None
    reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port, local_addr=local)
    try:
        writer.write(data)
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


async def test_pages_of_other_origins_are_refused_before_the_upgrade(tmp_path: Path, redis_url: str) -> None:
    """403; a page of ours and a client without an origin pass."""
    async with rig(tmp_path, redis_url, origins=PAGE) as it:
        assert (await it.ws(Origin=PAGE)).status == 101
        assert (await it.ws()).status == 101
        refused = await it.ws(Origin="https://evil.example")

        assert refused.status == 403
        assert it.figure("gateway_refused_total", reason="http_origin") == 1


@pytest.mark.parametrize(("changes", "status"), [({"Sec_WebSocket_Protocol": None}, 400), ({"Upgrade": None}, 426)])
async def test_a_request_that_is_no_upgrade_of_ours_is_told_so(
    tmp_path: Path, redis_url: str, changes: dict[str, str | None], status: int
) -> None:
    """In HTTP, with a JSON body, and the connection ends."""
    async with rig(tmp_path, redis_url) as it:
        answer = await raw(it, upgrade(**changes))
        head, body = answer.split(b"\r\n\r\n")

        assert head.startswith(b"HTTP/1.1 %d " % status)
        assert "message" in json.loads(body)


async def test_headers_have_a_size(tmp_path: Path, redis_url: str) -> None:
    """At 16 KiB they pass, one byte more does not."""
    async with rig(tmp_path, redis_url) as it:
        for total, status in ((16 * 1024, b"101"), (16 * 1024 + 1, b"431")):
            request = upgrade(X_Filler="")
            request = request.replace(b"X-Filler: ", b"X-Filler: " + b"a" * (total - len(request)))
            assert len(request) == total
            reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
            writer.write(request)
            assert (await reader.readuntil(b"\r\n")).split()[1] == status
            writer.close()


async def test_headers_have_a_time(tmp_path: Path, redis_url: str) -> None:
    """A socket that sends a byte now and then is cut off all the same."""
    async with rig(tmp_path, redis_url, header_timeout_s=0.5) as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
        ended = asyncio.Event()

        async def drip() -> None:
            while not ended.is_set():
                writer.write(b"a")
                await asyncio.sleep(0.1)

        async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
            tasks.create_task(drip())
            with pytest.raises(ConnectionError):
                if await reader.read() == b"":
                    raise ConnectionError
            ended.set()
        assert it.figure("gateway_refused_total", reason="header_timeout") == 1


async def test_pages_are_served_and_their_connection_kept(tmp_path: Path, redis_url: str) -> None:
    """With the strict headers; what is not there is a problem in JSON."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "index.html").write_text("<!doctype html><title>Garita</title>")
    async with rig(tmp_path, redis_url, web_dir=web) as it, aiohttp.ClientSession() as session:
        base = f"http://127.0.0.1:{it.gateway.http_port}"
        for _ in range(3):
            async with session.get(base + "/") as answer:
                assert answer.status == 200
                assert "Garita" in await answer.text()
                assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        async with session.get(base + "/nothing") as answer:
            assert (answer.status, answer.content_type) == (404, "application/problem+json")
        async with session.get(base + "/v1/socket") as answer:
            assert answer.status == 400
        assert it.figure("gateway_accepted_total", transport="http") == 1


async def test_a_banned_address_is_told_in_http(tmp_path: Path, redis_url: str) -> None:
    """403 with reason, end and appeal, before it has sent a byte; the next one in the same second is cut off."""
    async with rig(tmp_path, redis_url, loopback="public") as it:
        ban = await it.ban(address_subject("127.0.0.9/32"))
        await eventually(lambda: it.gateway.bans_held)

        answers = [await raw(it, upgrade(), source="127.0.0.9") for _ in range(3)]

        told = [answer for answer in answers if answer]
        assert 1 <= len(told) <= 2
        body = json.loads(told[0].split(b"\r\n\r\n")[1])
        assert told[0].startswith(b"HTTP/1.1 403 ")
        assert (body["reason"], body["until"], body["appeal"]) == ("flood", ban.until_ms, "appeal-1")
        assert (await it.ws(source="127.0.0.10")).status == 101


async def test_too_many_connections_of_an_address_are_told_in_http(tmp_path: Path, redis_url: str) -> None:
    """429 with Retry-After; another address goes on."""
    async with rig(tmp_path, redis_url, loopback="public", connections_per_address=2) as it:
        for _ in range(2):
            assert (await it.ws(source="127.0.0.9")).status == 101

        answer = await raw(it, upgrade(), source="127.0.0.9")

        assert answer.startswith(b"HTTP/1.1 429 ")
        assert b"Retry-After: " in answer
        assert (await it.ws(source="127.0.0.10")).status == 101


async def test_behind_our_proxy_the_client_s_own_address_counts(tmp_path: Path, redis_url: str) -> None:
    """By the right-most entry that no proxy of ours wrote; a stranger's header is not looked at."""
    async with rig(
        tmp_path, redis_url, loopback="public", connections_per_address=2, trusted_proxies="127.0.0.20"
    ) as it:
        for _ in range(2):
            assert (await it.ws(source="127.0.0.20", X_Forwarded_For="6.6.6.6, 203.0.113.7")).status == 101
        over = await it.ws(source="127.0.0.20", X_Forwarded_For="203.0.113.8, 203.0.113.7")
        other = await it.ws(source="127.0.0.20", X_Forwarded_For="203.0.113.9")
        for _ in range(2):
            assert (await it.ws(source="127.0.0.21", X_Forwarded_For="203.0.113.10")).status == 101
        stranger = await raw(it, upgrade(X_Forwarded_For="203.0.113.11"), source="127.0.0.21")

        lines = b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-For: 6.6.6.6, 203.0.113.12\r\n"
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port, local_addr=("127.0.0.20", 0))
        writer.write(upgrade().replace(b"\r\n\r\n", b"\r\n" + lines + b"\r\n"))
        several = await reader.readline()
        writer.close()

        assert b" 101 " in several
        assert (over.status, other.status) == (429, 101)
        assert stranger.startswith(b"HTTP/1.1 429 ")


async def test_pages_of_an_address_have_a_rate(tmp_path: Path, redis_url: str) -> None:
    """Three connections for pages and not four; sockets and other addresses are not touched."""
    async with rig(tmp_path, redis_url, loopback="public", pages_burst=3, pages_per_s=0.0001) as it:
        request = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"

        codes = [(await raw(it, request, source="127.0.0.9"))[9:12] for _ in range(4)]

        assert codes == [b"404", b"404", b"404", b"429"]
        assert it.figure("gateway_refused_total", reason="pages_per_address") == 1
        assert (await it.ws(source="127.0.0.9")).status == 101
        assert (await raw(it, request, source="127.0.0.10"))[9:12] == b"404"


async def test_who_does_not_read_a_page_is_cut_off(tmp_path: Path, redis_url: str) -> None:
    """An answer larger than all buffers that nobody reads: gone after the idle time, and whoever reads gets it whole."""
    web = tmp_path / "web"
    web.mkdir()
    (web / "big.js").write_bytes(b"/" * 16 * 1024 * 1024)
    async with rig(tmp_path, redis_url, web_dir=web, page_idle_s=0.5) as it, aiohttp.ClientSession() as session:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port, limit=4096)
        writer.write(b"GET /big.js HTTP/1.1\r\nHost: a\r\n\r\n")

        await eventually(lambda: it.figure("gateway_refused_total", reason="slow_reader") == 1)

        async with session.get(f"http://127.0.0.1:{it.gateway.http_port}/big.js") as answer:
            assert len(await answer.read()) == 16 * 1024 * 1024
        writer.transport.abort()
        assert not reader.at_eof()


async def test_a_deadline_on_trial_waits_on(tmp_path: Path, redis_url: str) -> None:
    """Headers that are late are counted, and served once they are there."""
    async with rig(tmp_path, redis_url, header_timeout_s=0.2, dry_run="header_timeout") as it:
        reader, writer = await asyncio.open_connection("127.0.0.1", it.gateway.http_port)
        writer.write(b"GET / HTTP/1.1\r\n")
        await eventually(lambda: it.figure("gateway_would_refuse_total", limit="header_timeout") == 1)

        writer.write(b"Host: a\r\nConnection: close\r\n\r\n")

        assert (await reader.read()).startswith(b"HTTP/1.1 404 ")
        writer.close()
