"""Addresses that people type."""

import pytest

from garita_client.core.addresses import Address, BadAddress, RawAddress, WebAddress, api_base, parse_address


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("tcp://127.0.0.1:8081", RawAddress("127.0.0.1", 8081, False)),
        ("127.0.0.1:9", RawAddress("127.0.0.1", 9, False)),
        ("tls://chat.example", RawAddress("chat.example", 8081, True)),
        ("ws://127.0.0.1:8080", WebAddress("http://127.0.0.1:8080/v1/socket")),
        ("http://localhost:8080/", WebAddress("http://localhost:8080/v1/socket")),
        ("wss://chat.example", WebAddress("https://chat.example:443/v1/socket")),
        ("ws://[::1]:8080/other", WebAddress("http://[::1]:8080/other")),
    ],
)
def test_good(text: str, address: Address) -> None:
    """Each scheme means its transport, and a port or path may be left out."""
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["ftp://x", "tcp://", "tcp://h:port", "ws://h:99999"])
def test_bad(text: str) -> None:
    """Anything else is refused with a sentence."""
    with pytest.raises(BadAddress):
        parse_address(text)


def test_api_base() -> None:
    """The accounts API lies below the server's address."""
    assert api_base("http://h:1/") == "http://h:1/v1/auth"
