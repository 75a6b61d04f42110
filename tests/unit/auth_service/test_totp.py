"""auth_service.core.totp against the vectors of RFC 4226 and RFC 6238, and the rule that a code is used once."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core import totp

SEED = b"12345678901234567890"
LONG_AGO = -1
RFC_4226 = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489".split()  # noqa: SIM905 - as the RFC prints them
RFC_6238 = {59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037"}


def test_codes_are_those_of_rfc_4226() -> None:
    """Appendix D, counters 0 to 9."""
    assert [totp.code_at(SEED, counter) for counter in range(10)] == RFC_4226


@pytest.mark.parametrize(("now_s", "code"), RFC_6238.items())
def test_codes_are_the_last_six_digits_of_rfc_6238(now_s: int, code: str) -> None:
    """Appendix B prints eight digits for SHA-1; ours are the last six."""
    assert totp.accepted_step(SEED, code, now_s, LONG_AGO) == now_s // 30


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_one_step_of_tolerance_each_way(steps: int, accepted: bool) -> None:
    """A neighbour's code is taken, one further away is not."""
    now_s = 1_800_000_015
    code = totp.code_at(SEED, now_s // 30 + steps)

    assert (totp.accepted_step(SEED, code, now_s, LONG_AGO) is not None) is accepted


def test_a_step_that_was_accepted_is_refused_and_so_are_earlier_ones() -> None:
    """Only a step later than the last counts."""
    now_s = 1_800_000_015
    step = now_s // 30

    assert totp.accepted_step(SEED, totp.code_at(SEED, step), now_s, step) is None
    assert totp.accepted_step(SEED, totp.code_at(SEED, step - 1), now_s, step) is None
    assert totp.accepted_step(SEED, totp.code_at(SEED, step + 1), now_s, step) == step + 1


def test_a_clock_set_back_does_not_bring_a_used_code_back() -> None:
    """The mark is a step, not a time."""
    step = 60_000_000
    code = totp.code_at(SEED, step)

    assert totp.accepted_step(SEED, code, (step - 1) * 30, step) is None


@given(
    seed=st.binary(min_size=20, max_size=20),
    now_s=st.integers(60, 2**40),
    text=st.from_regex(r"[0-9]{6}", fullmatch=True),
)
def test_what_is_accepted_is_the_code_of_that_step(seed: bytes, now_s: int, text: str) -> None:
    """No other code ever passes."""
    step = totp.accepted_step(seed, text, now_s, LONG_AGO)

    assert step is None or (totp.code_at(seed, step) == text and abs(step - now_s // 30) <= 1)


def test_the_uri_is_what_an_authenticator_reads() -> None:
    """Secret, issuer and name are in it."""
    uri = totp.uri_of(SEED, "ana", "Garita")

    assert uri.startswith("otpauth://totp/Garita:ana?")
    assert f"secret={base64.b32encode(SEED).decode()}" in uri
    assert "issuer=Garita" in uri


def test_a_step_begins_when_its_code_does() -> None:
    """In milliseconds."""
    assert totp.began_ms(totp.accepted_step(SEED, totp.code_at(SEED, 100), 3_010.0, 0) or 0) == 3_000_000
