"""garita_common.core.activity."""

import msgspec
import pytest

from garita_common.core import activity

VIOLATION = activity.ProtocolViolated(ts_ms=5, src="gateway", kind="tcp_kind", byte=0x52, state="new", ip="192.0.2.1")


def test_an_event_reads_back() -> None:
    """Decoding what was encoded gives it back, with its kind."""
    read = activity.decode(activity.encode(VIOLATION))

    assert read == VIOLATION
    assert activity.kind_of(read) == "proto.violation"


def test_an_unknown_field_is_ignored_and_an_unknown_type_is_not_guessed() -> None:
    """A newer emitter's extra field is skipped; a kind this reader does not know is an error for its dead letters."""
    fields = msgspec.msgpack.decode(activity.encode(VIOLATION))

    assert activity.decode(msgspec.msgpack.encode(fields | {"new": 1})) == VIOLATION
    with pytest.raises(msgspec.ValidationError):
        activity.decode(msgspec.msgpack.encode(fields | {"type": "nope"}))


def test_logins_violations_and_messages_are_key_and_the_rest_is_noise() -> None:
    """Noise is what may be dropped first."""
    assert activity.is_key(VIOLATION)
    assert not activity.is_key(activity.RateHit(ts_ms=1, src="gateway", limit="send"))
    assert not activity.is_key(activity.ConnectionOpened(ts_ms=1, src="gateway", transport="tcp", port=1))
