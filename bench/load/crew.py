"""Many clients in one process, and what they are told to do together. Every command answers with figures, as JSON would have them."""

import asyncio
import random
import socket
import time
from collections.abc import Callable
from typing import Any

import msgspec

from bench.load import figures
from bench.load.client import Client, Seat
from bench.tally import Latencies

AT_ONCE = 100
CONNECT_S = 60.0
DRAIN_S = 10.0
AGAIN_S = 0.05
CHECK_S = 0.01
_now = time.perf_counter


class Crew:
    """All clients of a process."""

    def __init__(self) -> None:
        """Nobody yet."""
        self.clients: list[Client] = []
        self.text = "x" * 45
        self.samples = self.tracks = False
        self.errors = self.lost = self.out_of_order = self.unrecovered = 0
        self._acks = Latencies()
        self._deliveries = Latencies()
        self._tracked: dict[str, float] = {}
        self._window = (0.0, 0.0)
        self._all_acks = 0

    # What clients tell

    def acknowledged(self, at_s: float, now_s: float) -> bool:
        """One answer; whether to go on sending."""
        self._all_acks += 1
        begin_s, end_s = self._window
        if begin_s <= at_s and now_s <= end_s:
            self._acks.add((now_s - at_s) * 1000)
        return now_s < end_s

    def track(self, cmid: str, at_s: float) -> None:
        """A message whose delivery is waited for."""
        self._tracked[cmid] = at_s

    def delivered(self, cmid: str, now_s: float) -> None:
        """A follower has heard a message."""
        at_s = self._tracked.get(cmid)
        if at_s is not None and self._window[0] <= at_s <= self._window[1]:
            self._deliveries.add((now_s - at_s) * 1000)

    def later(self, client: Client) -> None:
        """A request was refused: the client fills up again in a moment."""
        asyncio.get_running_loop().call_later(AGAIN_S, self._fill_again, client)

    def _fill_again(self, client: Client) -> None:
        if client.kept and _now() < self._window[1]:
            client.fill()

    # Commands

    async def connect(
        self, seats: list[Any], text: str = "", per_s: float = 0.0, samples: bool = False
    ) -> dict[str, Any]:
        """Brings clients in, at most so many a second (0: as fast as they are let). Args: samples: keep an answer and a push, as they came."""
        self.text = text or self.text
        self.samples = samples
        clients = [Client(self, seat) for seat in msgspec.convert(seats, list[Seat])]
        self.clients += clients
        latencies = Latencies()
        begun_s = _now()
        waiting = list(enumerate(clients))[::-1]

        async def bring() -> None:
            while waiting:
                number, client = waiting.pop()
                if per_s:
                    await asyncio.sleep(max(0.0, begun_s + number / per_s - _now()))
                at_s = _now()
                await self._enter(client)
                latencies.add((_now() - at_s) * 1000)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(AT_ONCE, len(clients))):
                tasks.create_task(bring())
        return {"connected": len(clients), "took_s": _now() - begun_s, "latency": figures.to_json(latencies)}

    async def renew(self, tokens: list[str]) -> dict[str, Any]:
        """Everybody stays on with a newer token, in the order they came in."""
        loop, told = asyncio.get_running_loop(), []
        for client, token in zip(self.clients, tokens, strict=True):
            client.wanted = wanted = loop.create_future()
            told.append(wanted)
            client.renew(token)
        async with asyncio.timeout(CONNECT_S):
            for wanted in told:
                await wanted
        return {}

    async def send(self, senders: list[int], in_flight: int, seconds: float, warm_s: float = 0.0) -> dict[str, Any]:
        """Keeps so many requests of each sender in flight; `total` counts all of them, `acks` those within the time after warming up."""
        chosen = [self.clients[number] for number in senders]
        self._open_window(warm_s, seconds)
        for client in chosen:
            client.kept = in_flight
            client.fill()
        await asyncio.sleep(warm_s + seconds)
        for client in chosen:
            client.kept = 0
        return await self._close_window(chosen, seconds)

    async def pace(self, senders: list[int], per_s: float, seconds: float, warm_s: float = 0.0) -> dict[str, Any]:
        """So many messages a second, in turn, whatever the answers do: latencies count from when a message was due."""
        chosen = [self.clients[number] for number in senders]
        self._tracked.clear()
        self.tracks = any(client.seat.follows for client in self.clients)
        self._open_window(warm_s, seconds)
        await self._paced(chosen, per_s, _now(), self._window[1])
        told = await self._close_window(chosen, seconds)
        self.tracks = False
        return told

    async def drop(self) -> dict[str, Any]:
        """Everybody is cut off."""
        for client in self.clients:
            if client.transport is not None:
                client.transport.abort()
        await self._until(lambda: not any(client.connected for client in self.clients))
        self.lost = 0
        return {}

    async def come_back(self) -> dict[str, Any]:
        """Everybody comes back at once with cursors, with the backoff of docs/protocol.md §5 when refused."""
        latencies, begun_s, tries = Latencies(), _now(), 0

        async def back(client: Client) -> None:
            nonlocal tries
            attempt = 0
            while not client.connected:
                tries += 1
                try:
                    await self._enter(client)
                except OSError:
                    attempt += 1
                    await asyncio.sleep(random.uniform(0, min(30.0, 0.5 * 2**attempt)))
            latencies.add((_now() - begun_s) * 1000)

        async with asyncio.TaskGroup() as tasks:
            for client in self.clients:
                tasks.create_task(back(client))
        return {
            "took_s": _now() - begun_s,
            "tries": tries,
            "latency": figures.to_json(latencies),
            "unrecovered": self.unrecovered,
        }

    async def settle(self, heads: dict[str, int], seconds: float = DRAIN_S) -> dict[str, Any]:
        """Waits until every follower has heard everything up to these heads; how many have not."""

        def behind() -> int:
            followers = (client for client in self.clients if client.seat.follows)
            return sum(
                cursor[1] < heads.get(room, 0) for client in followers for room, cursor in client.cursors.items()
            )

        await self._until(lambda: not behind(), seconds)
        return {"behind": behind(), "out_of_order": self.out_of_order}

    async def count(self) -> dict[str, Any]:
        """Where everybody stands: messages and bytes heard per client, by transport."""
        return {
            "bytes": [[client.seat.transport, client.bytes_in] for client in self.clients],
            "heard": [client.heard for client in self.clients],
            "connected": sum(client.connected for client in self.clients),
            "lost": self.lost,
            "out_of_order": self.out_of_order,
            "samples": {
                name: next((c.samples[name].decode() for c in self.clients if name in c.samples), "")
                for name in ("ack", "push", "greeting")
            },
        }

    async def close(self) -> dict[str, Any]:
        """Everybody leaves, and is forgotten."""
        for client in self.clients:
            if client.transport is not None:
                client.transport.abort()
        await self._until(lambda: not any(client.transport for client in self.clients))
        self.clients.clear()
        self.lost = 0
        return {}

    # Means

    async def _paced(self, chosen: list[Client], per_s: float, start_s: float, end_s: float) -> None:
        number = 0
        while (due_s := start_s + number / per_s) < end_s:
            now_s = _now()
            if due_s > now_s:
                await asyncio.sleep(due_s - now_s)
                continue
            chosen[number % len(chosen)].say(due_s)
            number += 1

    def _open_window(self, warm_s: float, seconds: float) -> None:
        self._acks, self._deliveries, self._all_acks, self.errors = Latencies(), Latencies(), 0, 0
        begin_s = _now() + warm_s
        self._window = (begin_s, begin_s + seconds)

    async def _close_window(self, chosen: list[Client], seconds: float) -> dict[str, Any]:
        await self._until(lambda: not any(client.in_flight for client in chosen if client.connected))
        return {
            "acks": self._acks.total,
            "total": self._all_acks,
            "seconds": seconds,
            "errors": self.errors,
            "refused": next((client.last.decode() for client in chosen if client.last), ""),
            "unanswered": sum(client.in_flight for client in chosen),
            "latency": figures.to_json(self._acks),
            "delivery": figures.to_json(self._deliveries),
        }

    async def _until(self, holds: Callable[[], bool], seconds: float = DRAIN_S) -> None:
        end_s = _now() + seconds
        while not holds() and _now() < end_s:
            await asyncio.sleep(CHECK_S)

    async def _enter(self, client: Client) -> None:
        """One connection, up to the answer to `connect`.

        Raises:
            OSError: it was refused; the text says how.
        """
        loop, seat = asyncio.get_running_loop(), client.seat
        sock = socket.socket()
        sock.setblocking(False)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if seat.source:
                sock.bind((seat.source, 0))
            client.wanted = wanted = loop.create_future()
            client.last = b""
            async with asyncio.timeout(CONNECT_S):
                await loop.sock_connect(sock, (seat.host, seat.port))
                await loop.create_connection(lambda: client, sock=sock)
                await wanted
        except BaseException:
            if client.transport is None:
                sock.close()
            raise
