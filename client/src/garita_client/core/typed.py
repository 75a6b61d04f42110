"""A line that a person typed in the chat, as what is meant by it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Say:
    """A message."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its words; `rest` is all after it as it was typed."""

    word: str
    rest: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty line."""


def read_line(line: str) -> Say | Command | Nothing:
    """What a line means: `/word rest` is a command, `//text` a message that begins with a slash."""
    stripped = line.strip()
    if not stripped:
        return Nothing()
    if stripped.startswith("//"):
        return Say(stripped[1:])
    if stripped.startswith("/"):
        word, _, rest = stripped.partition(" ")
        return Command(word.lower(), rest.strip())
    return Say(line.rstrip())
