"""The one way in which the launcher gives up: a sentence for the person at the terminal."""

from __future__ import annotations


class CannotStart(Exception):
    """The stack cannot run; the text is one sentence that says why and what to do, without a traceback."""
