"""The gateway's settings: every limit by name, with its unit, its default and why it is that number. Nothing else reads the environment."""

from collections.abc import Iterable
from ipaddress import ip_address
from pathlib import Path
from typing import ClassVar, Self
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from garita_common.config import Mode
from garita_common.core import addresses
from garita_common.core.addresses import Network
from garita_common.core.buckets import Rate

from .core.limits import AdmissionLimits, DrainTimes, SessionLimits
from .limit_settings import LimitSettings

KIB = 1024
MIB = 1024 * KIB


class GatewayConfig(LimitSettings):
    """Addresses, neighbours and limits of one gateway process."""

    service_prefix: ClassVar[str] = "GARITA_GATEWAY_"

    http_host: str = Field("127.0.0.1", description="Address of the HTTP and WebSocket port.")
    http_port: int = Field(8080, ge=0, le=65535, description="HTTP and WebSocket port; 0 takes a free one.")
    tcp_host: str = Field("127.0.0.1", description="Address of the TCP port.")
    tcp_port: int = Field(8081, ge=0, le=65535, description="TCP port; 0 takes a free one.")
    http_fd: int | None = Field(
        None,
        ge=3,
        description="Number of an inherited file instead of host and port: a socket that listens and outlives this process, so that a restart refuses nobody.",
    )
    tcp_fd: int | None = Field(None, ge=3, description="The same for the TCP port.")
    auth_url: str = Field(
        "http://127.0.0.1:8094", description="Where the auth service's API answers: its keys are fetched there."
    )
    auth_inner_url: str = Field(
        "",
        description="Where the auth service's inner listener answers: `renew` asks it while Redis is away, with the secret service_token. Empty: busy then.",
    )
    blob_url: str = Field(
        description="Where files are kept: file:///folder, or an s3:// address; the same for every gateway and the chat service."
    )
    web_dir: Path | None = Field(None, description="Folder with the web client; none is served without it.")
    origins: str = Field(
        "", description="Origins whose pages may connect, separated by commas; empty refuses all browsers."
    )
    trusted_proxies: str = Field(
        "",
        description="Our own proxies' addresses or networks, separated by commas; only they may name a client's address, and on the TCP port must, by a PROXY v2 header.",
    )
    http_proxy_header: bool = Field(
        False,
        description="Whether our own proxies begin each connection to the HTTP port with a PROXY v2 header, as they must on the TCP port.",
    )
    tls_cert: Path | None = Field(
        None,
        description="Certificate chain in PEM: the gateway then ends TLS by itself on both ports. Without it something in front does, or nobody.",
    )
    tls_key: Path | None = Field(None, description="The certificate's key in PEM, without a password.")
    tls_timeout_s: float = Field(
        5, gt=0, description="Seconds for a TLS handshake: three round trips of the slowest phone."
    )
    tls_look_s: float = Field(
        60, gt=0, description="Seconds between two looks at the certificate's files; SIGHUP looks at once."
    )
    reuse_port: bool = Field(
        False, description="Whether several gateway processes of this host listen on the same ports (SO_REUSEPORT)."
    )
    shared_counts: Path | None = Field(
        None,
        description="Folder in which the gateway processes of this host share their counts, so that limits per address hold for all together; needed with reuse_port.",
    )
    issuer: str = Field("garita", min_length=1, description="The issuer that access tokens must have.")

    connections: int = Field(10_000, ge=1, description="Connections of this process: at 20 KiB each they take 200 MiB.")
    connections_per_address: int = Field(
        16, ge=1, description="Connections per IPv4 address or IPv6 /64: a household with a few devices and tabs."
    )
    connections_per_prefix: int = Field(
        256,
        ge=1,
        description="Connections per IPv4 /24 or IPv6 /48: sixteen full addresses, so that renting neighbours does not help.",
    )
    attempts_per_address: int = Field(
        32,
        ge=1,
        description="Connection attempts per address and attempts_window_s; one is given back once a valid token is shown, so only guessers run out.",
    )
    attempts_per_prefix: int = Field(
        512,
        ge=1,
        description="Connection attempts per /24 or /48 and attempts_window_s: sixteen addresses at their limit.",
    )
    attempts_window_s: float = Field(600, gt=0, description="Seconds over which the attempts come back, evenly.")
    accept_per_s: float = Field(
        200,
        gt=0,
        description="New connections per second of this process: what it can take in without those that are there noticing.",
    )
    accept_burst: int = Field(400, ge=1, description="New connections at once: two seconds of the rate.")
    pages_per_s: float = Field(
        4, gt=0, description="Page connections per second and address: a browser opens six for a page and keeps them."
    )
    pages_burst: int = Field(
        60, ge=1, description="Page connections at once and address: several reloads in a row by a household."
    )
    limiter_keys: int = Field(
        200_000, ge=1, description="Keys per limiter table, about 30 MiB when full; the least recently used goes out."
    )
    header_timeout_s: float = Field(
        5, gt=0, description="Seconds for an HTTP request's headers: a slow phone needs one."
    )
    header_bytes: int = Field(16 * KIB, ge=1024, description="Bytes of an HTTP request's headers, all together.")
    page_idle_s: float = Field(
        15, gt=0, description="Seconds that a page connection may be idle or slow to read before it is closed."
    )
    connect_timeout_s: float = Field(10, gt=0, description="Seconds until connect has to be there.")
    connect_frames: int = Field(
        8, ge=1, description="Frames until connect has succeeded: a few tries, no conversation."
    )
    connect_bytes: int = Field(
        16 * KIB, ge=1024, description="Bytes of connect: a token of 4 KiB and cursors of 128 rooms."
    )
    early_bytes: int = Field(
        4 * KIB, ge=256, description="Bytes of any other frame before connect: none of them needs more."
    )
    text_bytes: int = Field(
        32 * KIB,
        ge=1024,
        description="Bytes of a JSON frame after connect: 8 KiB of text may take six times that as escapes.",
    )
    send_burst: float = Field(10, gt=0, description="Messages at once per connection: a few lines pasted one by one.")
    send_per_s: float = Field(
        2, gt=0, description="Messages per second and connection: faster than anybody types for long."
    )
    other_burst: float = Field(
        40, gt=0, description="Other operations at once per connection: what a page asks for when it opens."
    )
    other_per_s: float = Field(
        20, gt=0, description="Other operations per second and connection: scrolling through history."
    )
    typing_every_s: float = Field(
        3,
        gt=0,
        description="Seconds between two typings of a user in a room that are passed on: clients show one for about four.",
    )
    bytes_in_burst: int = Field(
        256 * KIB, ge=1, description="Bytes at once that are no upload: eight of the largest frames."
    )
    bytes_in_per_s: int = Field(
        64 * KIB, ge=1, description="Bytes per second that are no upload; above it reading pauses."
    )
    upload_bytes_per_s: int = Field(
        8 * MIB,
        ge=1,
        description="Upload bytes per second and connection; above it reading pauses. A file of 25 MiB takes three seconds.",
    )
    upload_bytes_burst: int = Field(8 * MIB, ge=1, description="Upload bytes at once: one second of the rate.")
    flood_s: float = Field(
        15,
        gt=0,
        description="Seconds that bytes may go on exceeding their budget, through the pauses, before the connection is closed with 4413.",
    )
    pause_s: float = Field(5, gt=0, description="Longest pause in reading, in seconds: half the time a pong has.")
    refusals_burst: float = Field(
        60,
        gt=0,
        description="Requests refused for their rate, at once, before 4413: every one is answered, and answering is work.",
    )
    refusals_per_s: float = Field(2, gt=0, description="Requests refused for their rate, per second, before 4413.")
    errors: int = Field(20, ge=1, description="Errors that are not temporary, in errors_window_s, before 4507.")
    errors_window_s: float = Field(5, gt=0, description="Seconds over which errors are counted.")
    requests_in_flight: int = Field(
        128, ge=1, description="Requests of one connection that wait for an answer: more than its rates allow in 5 s."
    )
    rooms_per_connection: int = Field(128, ge=1, description="Rooms a connection follows.")
    ping_interval_s: float = Field(
        25,
        gt=0,
        description="Seconds between pings, ± 10 % per connection: under the 30 s after which many home routers forget.",
    )
    pong_timeout_s: float = Field(
        10, gt=0, description="Seconds for the pong: a phone that changes from one network to another."
    )
    queue_bytes: int = Field(
        512 * KIB,
        ge=1024,
        description="Bytes that may wait for a client to read them; above it 4408: some hundred messages of the largest size.",
    )
    sndbuf_bytes: int = Field(
        128 * KIB, ge=4096, description="SO_SNDBUF: small enough that the kernel does not hide a slow client."
    )
    recovery_bytes: int = Field(
        2 * MIB,
        ge=1,
        description="Bytes of missed events that one resume gets over all rooms; rooms beyond it are answered recovered: false.",
    )
    write_timeout_s: float = Field(
        30,
        gt=0,
        description="Seconds in which what was written to a client has to leave, looked at with every ping; then 4408. 128 KiB do at 4 KiB a second.",
    )
    close_s: float = Field(1, gt=0, description="Seconds between saying disconnect and cutting the connection off.")
    request_timeout_s: float = Field(
        5, gt=0, description="Seconds for the chat service's answer; then busy, outcome unknown."
    )
    requests_waiting: int = Field(
        20_000, ge=1, description="Requests that may wait for the chat service; above it busy at once."
    )
    batch_bytes: int = Field(256 * KIB, ge=1024, description="Bytes of one published batch of commands.")
    attaching: int = Field(
        2_000,
        ge=1,
        description="Connections that may be attaching at a time; above it busy: a storm after a restart comes back with jitter.",
    )
    room_keep_s: float = Field(
        60, gt=0, description="Seconds that a room without members here stays subscribed: people reload pages."
    )
    heads_every_s: float = Field(
        40, gt=0, description="Seconds between two comparisons of all room heads with the store."
    )
    keys_every_s: float = Field(
        300,
        gt=0,
        description="Seconds between two fetches of the auth service's keys: a new key is published longer than that before it signs.",
    )
    feeds_every_s: float = Field(30, gt=0, description="Seconds between two readings of all bans and revocations.")
    alive_every_s: float = Field(2, gt=0, description="Seconds between two heartbeats that the other gateways see.")
    alive_gone_s: float = Field(
        10,
        gt=0,
        description="Seconds without a new heartbeat after which a gateway is dead to the others: five beats, so that a slow moment of Redis kills nobody.",
    )
    presence_grace_s: float = Field(
        10,
        ge=0,
        description="Seconds after a user's last connection until others are told that the user is gone: a page that is reloaded, a phone that changes networks.",
    )
    presence_lease_s: float = Field(
        60,
        gt=0,
        description="Seconds that this gateway's users stay known after its last heartbeat: long enough for another gateway to notice and tell.",
    )
    drain_s: float = Field(
        75,
        gt=0,
        description="Seconds for the whole drain after SIGTERM, but for the last close_s: under the 90 s that compose waits. The launcher takes 1.",
    )
    drain_answer_s: float = Field(
        5,
        gt=0,
        description="Seconds that a connection which is to go gets for the answers to its running requests and for what is queued: as long as a request may take.",
    )
    drain_spread_s: float = Field(
        60,
        ge=0,
        description="Seconds over which 10 000 clients are asked to come back after SIGTERM: under the accept rate of another gateway.",
    )
    file_bytes: int = Field(
        25 * MIB,
        ge=1,
        description="Bytes of a file, as told to clients; the chat service's own setting is what counts.",
    )
    transfer_window: int = Field(
        4, ge=1, le=64, description="Chunks under way without acknowledgement, in each direction."
    )

    @property
    def origin_list(self) -> frozenset[str]:
        """The origins that may connect."""
        return frozenset(_origin(word) for word in _words(self.origins))

    @property
    def trusted(self) -> tuple[Network, ...]:
        """Our own proxies."""
        return addresses.parse_networks(self.trusted_proxies.split(","))

    @property
    def admission_limits(self) -> AdmissionLimits:
        """What admission is held to."""
        return AdmissionLimits(
            connections=self.connections,
            connections_per_unit=self.connections_per_address,
            connections_per_tier=self.connections_per_prefix,
            attempts_per_node=Rate(self.accept_per_s, self.accept_burst),
            attempts_per_unit=Rate(self.attempts_per_address / self.attempts_window_s, self.attempts_per_address),
            attempts_per_tier=Rate(self.attempts_per_prefix / self.attempts_window_s, self.attempts_per_prefix),
            pages_per_unit=Rate(self.pages_per_s, self.pages_burst),
            answers_per_unit=Rate(1.0, 1.0),
            table_keys=self.limiter_keys,
        )

    @property
    def session_limits(self) -> SessionLimits:
        """What each connection is held to."""
        return SessionLimits(
            connect_timeout_s=self.connect_timeout_s,
            connect_frames=self.connect_frames,
            connect_bytes=self.connect_bytes,
            early_bytes=self.early_bytes,
            text_bytes=self.text_bytes,
            chunk_bytes=64 * KIB,
            send=Rate(self.send_per_s, self.send_burst),
            other=Rate(self.other_per_s, self.other_burst),
            bytes_in=Rate(self.bytes_in_per_s, self.bytes_in_burst),
            upload_bytes=Rate(self.upload_bytes_per_s, self.upload_bytes_burst),
            frame_cost_bytes=64,
            chunk_cost_bytes=4 * KIB,
            control_cost_bytes=KIB,
            flood_s=self.flood_s,
            pause_s=self.pause_s,
            refusals=Rate(self.refusals_per_s, self.refusals_burst),
            errors=self.errors,
            errors_window_s=self.errors_window_s,
            ping_interval_s=self.ping_interval_s,
            pong_timeout_s=self.pong_timeout_s,
        )

    @property
    def drain_times(self) -> DrainTimes:
        """How long a drain may take."""
        return DrainTimes(self.drain_s, self.drain_answer_s, self.drain_spread_s, self.close_s)

    @model_validator(mode="after")
    def _check(self) -> Self:
        """What one field alone cannot tell."""
        try:
            _ = self.trusted
        except ValueError:
            raise ValueError(
                "GARITA_GATEWAY_TRUSTED_PROXIES must be addresses or networks, separated by commas"
            ) from None
        for origin in self.origin_list:
            parts = urlsplit(origin)
            if parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}" != origin:
                raise ValueError(
                    "GARITA_GATEWAY_ORIGINS must be origins such as https://chat.example, separated by commas"
                )
        if self.reuse_port and self.shared_counts is None:
            raise ValueError(
                "GARITA_GATEWAY_REUSE_PORT needs GARITA_GATEWAY_SHARED_COUNTS: otherwise an address has its limits in every process anew"
            )
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("GARITA_GATEWAY_TLS_CERT and GARITA_GATEWAY_TLS_KEY go together")
        if self.auth_inner_url and urlsplit(self.auth_inner_url).scheme not in ("http", "https"):
            raise ValueError("GARITA_GATEWAY_AUTH_INNER_URL must be an http:// or https:// address")
        if urlsplit(self.auth_url).scheme not in ("http", "https"):
            raise ValueError("GARITA_GATEWAY_AUTH_URL must be an http:// or https:// address")
        if self.mode is Mode.DEMO and not all(
            _is_loopback(host) for host in (self.http_host, self.tcp_host, self.inner_host)
        ):
            raise ValueError(
                "GARITA_MODE=demo needs every listener on loopback: it shows unsent codes to whoever can reach it"
            )
        return self


def _words(text: str) -> Iterable[str]:
    return (word.strip() for word in text.split(",") if word.strip())


def _origin(text: str) -> str:
    """An origin as browsers write it: in lower case, without its scheme's own port."""
    origin = text.lower()
    for scheme, port in (("http", ":80"), ("https", ":443")):
        if origin.startswith(f"{scheme}://"):
            return origin.removesuffix(port)
    return origin


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
