"""The numbers that admission and sessions are held to, grouped by who asks for them; `config.py` says where each comes from and why."""

from dataclasses import dataclass, field

from garita_common.core.buckets import Rate

from .enforcement import Enforcement


@dataclass(frozen=True, slots=True)
class AdmissionLimits:
    """What decides whether a bare socket may stay. A unit is an IPv4 address or IPv6 /64, a tier the /24 or /48 around it."""

    connections: int
    connections_per_unit: int
    connections_per_tier: int
    attempts_per_node: Rate
    attempts_per_unit: Rate
    attempts_per_tier: Rate
    pages_per_unit: Rate
    answers_per_unit: Rate
    table_keys: int
    enforcement: Enforcement = field(default_factory=Enforcement)


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """What one connection is held to once it is admitted."""

    connect_timeout_s: float
    connect_frames: int
    connect_bytes: int
    early_bytes: int
    text_bytes: int
    chunk_bytes: int
    send: Rate
    other: Rate
    bytes_in: Rate
    upload_bytes: Rate
    frame_cost_bytes: int
    chunk_cost_bytes: int
    control_cost_bytes: int
    flood_s: float
    pause_s: float
    refusals: Rate
    errors: int
    errors_window_s: float
    ping_interval_s: float
    pong_timeout_s: float
    enforcement: Enforcement = field(default_factory=Enforcement)


@dataclass(frozen=True, slots=True)
class ShareLimits:
    """What a user is held to over all gateways. `every_s`: between two reports of what was spent."""

    send: Rate
    connections_per_user: int
    connections_per_device: int
    every_s: float


@dataclass(frozen=True, slots=True)
class DrainTimes:
    """Seconds: `total_s` for all but the closing, `answer_s` for each connection, `spread_s` for 10 000 connections, `close_s` for the last to close."""

    total_s: float
    answer_s: float
    spread_s: float
    close_s: float
