"""Who is here, over all gateways: a Redis set of users per gateway, which counts while that gateway is alive.

A user comes with the first connection here and is gone some seconds after the last one, so that reloading a page is not told to anybody. Changes are gathered
and written by one task, never on the way of a message. Who was on no other gateway when coming, and is on no other when gone, is told to the chat service:
looked at before the entry is made and after it is removed, so that of two gateways at least one tells. A dead gateway's set is gone through by the one
gateway that `Alive` chose; a set that Redis lost is written anew.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from itertools import islice
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import channels, pushes
from garita_common.core.errors import Busy
from garita_common.core.records import Here, TellPresent

from .alive import Alive
from .chat_link import ChatLink
from .clock import Clock
from .connection import Connection
from .metrics import Metrics

log = structlog.get_logger()

MEMBERS_PER_COMMAND = 1000


class Presence:
    """The users of one gateway process as the others see them; `run` is its one task."""

    def __init__(
        self,
        client: "redis.Redis",
        gateway_id: str,
        alive: Alive,
        chat: ChatLink,
        clock: Clock,
        metrics: Metrics,
        *,
        grace_s: float,
        lease_s: float,
    ) -> None:
        """Args: grace_s: how long a user without connection still counts; lease_s: how long the set outlives its last beat."""
        self._client = client
        self._id = gateway_id
        self._alive = alive
        self._chat = chat
        self._clock = clock
        self._metrics = metrics
        self._grace_s = grace_s
        self._lease_ms = int(lease_s * 1000)
        self._here: dict[str, None] = {}
        self._coming: dict[str, None] = {}
        self._leaving: dict[str, float] = {}
        self._dead: list[str] = []
        self._anew = False
        self._wake = asyncio.Event()
        alive.on_beat.append(self._beaten)
        alive.on_dead.append(self._died)

    def __len__(self) -> int:
        """How many users count as here."""
        return len(self._here)

    def came(self, user: str) -> None:
        """A connection of the user is connected."""
        self._leaving.pop(user, None)
        if user not in self._here:
            self._here[user] = self._coming[user] = None
            self._wake.set()

    def left(self, user: str) -> None:
        """The user's last connection here is gone."""
        if user in self._here:
            self._leaving[user] = self._clock.monotonic() + self._grace_s

    async def run(self) -> None:
        """Writes changes until cancelled: new users at once, the rest with each beat."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._write()
            except (RedisError, OSError, TimeoutError) as exc:
                log.warning("presence_unwritten", error=type(exc).__name__)  # kept, and tried again with the next beat

    async def tell(self, connection: Connection, request: int, ask: TellPresent) -> None:
        """Answers who of a page of members is here."""
        users = [user for user, _ in ask.members]
        try:
            elsewhere = await self._elsewhere(users)
        except (RedisError, OSError, TimeoutError):
            connection.fault(request, Busy())
            return
        here = [{"id": user, "name": name} for user, name in ask.members if user in self._here or user in elsewhere]
        connection.send_json(pushes.ok(request, {"here": here} | ({"next": ask.next} if ask.next else {})))

    def _beaten(self, anew: bool) -> None:
        self._anew = self._anew or anew
        self._wake.set()

    def _died(self, gateway: str) -> None:
        self._dead.append(gateway)
        self._wake.set()

    async def _write(self) -> None:
        if self._anew:
            await self._write_anew()
        await self._write_coming()
        await self._write_leaving()
        while self._dead:
            await self._sweep(self._dead[0])
            del self._dead[0]
        if not await self._client.pexpire(channels.presence(self._id), self._lease_ms) and self._here:
            self._anew = True  # it went lost just now; the next beat brings it back

    async def _write_anew(self) -> None:
        """Everybody here, at the start and after the set was lost; nobody has come or gone by that."""
        self._anew = False
        try:
            await self._pipe(("sadd", channels.presence(self._id), part) for part in _parts(self._here))
        except BaseException:
            self._anew = True
            raise

    async def _write_coming(self) -> None:
        coming = list(self._coming)
        if not coming:
            return
        elsewhere = await self._elsewhere(coming)
        await self._pipe(("sadd", channels.presence(self._id), part) for part in _parts(coming))
        for user in coming:
            if self._coming.pop(user, user) is None and user not in elsewhere:
                self._say(user, here=True)

    async def _write_leaving(self) -> None:
        now_s = self._clock.monotonic()
        over = [user for user, due_s in self._leaving.items() if due_s <= now_s]
        if not over:
            return
        for user in over:
            del self._leaving[user], self._here[user]
            self._coming.pop(user, None)
        try:
            await self._pipe(("srem", channels.presence(self._id), part) for part in _parts(over))
            gone = await self._gone(over)
        except BaseException:
            for user in over:
                if user not in self._here:
                    self._here[user], self._leaving[user] = None, now_s
            raise
        for user in gone:
            self._say(user, here=False)

    async def _sweep(self, gateway: str) -> None:
        """Goes through what a dead gateway left behind."""
        name = channels.presence(gateway)
        members: Any = self._client.smembers(name)
        users = [user.decode() for user in await members]
        for user in await self._gone(users):
            self._say(user, here=False)
        await self._client.delete(name)
        log.info("presence_swept", gateway=gateway, users=len(users))

    async def _gone(self, users: Sequence[str]) -> list[str]:
        """Those who are nowhere (any more)."""
        elsewhere = await self._elsewhere(users)
        return [user for user in users if user not in elsewhere and user not in self._here]

    async def _elsewhere(self, users: Sequence[str]) -> set[str]:
        """Those who are on another gateway that is alive.

        Raises:
            RedisError, OSError, TimeoutError: Redis is away.
        """
        others = [channels.presence(gateway) for gateway in self._alive.ids if gateway != self._id]
        asked = [(name, part) for name in others for part in _parts(users)]
        answers = await self._pipe(("smismember", name, part) for name, part in asked)
        return {
            user
            for (_, part), flags in zip(asked, answers, strict=True)
            for user, flag in zip(part, flags, strict=True)
            if flag
        }

    async def _pipe(self, commands: Iterable[tuple[str, str, Collection[str]]]) -> list[Any]:
        """Commands of the form NAME key members, together."""
        async with self._client.pipeline(transaction=False) as pipe:
            for command, name, members in commands:
                pipe.execute_command(command.upper(), name, *members)
            return await pipe.execute() if len(pipe) else []

    def _say(self, user: str, *, here: bool) -> None:
        self._metrics.presence.labels("came" if here else "gone").inc()
        self._chat.tell(None, Here(here), user)


def _parts(users: Iterable[str]) -> list[list[str]]:
    """Users in pieces that one command may take."""
    rest = iter(users)
    parts = []
    while part := list(islice(rest, MEMBERS_PER_COMMAND)):
        parts.append(part)
    return parts
