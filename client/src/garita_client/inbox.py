"""Events on their way to the program: a queue with a size.

Whoever reads too slowly does not make the client grow without end, nor lose anything: a full inbox ends the connection, and the next one
is made with `resume` when the program has read half of it.
"""

import asyncio
from collections import deque

from .core.errors import Ended
from .core.hearing import Event

CAPACITY = 20_000
"""About 10 MB of ordinary messages: minutes of the busiest room at human speed."""


class Inbox:
    """The queue between the connection and the one reader of `Client.events`."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        """Args: capacity: events."""
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._ended: Ended | None = None
        self._news = asyncio.Event()
        self._space = asyncio.Event()
        self._space.set()

    def put(self, events: list[Event]) -> None:
        """Adds events; ask `full` before. A batch may go over the capacity, so that nothing is half taken."""
        if events:
            self._events.extend(events)
            self._news.set()

    def full(self) -> bool:
        """Whether the program must read before more is taken."""
        if len(self._events) < self._capacity:
            return False
        self._space.clear()
        return True

    @property
    def crowded(self) -> bool:
        """Whether what is only said in passing should be dropped: a good half waits already."""
        return len(self._events) > self._capacity // 2

    async def has_space(self) -> None:
        """Until half of a full inbox has been read."""
        await self._space.wait()

    def end(self, error: Ended) -> None:
        """Nothing more will come; what is there may still be read."""
        self._ended = self._ended or error
        self._news.set()

    async def get(self) -> Event:
        """The next event.

        Raises:
            Ended: all has been read and nothing more will come.
        """
        while not self._events:
            if self._ended is not None:
                raise self._ended
            self._news.clear()
            await self._news.wait()
        event = self._events.popleft()
        if len(self._events) <= self._capacity // 2:
            self._space.set()
        return event
