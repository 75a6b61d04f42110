"""garita_common.core.ids."""

import re
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import ids


@given(st.integers(0, 2**48 - 1), st.binary(min_size=10, max_size=10))
def test_a_uuid7_holds_its_time_and_is_of_version_7(ms: int, entropy: bytes) -> None:
    """RFC 9562 §5.7: 48 bits of time, version 7, variant 10."""
    value = uuid.UUID(ids.uuid7(ms, entropy))

    assert value.int >> 80 == ms
    assert value.version == 7
    assert value.variant == uuid.RFC_4122


@given(st.integers(0, 2**47), st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_later_uuid7s_sort_after_earlier_ones(ms: int, one: bytes, other: bytes) -> None:
    """A message id of a later millisecond is greater as text."""
    assert ids.uuid7(ms, one) < ids.uuid7(ms + 1, other)


@pytest.mark.parametrize(
    ("make", "pattern"),
    [
        (ids.user_id, ids.USER_PATTERN),
        (ids.room_id, ids.ROOM_PATTERN),
        (ids.file_id, ids.FILE_PATTERN),
        (ids.transfer_id, ids.TRANSFER_PATTERN),
    ],
)
def test_an_id_fits_its_pattern_and_takes_16_bytes(make: object, pattern: str) -> None:
    """Every made id passes the check that a client's id must pass; other lengths are refused."""
    assert callable(make)

    assert re.fullmatch(pattern, make(b"\xa5" * 16))
    for length in (15, 17):
        with pytest.raises(ValueError, match="16"):
            make(b"x" * length)
