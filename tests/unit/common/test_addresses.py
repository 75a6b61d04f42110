"""garita_common.core.addresses."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import addresses
from garita_common.core.addresses import Loopback

PROXIES = addresses.parse_networks(["10.0.0.0/8", "2001:db8:ffff::1"])


@pytest.mark.parametrize(
    ("text", "unit", "tier"),
    [
        ("203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64", "2001:db8:1::/48"),
        ("::ffff:203.0.113.7", "203.0.113.7/32", "203.0.113.0/24"),
    ],
)
def test_units_and_tiers(text: str, unit: str, tier: str) -> None:
    """IPv4 counts by /32 and /24, IPv6 by /64 and /48, IPv4 inside IPv6 as IPv4."""
    address = addresses.parse(text)

    assert addresses.unit(address) == unit
    assert addresses.tier(address) == tier


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4.5", "fe80::1%eth0", "0x7f000001", "1.2.3.4:80"])
def test_what_is_no_address_is_refused(text: str) -> None:
    """Other spellings, zones and ports are no addresses."""
    with pytest.raises(ValueError, match=r".+"):
        addresses.parse(text)


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_rotating_inside_a_64_stays_one_unit(one: int, other: int) -> None:
    """All addresses of an IPv6 /64 are one unit."""
    base = int(ipaddress.IPv6Address("2001:db8::"))

    assert addresses.unit(ipaddress.IPv6Address(base + one)) == addresses.unit(ipaddress.IPv6Address(base + other))


def test_loopback_counts_only_when_public() -> None:
    """Behind a local proxy everybody is 127.0.0.1."""
    here, there = addresses.parse("127.0.0.5"), addresses.parse("203.0.113.7")

    assert not addresses.is_counted(here, Loopback.PRIVATE)
    assert addresses.is_counted(here, Loopback.PUBLIC)
    assert addresses.is_counted(there, Loopback.PRIVATE)


@pytest.mark.parametrize(
    ("peer", "header", "expected"),
    [
        ("203.0.113.7", "198.51.100.1", "203.0.113.7"),  # an untrusted peer's header is never read
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),  # what the client wrote further left does not count
        ("10.0.0.1", "198.51.100.1, 10.2.3.4", "198.51.100.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, nonsense", "10.0.0.1"),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "10.9.9.9", "10.9.9.9"),
        ("2001:db8:ffff::1", "::ffff:198.51.100.1", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:443", "198.51.100.1"),
        ("10.0.0.1", "[2001:db8::7]", "2001:db8::7"),
        ("10.0.0.1", "[2001:db8::7]:65535", "2001:db8::7"),
        ("10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("10.0.0.1", "198.51.100.1,10.9.9.9:80,[2001:db8:ffff::1]:80", "198.51.100.1"),
        ("10.0.0.1", "  198.51.100.1\t", "198.51.100.1"),
        ("10.0.0.1", "198.51.100.1:port", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1:443443", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7]443", "10.0.0.1"),
        ("10.0.0.1", "[2001:db8::7]:", "10.0.0.1"),
        ("10.0.0.1", "fe80::1%eth0", "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.1, ", "10.0.0.1"),
        ("10.0.0.1", "unknown", "10.0.0.1"),
        ("10.0.0.1", "_hidden, 10.1.1.1", "10.1.1.1"),
    ],
)
def test_the_client_is_the_rightmost_untrusted_entry(peer: str, header: str | None, expected: str) -> None:
    """X-Forwarded-For is read from the right, through trusted proxies only."""
    assert str(addresses.client_address(addresses.parse(peer), header, PROXIES)) == expected
