"""Lines that a person types."""

import pytest

from garita_client.core.typed import Command, Nothing, Say, read_line


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("", Nothing()),
        ("   ", Nothing()),
        ("hola ", Say("hola")),
        ("//shrug", Say("/shrug")),
        ("/HELP", Command("/help", "")),
        ("/join la plaza ", Command("/join", "la plaza")),
    ],
)
def test_meaning(line: str, meaning: object) -> None:
    """A slash makes a command, two make a message with a slash."""
    assert read_line(line) == meaning
