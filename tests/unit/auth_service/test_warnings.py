"""auth_service.core.warnings: what people are told."""

import re
from typing import get_args

import pytest

from auth_service.core import warnings
from auth_service.core.events import TRAITS, Kind
from auth_service.core.requests import Locale
from auth_service.core.warnings import Line

LOCALES: tuple[Locale, ...] = get_args(Locale)
ORIGIN = "https://chat.example.org"
TOKEN = warnings.token_of(bytes(range(32)))


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_told_by_mail_and_by_text(locale: Locale, kind: Kind) -> None:
    """Each names the service and carries the link; none holds anything that could be taken for a code."""
    line = Line(kind, 1_800_000_000_000, TOKEN)
    messages = [
        warnings.mail(locale, ORIGIN, "ana", [line]),
        warnings.text(locale, ORIGIN, [line]),
    ]

    for message in messages:
        assert message.startswith("Garita: ")
        assert f"{ORIGIN}/undo.html#{TOKEN}" in message
        assert not re.search(r"\d{5,}", message)
        assert ("&cancel" in message) == TRAITS[kind].is_undone


def test_a_mail_has_a_link_for_each_event() -> None:
    """In their order."""
    lines = [Line(Kind.PHONE_ADDED, number, warnings.token_of(bytes([number]) * 32)) for number in range(200)]
    said = warnings.mail("en", ORIGIN, "ana", lines)

    assert re.findall(r"#([a-p]{64})&cancel", said) == [line.token for line in lines]


def test_a_text_has_one_link_for_all_and_says_how_many() -> None:
    """It fits in a few parts, however many there are."""
    said = warnings.text("en", ORIGIN, [Line(Kind.PHONE_ADDED, 0, TOKEN)] * 200)

    assert said.count("http") == 1
    assert "199 more" in said
    assert len(said) < 306


def test_without_an_origin_there_is_no_link() -> None:
    """A link is built from the configured origin alone."""
    line = Line(Kind.PHONE_ADDED, 0, None)

    assert "http" not in warnings.mail("en", "", "ana", [line]) + warnings.text("es", "", [line])


def test_tokens_are_letters_and_differ() -> None:
    """256 bits each."""
    assert re.fullmatch("[a-p]{64}", TOKEN)
    assert warnings.token_of(bytes(32)) != TOKEN
