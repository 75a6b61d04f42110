"""garita_common.core.wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_common.core import wire
from garita_common.core.errors import BadFrame, FrameTooLarge
from garita_common.core.ids import TransferId


@given(st.sampled_from(wire.Kind), st.binary(max_size=200))
def test_a_frame_reads_back(kind: wire.Kind, payload: bytes) -> None:
    """Parsing what was encoded gives it back."""
    frame = wire.encode_frame(kind, payload)

    assert wire.parse_header(frame, json_limit=200, chunk_limit=200) == (kind, len(payload))
    assert frame[wire.HEADER_BYTES :] == payload


@pytest.mark.parametrize("byte", [b for b in range(256) if b not in (1, 2)])
def test_every_other_first_byte_is_refused_with_its_value(byte: int) -> None:
    """0x52 and 253 others: no correct client can send them."""
    with pytest.raises(BadFrame) as caught:
        wire.check_kind(byte)

    assert (caught.value.kind, caught.value.byte) == ("tcp_kind", byte)


@pytest.mark.parametrize("kind", wire.Kind)
def test_a_length_is_held_against_its_kinds_limit(kind: wire.Kind) -> None:
    """At the limit it passes, one past it is refused from the header alone."""
    limits = {"json_limit": 10, "chunk_limit": 20}
    limit = 10 if kind is wire.Kind.JSON else 20

    assert wire.parse_header(bytes([kind]) + limit.to_bytes(4, "big"), **limits).length == limit
    with pytest.raises(FrameTooLarge):
        wire.parse_header(bytes([kind]) + (limit + 1).to_bytes(4, "big"), **limits)


@given(st.binary(min_size=16, max_size=16), st.integers(0, 2**64 - 1), st.binary(min_size=1, max_size=100))
def test_a_chunk_reads_back(transfer: bytes, offset: int, data: bytes) -> None:
    """Parsing what was encoded gives it back."""
    chunk = wire.parse_chunk(wire.encode_chunk(TransferId(transfer.hex()), offset, data))

    assert (chunk.transfer, chunk.offset, bytes(chunk.data)) == (transfer.hex(), offset, data)


@given(st.binary(max_size=wire.CHUNK_HEADER_BYTES))
def test_a_chunk_without_data_is_refused(payload: bytes) -> None:
    """A chunk has its header and at least one byte."""
    with pytest.raises(BadFrame):
        wire.parse_chunk(payload)
