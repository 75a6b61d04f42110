"""The small catalogue."""

import string

import pytest

from garita_client.core.texts import keys, language_of, text


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


@pytest.mark.parametrize("key", keys())
def test_both_languages_say_the_same(key: str) -> None:
    """Both are there, and take the same values."""
    from garita_client.core.texts import _CATALOGUE

    english, spanish = _CATALOGUE[key]

    assert english
    assert spanish
    assert fields(english) == fields(spanish)


def test_language_follows_the_locale() -> None:
    """es* is Spanish, all else English."""
    assert [language_of(locale) for locale in ("es_ES.UTF-8", "es", "ES_mx", "en_GB", "C", "", None)] == [
        "es", "es", "es", "en", "en", "en", "en",
    ]  # fmt: skip
    assert text("es", "welcome", name="Ana") == "Te damos la bienvenida, Ana. Ahora: garita chat"
