"""auth_service.core.rotation: the form of refresh tokens, and what becomes of one that is shown."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core import rotation
from auth_service.core.rotation import Facts, Outcome, Shown, judge

NOW = 1_800_000_000_000
USED = Facts(
    used_ms=NOW,
    expires_ms=NOW + 10**9,
    session_over=False,
    replays=0,
    successor_used=False,
    heir_used=False,
    same_device=True,
)
FRESH = replace(USED, used_ms=None)


@pytest.mark.parametrize(
    ("facts", "after_ms", "outcome"),
    [
        (FRESH, 0, Outcome.ROTATE),
        (replace(FRESH, same_device=False), 0, Outcome.ROTATE),
        (FRESH, 10**9 - 1, Outcome.ROTATE),
        (FRESH, 10**9, Outcome.OVER),
        (replace(FRESH, session_over=True), 0, Outcome.OVER),
        (USED, 0, Outcome.REPEAT),
        (USED, 60_000, Outcome.REPEAT),
        (USED, 60_001, Outcome.STOLEN),
        (USED, -60_000, Outcome.REPEAT),
        (USED, -60_001, Outcome.STOLEN),
        (replace(USED, replays=2), 0, Outcome.REPEAT),
        (replace(USED, replays=3), 0, Outcome.CONFLICT),
        (replace(USED, successor_used=True), 10_000, Outcome.REPEAT),
        (replace(USED, successor_used=True), 10_001, Outcome.STOLEN),
        (replace(USED, successor_used=True, heir_used=True), 0, Outcome.STOLEN),
        (replace(USED, same_device=False), 0, Outcome.STOLEN),
        (replace(USED, session_over=True, same_device=False), 0, Outcome.OVER),
    ],
)
def test_what_becomes_of_a_token(facts: Facts, after_ms: int, outcome: Outcome) -> None:
    """Each row of the picture at the top of the module, at its limit and one past it."""
    assert judge(facts, NOW + after_ms) is outcome


@given(
    facts=st.builds(
        Facts,
        used_ms=st.integers(0, 10**6),
        expires_ms=st.integers(0, 10**7),
        session_over=st.booleans(),
        replays=st.integers(0, 5),
        successor_used=st.booleans(),
        heir_used=st.booleans(),
        same_device=st.booleans(),
    ),
    now_ms=st.integers(0, 10**7),
)
def test_a_used_token_never_rotates_and_never_repeats_for_a_stranger(facts: Facts, now_ms: int) -> None:
    """Whatever the clock says."""
    outcome = judge(facts, now_ms)

    assert outcome is not Outcome.ROTATE
    assert facts.same_device or outcome in (Outcome.STOLEN, Outcome.OVER)


@given(token=st.binary(min_size=16, max_size=16), secret=st.binary(min_size=32, max_size=32))
def test_text_and_parse_are_inverse(token: bytes, secret: bytes) -> None:
    """What we write we read."""
    assert rotation.parse(rotation.text_of(token.hex(), secret)) == Shown(token.hex(), secret)


@given(text=st.one_of(st.text(), st.from_regex(r"rt1\.[0-9a-f]{32}\.[A-Za-z0-9_=-]{0,50}", fullmatch=True)))
def test_any_text_is_a_token_in_its_one_form_or_none(text: str) -> None:
    """No second spelling of a token is accepted."""
    shown = rotation.parse(text)

    assert shown is None or rotation.text_of(shown.id, shown.secret) == text
