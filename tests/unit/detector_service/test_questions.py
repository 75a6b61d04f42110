"""detector_service.core.questions: what an operator may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.questions import parse_subject
from garita_common.core.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("203.0.113.7", "addr:203.0.113.7/32"),
        ("addr:203.0.113.7/32", "addr:203.0.113.7/32"),
        ("2001:db8::7", "addr:2001:db8::/64"),
        ("addr:2001:db8::/64", "addr:2001:db8::/64"),
        ("u" + "0" * 32, "user:u" + "0" * 32),
        ("user:u1", "user:u1"),
        ("device:d1", "device:d1"),
        ("account:h", "account:h"),
    ],
)
def test_a_subject_can_be_written_in_the_ways_people_have_it(text: str, subject: str) -> None:
    """A bare address and a bare user id too."""
    assert parse_subject(text) == subject


@given(st.text(max_size=60))
def test_any_text_is_a_subject_or_a_bad_request(text: str) -> None:
    """Nothing else comes out."""
    try:
        assert parse_subject(text).partition(":")[0] in {"addr", "user", "device", "account"}
    except BadRequest:
        pass
