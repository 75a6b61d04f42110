"""detector_service.core.sentences: a decision as people read it."""

import pytest

from detector_service.core.rulings import Ruling
from detector_service.core.scenarios import MESSAGE_FLOOD, PROTOCOL_VIOLATION, Action, Finding
from detector_service.core.sentences import duration, explain, name_of

from .making import DAY, MIN

BECAUSE = "it sent 3 frames within 1 hour that no correct client can send (first byte 0x52)"
FOUND = Finding(PROTOCOL_VIOLATION, "addr:127.0.0.5/32", 0, (1, 2, 3), {}, BECAUSE)


def test_a_ban_says_who_how_long_why_and_by_which_rule() -> None:
    """The sentence that `garita bans` shows."""
    assert explain(7, FOUND, Ruling(Action.BAN, 0, 10 * MIN, 9 * MIN), 0) == (
        "127.0.0.5 was banned for 10 minutes because it sent 3 frames within 1 hour that no correct client can send"
        " (first byte 0x52); decision 7, rule protocol-violation v1."
    )


def test_a_spared_address_is_explained_too() -> None:
    """An operator asks why somebody was not banned."""
    assert "was not banned although it sent 3 frames" in explain(8, FOUND, Ruling(Action.SPARED), 2)
    assert "2 good users share the address" in explain(8, FOUND, Ruling(Action.SPARED), 2)


def test_what_is_only_noted_says_so() -> None:
    """Nobody reads it as a ban."""
    found = Finding(MESSAGE_FLOOD, "user:u1", 0, (1,), {}, "it sent 11 messages within 10 seconds")

    assert explain(9, found, Ruling(Action.WATCH), 0).startswith("user u1 is watched because it sent 11 messages")
    assert "is to be challenged" in explain(9, found, Ruling(Action.CHALLENGE), 0)


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("addr:127.0.0.5/32", "127.0.0.5"),
        ("addr:2001:db8::/64", "2001:db8::/64"),
        ("user:u1", "user u1"),
        ("device:d", "device d"),
    ],
)
def test_subjects_read_naturally(subject: str, name: str) -> None:
    """An address alone, everything else with its kind."""
    assert name_of(subject) == name


@pytest.mark.parametrize(
    ("length_ms", "words"),
    [
        (10 * MIN, "10 minutes"),
        (160 * MIN, "2 hours 40 minutes"),
        (7 * DAY, "7 days"),
        (MIN, "1 minute"),
        (0, "less than a minute"),
    ],
)
def test_durations_are_in_words(length_ms: int, words: str) -> None:
    """Singular and plural."""
    assert duration(length_ms) == words
