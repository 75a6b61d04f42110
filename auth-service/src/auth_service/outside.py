"""The one way out for HTTP. A host that no setting names is never asked, and no connection is opened to an address inside the operator's own networks.

What is checked is the address of the socket that is about to connect, after the one resolution that there is: whatever name led to it (a name that was rebound,
a literal in any spelling, an IPv4 address dressed as IPv6), a refused address sees not one packet. Redirects are not followed, the environment's proxies are not
used, and an answer has a deadline and a size.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from urllib.parse import urlsplit

import aiohttp
from aiohttp.abc import AbstractResolver

TIMEOUT_S = 5.0
MAX_BYTES = 262_144
"""An answer of a gateway is below a kilobyte."""
NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Addresses that a translator turns into IPv4 ones, private ones too."""


class Refused(OSError):
    """This call is not made: its host is not on the list, or its address is not out in the Internet."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An answer: its status, and its body, cut off at nothing: a longer one is refused."""

    status: int
    body: bytes


Judge = Callable[[IPv4Address | IPv6Address, int], bool]


def is_outside(address: IPv4Address | IPv6Address, port: int) -> bool:
    """Whether an address is out in the Internet: not loopback, private, link-local (the clouds' metadata), carrier-grade NAT, multicast or reserved, nor one of
    those in IPv6's clothes.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return is_outside(address.ipv4_mapped, port)
        if address in NAT64:
            return is_outside(IPv4Address(int(address) & 0xFFFF_FFFF), port)
        if address.sixtofour is not None or address.teredo is not None:  # tunnels of the past, which nobody needs
            return False
    return address.is_global and not address.is_multicast and not address.is_reserved


class Outside:
    """Calls by HTTPS to a fixed list of hosts."""

    def __init__(
        self,
        hosts: Iterable[str],
        *,
        may_connect: Judge = is_outside,
        resolver: AbstractResolver | None = None,
        schemes: frozenset[str] = frozenset({"https"}),
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        """Args: hosts: of the configured URLs; the rest is given by tests alone, which have no Internet.

        No setting reaches them, so no mistake in one can open our own network.
        """
        self._hosts = frozenset(host.casefold() for host in hosts)
        self._may_connect = may_connect
        self._resolver = resolver
        self._schemes = schemes
        self._timeout_s = timeout_s

    async def call(self, method: str, url: str, *, headers: Mapping[str, str], body: bytes = b"") -> Heard:
        """One request and its answer.

        Raises:
            Refused: the URL or the address that it leads to is not allowed.
            OSError, aiohttp.ClientError, TimeoutError, ValueError: no whole answer came.
        """
        parts = urlsplit(url)
        if parts.scheme not in self._schemes or (parts.hostname or "").casefold() not in self._hosts:
            raise Refused("This host is not on the list.")
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._heard(method, url, headers, body)
        except aiohttp.ClientConnectorError as exc:
            if isinstance(exc.__cause__, Refused):
                raise exc.__cause__ from exc
            raise

    async def _heard(self, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Heard:
        connector = aiohttp.TCPConnector(
            socket_factory=self._socket, resolver=self._resolver, use_dns_cache=False, force_close=True
        )
        async with aiohttp.ClientSession(
            connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
        ) as session:
            async with session.request(
                method, url, headers=headers, data=body or None, allow_redirects=False
            ) as answer:
                return Heard(answer.status, await _bounded(answer))

    def _socket(self, info: aiohttp.AddrInfoType) -> socket.socket:
        """Makes the socket for an address, which is the last moment before it connects."""
        family, kind, protocol, _, where = info
        address = ipaddress.ip_address(str(where[0]).partition("%")[0])
        if not self._may_connect(address, int(where[1])):
            raise Refused("This address is not out in the Internet.")
        return socket.socket(family, kind, protocol)


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    body = bytearray()
    async for piece in answer.content.iter_chunked(16_384):
        body += piece
        if len(body) > MAX_BYTES:
            raise ValueError("The answer is too long.")
    return bytes(body)
