"""detector_service.core.facts: entries become events, events become facts."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.facts import MAX_COUNT, MAX_ENTRY_BYTES, Unreadable, decode, fact_of, subjects_of
from garita_common.core import activity
from garita_common.core.addresses import Loopback

HIT = activity.RateHit(ts_ms=1_000, src="gateway", limit="send")


@given(st.binary(max_size=400))
def test_any_bytes_are_an_event_or_unreadable(data: bytes) -> None:
    """Nothing else comes out of a stream entry."""
    with contextlib.suppress(Unreadable):
        assert decode(data).ts_ms is not None


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "no_field"),
        (b"x" * (MAX_ENTRY_BYTES + 1), "too_long"),
        (b"", "undecodable"),
        (b"\x91" * 5000, "undecodable"),
    ],
)
def test_what_is_no_entry_has_a_reason(data: bytes | None, reason: str) -> None:
    """The reason is a constant, for the metric and the dead stream."""
    with pytest.raises(Unreadable) as caught:
        decode(data)

    assert caught.value.reason == reason


def test_a_record_round_trips() -> None:
    """What an emitter writes is what the detector reads."""
    assert decode(activity.encode(HIT)) == HIT


@given(ts_ms=st.integers(-(2**63), 2**64 - 1), count=st.integers(-(2**63), 2**64 - 1), ip=st.text(max_size=50))
def test_no_stamp_count_or_address_reaches_past_its_bounds(ts_ms: int, count: int, ip: str) -> None:
    """The future is now, the time before 1970 is 1970, and what is no address is none."""
    event = activity.RateHit(ts_ms=ts_ms, src="x", count=count, ip=ip, limit="send")

    fact = fact_of(1, event, 5_000, Loopback.PUBLIC)

    assert 0 <= fact.at_ms <= 5_000
    assert 1 <= fact.count <= MAX_COUNT
    assert fact.unit == "" or fact.unit.startswith("addr:")


@pytest.mark.parametrize(
    ("ip", "loopback", "unit"),
    [
        ("203.0.113.7", Loopback.PRIVATE, "addr:203.0.113.7/32"),
        ("::ffff:203.0.113.7", Loopback.PRIVATE, "addr:203.0.113.7/32"),
        ("2001:db8::1:2", Loopback.PRIVATE, "addr:2001:db8::/64"),
        ("127.0.0.5", Loopback.PRIVATE, ""),
        ("127.0.0.5", Loopback.PUBLIC, "addr:127.0.0.5/32"),
        ("::1", Loopback.PRIVATE, ""),
        ("", Loopback.PUBLIC, ""),
    ],
)
def test_an_address_counts_as_its_unit_if_it_counts_at_all(ip: str, loopback: Loopback, unit: str) -> None:
    """Loopback counts only where it is declared public."""
    event = activity.RateHit(ts_ms=1, src="gateway", ip=ip, ip_prefix="6.6.6.6/32", limit="send")

    assert fact_of(1, event, 5_000, loopback).unit == unit


def test_an_uncounted_address_is_still_named_for_the_operator() -> None:
    """`garita bans` and /v1/events can show what loopback did."""
    event = activity.LoginFailed(
        ts_ms=1, src="auth", ip="127.0.0.5", user="u1", device="d1", account="h", known_device=True, reason="password"
    )

    assert subjects_of(event) == ("addr:127.0.0.5/32", "user:u1", "device:d1", "account:h")
