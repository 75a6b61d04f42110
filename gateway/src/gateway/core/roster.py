"""Who is connected here: connections by user, in the order they came. How many a user may hold is decided over all gateways (`shares.py`)."""

from collections.abc import Iterator
from typing import Generic, TypeVar

C = TypeVar("C")


class Roster(Generic[C]):
    """Connections by user; connections are hashable."""

    def __init__(self) -> None:
        """Nobody yet."""
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

    def enter(self, user: str, connection: C) -> None:
        """Counts a connection in."""
        self._users.setdefault(user, {})[connection] = None

    def leave(self, user: str, connection: C) -> None:
        """Counts a connection out, if it is in."""
        held = self._users.get(user)
        if held is None:
            return
        held.pop(connection, None)
        if not held:
            del self._users[user]
