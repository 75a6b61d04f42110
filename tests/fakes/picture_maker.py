"""A maker of pictures whose answers a test can read: the file is the answer. What the service serves is otherwise the same."""

from __future__ import annotations

import secrets

from auth_service.core.pictures import ALPHABETS, LENGTH, Kind


class ReadableMaker:
    """Makes files that say what they show."""

    def __init__(self) -> None:
        """Nothing was made yet."""
        self.made = 0

    async def make(self, kind: Kind) -> tuple[bytes, str]:
        """One of a kind."""
        self.made += 1
        answer = "".join(secrets.choice(ALPHABETS[kind]) for _ in range(LENGTH))
        return answer.encode(), answer

    def close(self) -> None:
        """Nothing to end."""
