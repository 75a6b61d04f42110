"""Network addresses as the unit that is counted, limited and banned.

A unit is one IPv4 address or one IPv6 /64 (a single household or host has a whole /64, so a narrower unit would be free to rotate). A tier
is the IPv4 /24 or IPv6 /48 around it. IPv4 written inside IPv6 (`::ffff:a.b.c.d`) is that IPv4 address.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from enum import Enum
from functools import lru_cache

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

REMEMBERED = 16_384
"""Addresses whose parsing and unit are kept, about 5 MiB: `ipaddress` takes 5 to 10 µs for each, and every message asks."""


class Loopback(Enum):
    """Whether 127.0.0.0/8 and ::1 are limited and banned per address (`public`, drills and tests) or only per user (`private`)."""

    PRIVATE = "private"
    PUBLIC = "public"


@lru_cache(REMEMBERED)
def parse(text: str) -> Address:
    """An address from its text.

    Raises:
        ValueError: `text` is no address (a zone such as `%eth0` is none either).
    """
    address = ipaddress.ip_address(text)
    if isinstance(address, ipaddress.IPv6Address):
        if address.scope_id:
            raise ValueError("an address with a zone cannot be a peer from the network")
        return address.ipv4_mapped or address
    return address


@lru_cache(REMEMBERED)
def unit(address: Address) -> str:
    """The /32 or /64 that is counted as one, as text: `203.0.113.7/32`, `2001:db8::/64`."""
    return _network(address, 32, 64)


@lru_cache(REMEMBERED)
def tier(address: Address) -> str:
    """The /24 or /48 around an address, as text."""
    return _network(address, 24, 48)


def is_counted(address: Address, loopback: Loopback) -> bool:
    """Whether limits and bans per address apply: not for loopback addresses unless they are declared public.

    Behind a local proxy everybody is 127.0.0.1, so counting it as one person would shut everyone out; users are limited all the same.
    """
    return not address.is_loopback or loopback is Loopback.PUBLIC


def parse_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Networks from their texts; a bare address is a network of one.

    Raises:
        ValueError: one of them is neither.
    """
    return tuple(ipaddress.ip_network(text.strip(), strict=False) for text in texts if text.strip())


def is_in(address: Address, networks: Sequence[Network]) -> bool:
    """Whether `address` lies in one of `networks`."""
    return any(address.version == network.version and address in network for network in networks)


def client_address(peer: Address, forwarded_for: str | None, trusted: Sequence[Network]) -> Address:
    """Who is at the other end: the peer, or, behind trusted proxies, the right-most untrusted entry of `X-Forwarded-For`.

    Only entries that a trusted proxy appended can be reached from the right; what stands further left was written by the client and is never
    looked at. An entry that is no address ends the walk at the last one that was. Some proxies write a port, and IPv6 in brackets.
    """
    seen = peer
    if forwarded_for is None:
        return seen
    for entry in reversed(forwarded_for.split(",")):
        if not is_in(seen, trusted):
            return seen
        try:
            seen = parse(_without_port(entry.strip()))
        except ValueError:
            return seen
    return seen


def _without_port(entry: str) -> str:
    """The address of `203.0.113.7:443`, `[2001:db8::7]` or `[2001:db8::7]:443`; anything else as it is."""
    if entry.startswith("["):
        address, closed, port = entry[1:].partition("]")
        return address if closed and (not port or _is_port(port[1:], port[0])) else entry
    address, colon, port = entry.partition(":")
    return address if colon and _is_port(port, colon) else entry


def _is_port(digits: str, colon: str) -> bool:
    return colon == ":" and digits.isascii() and digits.isdecimal() and len(digits) <= 5


def _network(address: Address, v4_bits: int, v6_bits: int) -> str:
    bits = v4_bits if address.version == 4 else v6_bits
    return str(ipaddress.ip_network((address, bits), strict=False))
