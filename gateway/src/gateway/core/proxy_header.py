"""The PROXY protocol, version 2: the binary header in which our own proxy says who its client is.

Sixteen bytes first (`HEAD_BYTES`): signature, version and command, family, and how many bytes follow. Both parts are read to their exact length, so that
nothing of what comes after them (a TLS hello, a first frame) is touched. Only version 2 is spoken: it cannot be mistaken for anything else on these ports.
"""

import ipaddress

from garita_common.core import addresses
from garita_common.core.addresses import Address

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
HEAD_BYTES = 16
MAX_REST_BYTES = 1024
"""Addresses take at most 216 bytes; what else proxies add (a name, a certificate's subject, an id) takes a few hundred."""

_VERSION = 2
_LOCAL, _PROXY = 0, 1
_ADDRESS_BYTES = {0x00: 0, 0x11: 12, 0x12: 12, 0x21: 36, 0x22: 36, 0x31: 216, 0x32: 216}
"""How long the addresses of a family and transport are: unknown, IPv4, IPv6, Unix."""


class NotProxy(Exception):
    """Bytes that are no header of version 2. `kind` is a constant for metrics and the log."""

    def __init__(self, kind: str) -> None:
        """Args: kind: "missing", "version" …"""
        super().__init__(kind)
        self.kind = kind


def could_begin(data: bytes) -> bool:
    """Whether a header may begin with `data`, as far as it goes."""
    return data[:12] == SIGNATURE[: len(data)]


def rest_bytes(head: bytes) -> int:
    """How many bytes follow the first sixteen.

    Raises:
        NotProxy: no signature, another version or command, an unknown family, or a length that is too short for it or too long for us.
    """
    if not could_begin(head):
        raise NotProxy("missing")
    version, command, family = head[12] >> 4, head[12] & 0x0F, head[13]
    length = int.from_bytes(head[14:16], "big")
    if version != _VERSION:
        raise NotProxy("version")
    if command not in (_LOCAL, _PROXY):
        raise NotProxy("command")
    if length > MAX_REST_BYTES:
        raise NotProxy("too_long")
    if command == _PROXY:
        if family not in _ADDRESS_BYTES:
            raise NotProxy("family")
        if length < _ADDRESS_BYTES[family]:
            raise NotProxy("too_short")
    return length


def client(head: bytes, rest: bytes) -> Address | None:
    """Whose connection it is; None where the proxy speaks for itself (LOCAL, its health checks) or does not know (another family).

    Args: head: the sixteen bytes that `rest_bytes` has read; rest: exactly what follows.

    Raises:
        NotProxy: the extensions after the addresses do not add up.
    """
    if head[12] & 0x0F == _LOCAL:
        return None
    family = head[13]
    _check_extensions(rest, _ADDRESS_BYTES[family])
    if family >> 4 == 1:
        return ipaddress.IPv4Address(rest[:4])
    if family >> 4 == 2:
        return addresses.parse(str(ipaddress.IPv6Address(rest[:16])))
    return None


def _check_extensions(rest: bytes, at: int) -> None:
    """Walks over type, length and value up to the very end."""
    while at < len(rest):
        if len(rest) - at < 3:
            raise NotProxy("extension")
        at += 3 + int.from_bytes(rest[at + 1 : at + 3], "big")
    if at != len(rest):
        raise NotProxy("extension")
