"""What clients say in passing: read and received marks, and that somebody is typing. Nobody waits for an answer.

Of the marks that one connection says about a room within one turn of the loop only the highest goes on, since marks only go up. Typing goes on once in a few
seconds per user and room, over all of the user's connections here; what is said more often is dropped without a word.
"""

import asyncio

from garita_common.core.buckets import BucketTable, Rate
from garita_common.core.frames import HintOp, Read, Received, Typing

from .chat_link import ChatLink
from .clock import Clock
from .connection import Connection
from .metrics import Metrics


class Hints:
    """The hints of one gateway process on their way to the chat service."""

    def __init__(self, chat: ChatLink, clock: Clock, metrics: Metrics, *, typing_every_s: float, max_keys: int) -> None:
        """Args: typing_every_s: between two typings of a user in a room that go on; max_keys: of users and rooms that are remembered for it."""
        self._chat = chat
        self._clock = clock
        self._dropped = metrics.refused.labels("typing")
        self._typing = BucketTable(Rate(1 / typing_every_s, 1), max_keys)
        self._marks: dict[tuple[int, type[Read | Received], str], tuple[Connection, Read | Received]] = {}

    def tables(self) -> dict[str, tuple[int, int]]:
        """By table: keys held, and keys dropped because it was full."""
        return {"typing": (len(self._typing), self._typing.evicted)}

    def say(self, connection: Connection, op: HintOp) -> None:
        """Passes a hint on, or lets it go.

        Raises:
            Busy: too much waits to be published.
        """
        self._chat.check_tellable()
        match op:
            case Typing():
                if self._typing.take(f"{connection.user}:{op.room}", self._clock.monotonic()):
                    self._dropped.inc()
                else:
                    self._chat.tell(connection, op)
            case Read() | Received():
                self._mark(connection, op)

    def _mark(self, connection: Connection, op: Read | Received) -> None:
        if not self._marks:
            asyncio.get_running_loop().call_soon(self._flush)
        key = (connection.id, type(op), op.room)
        held = self._marks.get(key)
        if held is None or held[1].seq < op.seq:
            self._marks[key] = (connection, op)

    def _flush(self) -> None:
        marks, self._marks = self._marks, {}
        for connection, op in marks.values():
            self._chat.tell(connection, op)
