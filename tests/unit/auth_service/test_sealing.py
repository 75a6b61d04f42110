"""auth_service.core.sealing: marks and sealed values."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.sealing import SealBroken, Seals, parse_key

SEALS = Seals(bytes(32))
NONCE = bytes(12)


@given(plain=st.binary(max_size=200), row=st.text(max_size=20))
def test_what_is_sealed_opens(plain: bytes, row: str) -> None:
    """For the same purpose and row."""
    row = row.encode("utf-8", "replace").decode()

    assert SEALS.open("totp", row, SEALS.seal("totp", row, plain, NONCE)) == plain


@pytest.mark.parametrize(("purpose", "row"), [("totp", "u2"), ("contact", "u1")])
def test_a_value_moved_to_another_place_does_not_open(purpose: str, row: str) -> None:
    """Another row or purpose is another lock."""
    sealed = SEALS.seal("totp", "u1", b"seed", NONCE)

    with pytest.raises(SealBroken):
        SEALS.open(purpose, row, sealed)


@given(sealed=st.binary(max_size=80))
def test_any_bytes_are_refused(sealed: bytes) -> None:
    """Never anything else than `SealBroken`."""
    with pytest.raises(SealBroken):
        SEALS.open("totp", "u1", sealed)


def test_another_key_opens_nothing() -> None:
    """Not even with everything else right."""
    sealed = SEALS.seal("totp", "u1", b"seed", NONCE)

    with pytest.raises(SealBroken):
        Seals(bytes([1] * 32)).open("totp", "u1", sealed)


def test_marks_tell_purposes_and_parts_apart() -> None:
    """Parts cannot run into each other, and a purpose's marks mean nothing for another."""
    marks = {SEALS.mark("code", "a", "bc"), SEALS.mark("code", "ab", "c"), SEALS.mark("device", "a", "bc")}

    assert len(marks) == 3
    assert SEALS.mark("code", "a", "bc") == SEALS.mark("code", "a", "bc")


def test_a_lone_surrogate_can_be_marked() -> None:
    """A name of nobody may hold anything."""
    assert len(SEALS.mark("identifier", "\ud800")) == 32


@pytest.mark.parametrize("text", ["", "x", base64.b64encode(bytes(31)).decode(), base64.b64encode(bytes(33)).decode(), "é"])  # fmt: skip
def test_a_key_is_32_bytes_in_base64(text: str) -> None:
    """Anything else is refused."""
    with pytest.raises(ValueError):
        parse_key(text)
    assert parse_key(base64.b64encode(bytes(32)).decode()) == bytes(32)
