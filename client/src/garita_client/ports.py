"""What a connection needs of others: access tokens, and somebody who hears of the pieces of a file."""

from typing import NamedTuple, Protocol


class AccessToken(NamedTuple):
    """A token for the chat, and for how many seconds more it is good."""

    text: str
    good_for_s: float


class TokenSource(Protocol):
    """Where access tokens for the chat come from."""

    async def token(self, *, fresh: bool) -> AccessToken:
        """A token that is good for at least some time; `fresh`: not the one that was given before.

        Raises:
            Ended: there will be none (log in again).
            AuthRefused, Unreachable: there is none now.
        """
        ...


class TransferSink(Protocol):
    """A file transfer that wants to hear of its pieces; the methods return at once."""

    def chunk(self, offset: int, data: memoryview) -> None:
        """A piece of a download."""
        ...

    def acknowledged(self, offset: int) -> None:
        """A piece of an upload has arrived."""
        ...
