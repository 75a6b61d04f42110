"""auth_service.core.saved_codes: how a code looks, and what of it may be typed otherwise."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core import saved_codes


def test_a_code_is_twenty_characters_in_fours() -> None:
    """Four find it, sixteen are its 80 bits."""
    code = saved_codes.code_from(bytes(range(13)))

    assert code.text == "AAAQ-EAYE-AUDA-OCAJ-BIFQ"
    assert (len(code.selector), len(code.secret)) == (4, 16)


@given(random=st.binary(min_size=13, max_size=13))
def test_what_is_shown_can_be_typed(random: bytes) -> None:
    """As it is, in small letters, with blanks for dashes, with none, and with the digits that are misread."""
    code = saved_codes.code_from(random)

    typed = (code.text, code.text.lower(), code.text.replace("-", " "), code.text.replace("-", ""), f"  {code.text}\n")
    for text in (*typed, code.text.replace("O", "0").replace("I", "1").replace("B", "8")):
        assert saved_codes.parse(text) == code


@pytest.mark.parametrize(
    "text", ["", "AAAQ", "AAAQ-EAYE-AUDA-OCAJ-BIF", "AAAQ-EAYE-AUDA-OCAJ-BIFQQ", "9" * 20, "ß" * 20, "１" * 20]
)
def test_what_can_be_no_code_is_none(text: str) -> None:
    """Too short, too long, or with what base32 does not have."""
    assert saved_codes.parse(text) is None


@given(text=st.text(max_size=64))
def test_any_text_is_a_code_or_none(text: str) -> None:
    """And a code that is read shows as one that reads the same."""
    code = saved_codes.parse(text)

    assert code is None or saved_codes.parse(code.text) == code
