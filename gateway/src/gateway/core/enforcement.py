"""Limits on trial: what a limit in `dry_run` would have refused is counted, and nothing else happens.

Whoever holds a limit asks `refuses` only once the limit is passed, so that a limit that is kept costs nothing. Limits that bound memory are never on trial
(`catalogue.py`).
"""

from collections.abc import Iterable


class Enforcement:
    """Which limits refuse; one per process. `would_refuse` counts by limit what those on trial let pass."""

    __slots__ = ("would_refuse",)

    def __init__(self, on_trial: Iterable[str] = ()) -> None:
        """Args: on_trial: names of limits in `dry_run`."""
        self.would_refuse = dict.fromkeys(sorted(on_trial), 0)

    def refuses(self, limit: str) -> bool:
        """Whether a limit that is passed refuses; if it is on trial, that it would have is counted."""
        if limit not in self.would_refuse:
            return True
        self.would_refuse[limit] += 1
        return False
