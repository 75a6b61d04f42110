"""Facts for the rules' tests, made as the detector makes them: from an event and a row number."""

from __future__ import annotations

from itertools import count
from typing import Any

from detector_service.core.facts import Fact, fact_of
from garita_common.core import activity
from garita_common.core.addresses import Loopback

T0 = 1_800_000_000_000
S, MIN, H, DAY = 1_000, 60_000, 3_600_000, 86_400_000
IP = "203.0.113.7"
UNIT = "addr:203.0.113.7/32"

_rows = count(1)


def fact(event: activity.Event, *, seen_ms: int | None = None, loopback: Loopback = Loopback.PRIVATE) -> Fact:
    """The event as seen when it happened, or later."""
    return fact_of(next(_rows), event, event.ts_ms if seen_ms is None else seen_ms, loopback)


def violation(at_ms: int = T0, **more: Any) -> Fact:
    """A 0x52 on the TCP port."""
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "gateway",
        "ip": IP,
        "kind": "tcp_kind",
        "byte": 0x52,
        "state": "new",
    }
    return fact(activity.ProtocolViolated(**(fields | {"before_frames": True} | more)))


def login_failed(at_ms: int = T0, **more: Any) -> Fact:
    """A wrong password from a strange device."""
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "auth",
        "ip": IP,
        "account": "a1",
        "known_device": False,
        "reason": "password",
    }
    return fact(activity.LoginFailed(**(fields | more)))


def logged_in(at_ms: int = T0, **more: Any) -> Fact:
    """A complete login."""
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "auth",
        "ip": IP,
        "account": "a1",
        "known_device": True,
        "user": "u1",
    }
    return fact(activity.LoggedIn(**(fields | more)))


def rate_hit(at_ms: int = T0, **more: Any) -> Fact:
    """Something that a limit refused."""
    fields: dict[str, Any] = {"ts_ms": at_ms, "src": "gateway", "ip": IP, "limit": "attempts_per_address"}
    return fact(activity.RateHit(**(fields | more)))


def opened(at_ms: int = T0, **more: Any) -> Fact:
    """An admitted connection."""
    fields: dict[str, Any] = {"ts_ms": at_ms, "src": "gateway", "ip": IP, "transport": "tcp", "port": 8081}
    return fact(activity.ConnectionOpened(**(fields | more)))


def said(at_ms: int = T0, **more: Any) -> Fact:
    """A committed message."""
    fields: dict[str, Any] = {
        "ts_ms": at_ms,
        "src": "chat",
        "user": "u1",
        "device": "d1",
        "room": "r1",
        "len": 5,
        "bytes": 5,
    }
    return fact(activity.MessageSent(**(fields | more)))
