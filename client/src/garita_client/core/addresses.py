"""Where a server is and how it is spoken to, from what a person types."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import GaritaError

SOCKET_PATH = "/v1/socket"
_WEB = {"ws": "http", "http": "http", "wss": "https", "https": "https"}
_RAW = {"tcp": False, "tls": True}
_PORTS = {"http": 8080, "https": 443}
_RAW_PORT = 8081


class BadAddress(GaritaError):
    """Text that names no server."""


@dataclass(frozen=True, slots=True)
class WebAddress:
    """A WebSocket at `url` (http or https, as HTTP libraries want it)."""

    url: str


@dataclass(frozen=True, slots=True)
class RawAddress:
    """The TCP port, with TLS or without."""

    host: str
    port: int
    tls: bool


Address = WebAddress | RawAddress


def parse_address(text: str) -> Address:
    """The server that `ws://`, `wss://`, `http://`, `https://`, `tcp://` or `tls://` text names; a port may be left out.

    Raises:
        BadAddress: another scheme, no host, or a port that is no number.
    """
    parts = urlsplit(text if "://" in text else f"tcp://{text}")
    try:
        host, port = parts.hostname, parts.port
    except ValueError as exc:
        raise BadAddress(f"{text!r} has no valid port.") from exc
    if not host:
        raise BadAddress(f"{text!r} names no host.")
    if parts.scheme in _RAW:
        return RawAddress(host, port or _RAW_PORT, _RAW[parts.scheme])
    if parts.scheme in _WEB:
        scheme = _WEB[parts.scheme]
        path = parts.path if parts.path not in ("", "/") else SOCKET_PATH
        return WebAddress(f"{scheme}://{_bracket(host)}:{port or _PORTS[scheme]}{path}")
    raise BadAddress(f"{text!r} must begin with ws://, wss://, tcp:// or tls://.")


def api_base(server: str) -> str:
    """The base of the accounts API of a server given as `http(s)://host[:port]`."""
    return server.rstrip("/") + "/v1/auth"


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host
