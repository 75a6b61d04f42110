"""What Redis says on one connection, handed over in the very callback that brings it.

redis-py makes and authenticates the connection; then its socket is taken over from its streams, which cost a task's turn, two coroutines and a deadline per
answer. redis-py may still write to the connection and close it. What it would find out by reading (the end), it is told.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import redis.asyncio as redis
from redis._parsers.hiredis import NOT_ENOUGH_DATA


class Answers(asyncio.Protocol):
    """Hears one connection until its end."""

    def __init__(self, link: Any, on_answer: Callable[[Any], None], on_end: Callable[[Exception], None]) -> None:
        """Takes over a redis-py connection with nothing under way.

        Args: on_answer: gets each answer, an error of Redis among them; on_end: called at least once when there will be no more, with why.

        Raises:
            ConnectionError: the connection is closed.
        """
        writer, parser = link._writer, link._parser
        if writer is None or writer.transport.is_closing():
            raise redis.ConnectionError("The link was closed meanwhile.")
        self._on_answer = on_answer
        self._on_end = on_end
        self.transport: asyncio.Transport = writer.transport
        self._streams: Any = self.transport.get_protocol()
        self._reader: Any = parser._reader  # makes redis-py's own errors of what Redis refuses
        self.transport.set_protocol(self)

    def data_received(self, data: bytes) -> None:
        """Takes what a read has brought. A fault on the way ends the connection, for nobody knows what of it was heard."""
        reader = self._reader
        try:
            reader.feed(data)
            while (answer := reader.gets()) is not NOT_ENOUGH_DATA:
                self._on_answer(answer)
        except Exception as exc:  # noqa: BLE001 - the edge of a callback: whoever waits for the connection's end gets it
            self._on_end(exc)
            self.transport.abort()

    def pause_writing(self) -> None:
        """For those who write with redis-py."""
        self._streams.pause_writing()

    def resume_writing(self) -> None:
        """As above."""
        self._streams.resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """The end; redis-py waits for it when it closes a connection."""
        self._streams.connection_lost(exc)
        self._on_end(redis.ConnectionError("Redis has closed the connection." if exc is None else str(exc)))
