"""What the gateway's HTTP side lets through: headers of every answer, types of the web client's files, and the rules of the forward in demo mode.

The forward exists so that `make run` is one origin without a proxy (docs/architecture.md §3). It is as narrow as that purpose: loopback peers, exact host names,
the auth service's public paths, plain path characters.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from garita_common.core import addresses
from garita_common.core.errors import Busy, NotFound, PeerError

MAX_BODY_BYTES = 16 * 1024
"""The largest request the auth service takes."""
MAX_ANSWER_BYTES = 1024 * 1024
"""Its largest answer is its OpenAPI document, about a tenth of this."""
MAX_FORWARDS = 64
"""At the same time, all peers together: a fraction of what the auth service takes, so that its own limits speak first only under attack."""

OUTBOX_PATH = "/dev/outbox"
PUBLIC_DOCUMENTS = ("/.well-known/jwks.json", "/openapi.json")
ACCOUNTS_PREFIX = "/v1/auth/"
_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~/-]{1,512}")

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
}
"""Files with another ending are not part of the web client and are not served."""

_PERMISSIONS = (
    "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "fullscreen", "geolocation", "gyroscope",
    "magnetometer", "microphone", "midi", "payment", "picture-in-picture", "screen-wake-lock", "usb", "xr-spatial-tracking",
)  # fmt: skip

# RFC 9110 §7.6.1, and what speaks about who is behind us: that is for us to say.
_NOT_PASSED_ON = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "expect", "host", "accept-encoding", "forwarded", "via", "x-real-ip",
    "x-client-ip", "true-client-ip", "cf-connecting-ip",
})  # fmt: skip
_NOT_HANDED_BACK = frozenset({
    "connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "proxy-connection", "te", "trailer",
    "transfer-encoding", "upgrade", "content-length", "content-encoding", "date", "server",
})  # fmt: skip

Headers = Iterable[tuple[str, str]]


class BodyTooSlow(PeerError):
    """A request whose body did not arrive in time."""

    code: ClassVar[str] = "bad_request"
    status: ClassVar[int] = 408
    default_sentence: ClassVar[str] = "The request's body did not arrive in time."


class AccountsAway(Busy):
    """The auth service does not answer, or not with anything that makes sense."""

    status: ClassVar[int] = 502
    default_sentence: ClassVar[str] = "The accounts do not answer at the moment. Please try again."


class AccountsSlow(AccountsAway):
    """The auth service does not answer in time."""

    status: ClassVar[int] = 504


@dataclass(frozen=True, slots=True)
class EdgeSettings:
    """The HTTP side of one gateway.

    `origins` are those whose pages may open the socket; `port` is the one that browsers see; `demo` turns the forward to `auth_url` (scheme, host and port) on.
    """

    web_dir: Path | None
    origins: tuple[str, ...]
    port: int
    demo: bool = False
    auth_url: str = ""
    body_s: float = 5.0
    """As long as a client may take for 16 KiB."""
    answer_s: float = 10.0
    """A password hash may wait 2 s for a thread; everything else is quicker."""


def content_security_policy(origins: Iterable[str]) -> str:
    """The page's policy (docs/architecture.md §1). Some browsers do not count a socket of the own origin as 'self', so those are named."""
    sockets = sorted(
        {re.sub("^http", "ws", origin) for origin in origins if re.match(r"https?://[^\s;,'\"]+$", origin)}
    )
    return "; ".join([
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "media-src 'self' blob:",
        " ".join(["connect-src 'self'", *sockets]),
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ])  # fmt: skip


def strict_headers(origins: Iterable[str]) -> dict[str, str]:
    """What stands in every answer, whatever it is."""
    return {
        "Content-Security-Policy": content_security_policy(origins),
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{name}=()" for name in _PERMISSIONS),
        "Server": "garita",
    }


def web_path(relative: str) -> str | None:
    """The path at which a file of the web client is served, or None: hidden files, unknown types and odd names are not."""
    if not _PLAIN_PATH.fullmatch(relative) or any(part.startswith(".") for part in relative.split("/")):
        return None
    return f"/{relative}" if content_type(relative) else None


def content_type(name: str) -> str | None:
    """The media type by a name's ending; None: not one of ours."""
    return TYPES.get(Path(name).suffix)


def own_hosts(port: int) -> frozenset[str]:
    """The only values of `Host` under which the forward answers: a name that somebody points at 127.0.0.1 is none of them."""
    bare = {"127.0.0.1", "localhost"}
    return frozenset({f"{name}:{port}" for name in bare} | (bare if port == 80 else set()))


def check_forward(peer: str, hosts: list[str], path: str, allowed: frozenset[str]) -> None:
    """Whether a request may go on to the auth service. Args: peer: the socket's address; hosts: all `Host` headers; path: still encoded.

    Raises:
        NotFound: it does not come from this machine, was not meant for it, or its path could mean another one to whoever reads it next.
    """
    try:
        near = addresses.parse(peer).is_loopback
    except ValueError:
        near = False
    if not near:
        raise NotFound
    if len(hosts) != 1 or hosts[0].lower() not in allowed:
        raise NotFound
    if not _PLAIN_PATH.fullmatch(path) or "//" in path:
        raise NotFound
    if any(part in {".", ".."} for part in path.split("/")):
        raise NotFound


def forward_headers(headers: Headers, peer: str) -> list[tuple[str, str]]:
    """The headers that go on: none that end here, none by which a client could say who it is; who it is, by its socket."""
    named = list(headers)
    passed = [
        (name, value) for name, value in _kept(named, _NOT_PASSED_ON) if not name.lower().startswith("x-forwarded")
    ]
    return [*passed, ("X-Forwarded-For", peer), ("Accept-Encoding", "identity")]


def answer_headers(headers: Headers) -> list[tuple[str, str]]:
    """The headers of the auth service's answer that go back."""
    return list(_kept(list(headers), _NOT_HANDED_BACK))


def problem(status: int, code: str, title: str) -> dict[str, str | int]:
    """An error's body (RFC 9457)."""
    return {"type": f"urn:garita:gateway:{code}", "title": title, "status": status, "code": code}


def code_of_status(status: int) -> tuple[str, str]:
    """The code and the sentence for a status that our own code did not choose."""
    match status:
        case 404:
            return "not_found", "There is nothing here by that name."
        case 405:
            return "method_not_allowed", "This path does not take this method."
        case 413:
            return "too_large", "This request is larger than allowed."
        case _ if status < 500:
            return "bad_request", "This request is not right."
        case _:
            return "internal", "Something went wrong on our side. Please try again."


def _kept(headers: list[tuple[str, str]], dropped: frozenset[str]) -> Iterator[tuple[str, str]]:
    """Without the dropped ones and without those that `Connection` names as meant for this hop alone."""
    hop = {
        token.strip().lower() for name, value in headers if name.lower() == "connection" for token in value.split(",")
    }
    for name, value in headers:
        if name.lower() not in dropped and name.lower() not in hop:
            yield name, value
