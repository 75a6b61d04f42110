"""auth_service.outside: nothing of our own is reachable through it, whatever the name or spelling."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from auth_service.outside import MAX_BYTES, Outside, Refused, is_outside

HTTP = frozenset({"http"})


@dataclass
class Names(AbstractResolver):
    """Answers every name with the next of its addresses."""

    answers: list[str]
    asked: list[str] = field(default_factory=list)

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The address whose turn it is."""
        self.asked.append(host)
        address = self.answers[min(len(self.asked), len(self.answers)) - 1]
        found = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [ResolveResult(hostname=host, host=address, port=port, family=found, proto=0, flags=0)]

    async def close(self) -> None:
        """Nothing to close."""


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[int, list[str]]]:
    """A server on loopback, and the paths that it was asked for."""
    asked: list[str] = []
    over = asyncio.Event()

    async def answer(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if request.path == "/redirect":
            raise web.HTTPFound("/inside")
        if request.path == "/hangs":
            await over.wait()
        if request.path == "/long":
            return web.Response(body=b"x" * (MAX_BYTES + 1))
        return web.Response(text="fine")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield runner.addresses[0][1], asked
    finally:
        over.set()
        await runner.cleanup()


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "localhost",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0",
        "0.0.0.0",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::]",
    ],
)
async def test_abuse_30_no_spelling_of_loopback_is_connected_to(host: str) -> None:
    """Also where the settings name it: a server that listens there hears nothing."""
    async with serving() as (port, asked):
        outside = Outside([host.strip("[]")], schemes=HTTP)
        with pytest.raises((Refused, aiohttp.ClientError)):
            await outside.call("GET", f"http://{host}:{port}/", headers={})

        assert asked == []


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fd00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "fd00:ec2::254",
    ],
)
async def test_abuse_30_a_name_that_leads_inside_is_refused(address: str) -> None:
    """Judged on the address that the socket would connect to."""
    assert not is_outside(ipaddress.ip_address(address), 443)
    outside = Outside(["sms.example"], resolver=Names([address]), schemes=HTTP)
    with pytest.raises(Refused):
        await outside.call("GET", "http://sms.example:9/", headers={})


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_what_is_out_there_is_allowed(address: str) -> None:
    """The rule refuses something, not everything."""
    assert is_outside(ipaddress.ip_address(address), 443)


async def test_abuse_30_a_rebound_name_is_judged_by_the_connection_it_makes() -> None:
    """A name that was outside a moment ago is inside now: each call resolves once, and what it connects to is judged."""
    async with serving() as (port, asked):
        names = Names(["127.0.0.1", "10.0.0.1"])
        outside = Outside(["sms.example"], may_connect=lambda to, _: to.is_loopback, resolver=names, schemes=HTTP)
        assert (await outside.call("GET", f"http://sms.example:{port}/one", headers={})).body == b"fine"
        with pytest.raises(Refused):
            await outside.call("GET", f"http://sms.example:{port}/two", headers={})

        assert (asked, names.asked) == (["/one"], ["sms.example"] * 2)


async def test_abuse_30_a_redirect_is_not_followed() -> None:
    """It is an answer like any other."""
    async with serving() as (port, asked):
        outside = Outside(["127.0.0.1"], may_connect=lambda _, to: to == port, schemes=HTTP)
        heard = await outside.call("GET", f"http://127.0.0.1:{port}/redirect", headers={})

        assert (heard.status, asked) == (302, ["/redirect"])


@pytest.mark.parametrize(
    "url", ["https://other.example/", "http://sms.example/", "file:///etc/passwd", "gopher://sms.example"]
)
async def test_a_host_or_scheme_that_no_setting_names_is_not_asked(url: str) -> None:
    """Not even resolved."""
    names = Names(["8.8.8.8"])
    with pytest.raises(Refused):
        await Outside(["sms.example"], resolver=names).call("GET", url, headers={})

    assert names.asked == []


async def test_an_answer_has_a_size_and_a_time() -> None:
    """A byte too many, or none in time, is no answer."""
    async with serving() as (port, _):
        outside = Outside(["127.0.0.1"], may_connect=lambda _, to: to == port, schemes=HTTP, timeout_s=0.5)
        with pytest.raises(ValueError, match="too long"):
            await outside.call("GET", f"http://127.0.0.1:{port}/long", headers={})
        with pytest.raises(TimeoutError):
            await outside.call("GET", f"http://127.0.0.1:{port}/hangs", headers={})


async def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable must not put somebody in between."""
    async with serving() as (port, asked), serving() as (proxy, heard):
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        outside = Outside(["127.0.0.1"], may_connect=lambda *_: True, schemes=HTTP)
        await outside.call("GET", f"http://127.0.0.1:{port}/one", headers={})

        assert (asked, heard) == (["/one"], [])
