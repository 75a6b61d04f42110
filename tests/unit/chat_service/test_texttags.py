"""Tags find near and exact repeats, and tell nothing of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.core.texttags import MAX_CHARACTERS, MIN_CHARACTERS, TextTags, count_links, distance

TAGS = TextTags(b"k" * 32)
SENTENCE = "Compra ahora el mejor reloj del mundo en nuestra tienda con descuento y envío gratis a toda la ciudad"


def test_a_text_has_a_tag_from_twenty_characters_on() -> None:
    """19 characters have none, 20 have one."""
    assert TAGS.near("x" * (MIN_CHARACTERS - 1)) == ""
    assert len(TAGS.near("x" * MIN_CHARACTERS)) == 16


def test_near_texts_have_near_tags() -> None:
    """A changed letter moves few bits, another text about half of them."""
    other = "Mañana por la tarde iremos todos juntos al parque a ver los patos si no llueve como la semana pasada"

    assert distance(TAGS.near(SENTENCE), TAGS.near(SENTENCE + "!")) <= 3
    assert distance(TAGS.near(SENTENCE), TAGS.near(other)) > 12


def test_case_and_blanks_make_no_difference() -> None:
    """A robot that varies them is still one robot."""
    assert TAGS.near(SENTENCE.upper().replace(" ", "  ")) == TAGS.near(SENTENCE)


def test_tags_depend_on_the_key() -> None:
    """Without the key nobody can say which tag a text has."""
    other = TextTags(b"q" * 32)

    assert distance(TAGS.near(SENTENCE), other.near(SENTENCE)) > 12
    assert TAGS.exact(SENTENCE) != other.exact(SENTENCE)


def test_the_exact_tag_is_for_every_text_but_the_empty_one() -> None:
    """It changes with any letter."""
    assert TAGS.exact("") == ""
    assert TAGS.exact("ok") == TAGS.exact("ok") != TAGS.exact("Ok")


@given(st.text(max_size=2 * MAX_CHARACTERS))
def test_any_text_has_tags(text: str) -> None:
    """No text breaks it, and the same text has the same tags."""
    assert TAGS.near(text) == TextTags(b"k" * 32).near(text)
    assert (TAGS.near(text) == "") == (len(text) < MIN_CHARACTERS)
    assert bool(TAGS.exact(text)) == bool(text)


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("", 0),
        ("mira http://a.example y https://b.example", 2),
        ("WWW.x.example", 1),
        ("http:// nada", 0),
        ("awww.x", 0),
    ],
)
def test_links_are_counted(text: str, links: int) -> None:
    """What a reader could click on."""
    assert count_links(text) == links
