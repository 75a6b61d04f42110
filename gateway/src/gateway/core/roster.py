"""Who is connected: connections by user, in the order they came.

A user may hold so many connections at a time; one more closes the oldest, since the newest is the one somebody is looking at.
"""

from collections.abc import Iterator
from typing import Generic, TypeVar

C = TypeVar("C")


class Roster(Generic[C]):
    """Connections by user; connections are hashable."""

    def __init__(self, max_per_user: int) -> None:
        """Args: max_per_user: how many a user may hold at a time."""
        self._max_per_user = max_per_user
        self._users: dict[str, dict[C, None]] = {}

    def __len__(self) -> int:
        """How many users are connected."""
        return len(self._users)

    def __iter__(self) -> Iterator[str]:
        """The users, as of now."""
        return iter(list(self._users))

    def of(self, user: str) -> list[C]:
        """A user's connections, oldest first."""
        return list(self._users.get(user, ()))

    def enter(self, user: str, connection: C) -> list[C]:
        """Counts a connection in; returns those that have to go for it."""
        held = self._users.setdefault(user, {})
        held[connection] = None
        return list(held)[: max(0, len(held) - self._max_per_user)]

    def leave(self, user: str, connection: C) -> None:
        """Counts a connection out, if it is in."""
        held = self._users.get(user)
        if held is None:
            return
        held.pop(connection, None)
        if not held:
            del self._users[user]
