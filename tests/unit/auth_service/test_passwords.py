"""auth_service.core.passwords: what may be chosen."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.passwords import Weakness, is_possible, normal, weaknesses


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("cangrejo sin reloj", []),
        ("mi perro come pan", []),
        ("Tr0ub4dor&3xyz", []),
        ("ñandú-brújula", []),
        ("cangrejo si", [Weakness.TOO_SHORT]),
        ("password1234", [Weakness.GUESSABLE]),
        ("aaaaaaaaaaaa", [Weakness.GUESSABLE]),
        ("garita-garita-garita", [Weakness.GUESSABLE]),
        ("abcdefghijkl", [Weakness.GUESSABLE]),
        ("maripili.1234", [Weakness.PERSONAL]),
        ("x" * 257, [Weakness.TOO_LONG]),
        ("x" * 1_000_000, [Weakness.TOO_LONG]),
        ("", [Weakness.TOO_SHORT]),
        ("\ud800" * 20, [Weakness.GUESSABLE]),
    ],
)
def test_what_may_be_chosen(password: str, expected: list[Weakness]) -> None:
    """Length, guesses, and what others know about the person."""
    assert weaknesses(password, ["maripili", "example.org", "ex"]) == expected


def test_long_passphrases_are_judged_and_not_an_error() -> None:
    """Some estimators raise above 72 characters."""
    assert weaknesses("cuatro caballos miran por la ventana del tren " * 5, []) == []


def test_length_counts_characters_as_they_are_hashed() -> None:
    """Twelve letters with combining accents are twelve, not twenty-four."""
    decomposed = unicodedata.normalize("NFD", "ñáéíóúñáéíó")

    assert len(decomposed) > 12
    assert weaknesses(decomposed, []) == [Weakness.TOO_SHORT]


def test_one_form_is_hashed_whatever_the_keyboard() -> None:
    """Composed and decomposed are the same password."""
    assert normal(unicodedata.normalize("NFD", "ñandú-brújula")) == normal("ñandú-brújula")


@given(password=st.text(max_size=300), personal=st.lists(st.text(max_size=20), max_size=3))
def test_any_text_is_judged(password: str, personal: list[str]) -> None:
    """Never an exception; what is accepted can be hashed."""
    if not weaknesses(password, personal):
        assert is_possible(password)
        normal(password).encode()
