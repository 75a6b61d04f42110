"""auth_service.core.texts: messages to people."""

import re
from typing import get_args

import pytest

from auth_service.core import texts
from auth_service.core.requests import Locale

LOCALES: tuple[Locale, ...] = get_args(Locale)


@pytest.mark.parametrize("locale", LOCALES)
def test_the_code_is_the_only_run_of_six_digits(locale: Locale) -> None:
    """docs/auth-api.md §4 promises it to clients that read the outbox."""
    assert re.findall(r"\d{6,}", texts.registration_code(locale, "012345")) == ["012345"]
    assert re.findall(r"\d{6,}", texts.recovery_code(locale, "012345")) == ["012345"]


@pytest.mark.parametrize("locale", LOCALES)
def test_messages_name_the_service_and_hold_no_link(locale: Locale) -> None:
    """A link in such a message is what a phisher sends."""
    messages = [
        texts.registration_code(locale, "012345"),
        texts.already_registered(locale),
        texts.recovery_code(locale, "012345"),
    ]

    assert all(message.startswith("Garita: ") for message in messages)
    assert not any("http" in message or "www" in message for message in messages)


@pytest.mark.parametrize("locale", get_args(Locale))
def test_a_text_ends_with_what_binds_its_code(locale: Locale) -> None:
    """The last line alone, host and code as browsers read them; no link."""
    text = texts.bound(texts.login_code(locale, "493027"), "chat.example.org", "493027")

    assert text.splitlines()[-1] == "@chat.example.org #493027"
    assert re.findall(r"\b\d{6}\b", text) == ["493027", "493027"]
    assert "//" not in text
