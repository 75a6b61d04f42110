"""garita_client.core.happenings: sentences for what happens to an account."""

from __future__ import annotations

import pytest

from auth_service.core.events import Kind
from garita_client.core.happenings import happening


@pytest.mark.parametrize("kind", list(Kind), ids=lambda kind: kind.value)
def test_every_event_of_the_service_has_a_sentence(kind: Kind) -> None:
    """In both languages, and not the same in both."""
    english, spanish = happening("en", kind.value), happening("es", kind.value)

    assert english != kind.value.replace("_", " ")
    assert english != spanish


def test_an_unknown_event_is_told_as_it_is() -> None:
    """Servers may be newer than this; nothing that moves a terminal's cursor comes through."""
    assert happening("en", "moon\x1b[2J_landed") == "moon2J landed"
