"""Words, as they are found and as they are asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chat_service.core import terms
from chat_service.core.terms import Query
from garita_common.core.errors import BadRequest


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Nos vemos, nos VEMOS.", ["nos", "vemos"]),
        ("Mañana en la ESTACIÓN", ["manana", "en", "la", "estacion"]),
        ("man\u0303ana", ["manana"]),
        ("Straße İstanbul ﬁn", ["strasse", "istanbul", "fin"]),
        ("snake_case x-y https://a.es/b", ["snake", "case", "x", "y", "https", "a", "es", "b"]),
        ("Привет, 你好 3½", ["привет", "你好", "31", "2"]),
        ("... !?", []),
        ("a" * 50, ["a" * 40]),
    ],
)
def test_words_are_folded_and_each_is_there_once(text: str, words: list[str]) -> None:
    """Without case, diacritics and forms; long ones by their beginning."""
    assert terms.words_in(text) == words


@given(st.text())
def test_whatever_is_written_can_be_asked_for(text: str) -> None:
    """A text's own words are the query's words: both sides fold alike, and folding again changes nothing."""
    for word in terms.words_in(text):
        assert terms.words_in(word) == [word]


@given(st.text(min_size=1, max_size=128))
def test_nothing_of_the_index_s_own_language_comes_from_outside(text: str) -> None:
    """Whatever is asked, a match is quoted words of one room, joined by AND."""
    try:
        asked = terms.query(text)
    except BadRequest:
        return

    for part in terms.match(31, asked).split(" AND "):
        assert part.startswith('"1f_')
        quoted, _, star = part[4:].partition('"')
        assert quoted.isalnum()
        assert star in {"", "*"}


def test_the_last_word_may_be_a_beginning() -> None:
    """But for a single ASCII letter, which begins too much."""
    assert terms.query("buenos días") == Query(("buenos",), "dias")
    assert terms.query("buenos d") == Query(("buenos", "d"), "")
    assert terms.query("你") == Query((), "你")


def test_a_query_has_a_word_and_not_too_many() -> None:
    """Sixteen are enough."""
    many = " ".join(f"w{number}" for number in range(16))

    assert len(terms.query(many).words) == 15
    for bad in ("?!", " ", '"*"', many + " w16"):
        with pytest.raises(BadRequest):
            terms.query(bad)


def test_rooms_do_not_share_words() -> None:
    """The number of one room is never the beginning of another's."""
    assert terms.tokens(1, ["f"]) == "1_f"
    assert terms.tokens(31, ["f"]) == "1f_f"
