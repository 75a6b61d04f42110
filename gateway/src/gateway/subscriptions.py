"""One task owns all subscriptions, so that an UNSUBSCRIBE can never overtake the SUBSCRIBE of somebody who has just come.

Whoever needs channels waits until Redis itself has confirmed them. What is asked for while a round is under way goes out together in the next.
"""

import asyncio
from collections.abc import Collection, Iterable

from garita_common.bus import Listener, Unlinked

MAX_WAITING = 10_000


class Subscriptions:
    """The channels of rooms and users; `run` is its one task."""

    def __init__(self, listener: Listener) -> None:
        """Args: listener: subscribes everything wanted again after a loss, by itself. `confirmed` is what Redis has confirmed once."""
        self._listener = listener
        self.confirmed: set[str] = set()
        self._waiting: list[tuple[list[str], asyncio.Future[None]]] = []
        self._unwanted: dict[str, None] = {}
        self._wake = asyncio.Event()

    async def ensure(self, channels: Collection[str]) -> None:
        """Returns when all of these are confirmed.

        Raises:
            Unlinked: there is no link to Redis.
            TimeoutError: no confirmation in time.
        """
        for channel in channels:
            self._unwanted.pop(channel, None)
        if not self._listener.linked or len(self._waiting) >= MAX_WAITING:
            raise Unlinked
        missing = [channel for channel in channels if channel not in self.confirmed]
        if not missing:
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((missing, future))
        self._wake.set()
        await future

    def drop(self, channels: Iterable[str]) -> None:
        """Does not need these any more."""
        self._unwanted.update(dict.fromkeys(channels))
        self._wake.set()

    async def run(self) -> None:
        """Subscribes and unsubscribes until cancelled."""
        try:
            while True:
                await self._wake.wait()
                self._wake.clear()
                unwanted, self._unwanted = list(self._unwanted), {}
                if unwanted:
                    self.confirmed.difference_update(unwanted)
                    await self._listener.unsubscribe(unwanted)
                waiting, self._waiting = self._waiting, []
                if waiting:
                    await self._subscribe(waiting)
        finally:
            for _, future in self._waiting:
                future.cancel()

    async def _subscribe(self, waiting: list[tuple[list[str], "asyncio.Future[None]"]]) -> None:
        wanted = dict.fromkeys(channel for channels, _ in waiting for channel in channels)
        try:
            await self._listener.subscribe(wanted)
        except (Unlinked, TimeoutError) as exc:
            for _, future in waiting:
                if not future.done():
                    future.set_exception(exc)
            return
        self.confirmed.update(wanted)
        for _, future in waiting:
            if not future.done():
                future.set_result(None)
