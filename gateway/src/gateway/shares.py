"""The limits of users that hold over all gateways: messages, and connections per user and device. Their state is in Redis (`share_scripts.py`).

A connection is entered while it connects, which waits for Redis: without an answer it is refused (`busy`). Messages never wait: they are charged to a copy
(`core.shared_bucket`), and what was spent is reported by `run`, many users in one call. A gateway that reports for a user whom others hold too tells them the new
level over `peer:*`; so it does when a connection of theirs has to make room. Such a word may be lost: entering is repeated with each renewal of a token, and
names again what is one too many. What a dead gateway left does not count, because its id is not among the living.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core import channels
from garita_common.core.errors import Busy
from garita_common.logs import Sparingly

from .clock import Clock
from .core import peer_news
from .core.enforcement import Enforcement
from .core.limits import ShareLimits
from .core.peer_news import Level, MakeRoom, PeerNews
from .core.shared_bucket import SharedBucket
from .share_scripts import ENTER, REPORT

log = structlog.get_logger()

FRESH_S = 10.0
"""A gateway that has just started is not among the living that others have seen: so long its connections count all the same."""
KEEP_S = 1800.0
"""Connections are entered again with each renewal (a token lives 5 minutes): sets that were not touched for so long belong to nobody."""
RETRY_S = 1.0
ENTERING = 8
"""At a time: a storm of connects must not take all of the client's links to Redis."""
USERS_PER_CALL = 500
"""Redis does nothing else meanwhile: 500 users take it about 3 ms."""

_FAULTS = (RedisError, OSError, TimeoutError)


@dataclass(slots=True)
class _Member:
    """A connection as Redis knows it; `came_ms` by Redis's clock, 0 until it has said so."""

    name: str
    device: str
    came_ms: int = 0


@dataclass(slots=True)
class _Holder:
    """A user with connections here, by number."""

    sends: SharedBucket
    members: dict[int, _Member] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Entered:
    """What Redis said: the user's level, the gateways that hold the user, and the connections that have to go."""

    tokens: float
    gateways: list[str]
    gone: list[str]


class Shares:
    """One gateway's part in the shared limits; `run` is its one task."""

    def __init__(
        self,
        client: "redis.Redis",
        gateway_id: str,
        clock: Clock,
        limits: ShareLimits,
        enforcement: Enforcement,
        living: Callable[[], Iterable[str]],
    ) -> None:
        """Args: living: ids of the gateways that are alive. `on_make_room` is told which connection here has to go, and of which user."""
        self._client = client
        self._gateway_id = gateway_id
        self._clock = clock
        self._limits = limits
        self._enforcement = enforcement
        self._living = living
        self._enter = client.register_script(ENTER)
        self._report = client.register_script(REPORT)
        self._users: dict[str, _Holder] = {}
        self._spent: dict[str, SharedBucket] = {}
        self._alone: dict[str, SharedBucket] = {}
        self._left: dict[str, str] = {}
        self._again: dict[int, str] = {}
        self._entering = asyncio.Semaphore(ENTERING)
        self._wake = asyncio.Event()
        self._sparingly = Sparingly(clock.monotonic)
        self.on_make_room: Callable[[int, str], None]

    def __len__(self) -> int:
        """How many users are held."""
        return len(self._users)

    async def enter(self, connection: int, user: str, device: str) -> SharedBucket:
        """Counts a connection in, and asks those that it is one too many for to make room; the user's bucket.

        Raises:
            Busy: Redis does not answer.
        """
        member = _Member(f"{self._gateway_id}/{connection}/{device}", device)
        try:
            async with self._entering:
                entered = await self._entered(user, member)
            holder = self._users.get(user)
            if holder is None:
                holder = self._users[user] = _Holder(self._bucket(user, entered))
            holder.members[connection] = member
            await self._tell(user, entered)
        except BaseException as exc:
            self.leave(connection, user)
            self._drop(user, member)
            if isinstance(exc, _FAULTS):
                raise Busy from exc
            raise
        return holder.sends

    def leave(self, connection: int, user: str) -> None:
        """Counts a connection out, if it is in."""
        self._again.pop(connection, None)
        holder = self._users.get(user)
        member = holder.members.pop(connection, None) if holder is not None else None
        if holder is None or member is None:
            return
        if not holder.members:
            del self._users[user]
            self._hurry(user)
        self._drop(user, member)

    def spent(self, user: str) -> None:
        """The user's bucket was charged: it will be reported, soon if other gateways hold the user too."""
        holder = self._users.get(user)
        if holder is None:
            return
        if holder.sends.gateways == 1:
            self._alone[user] = holder.sends
        else:
            self._spent[user] = holder.sends
            self._wake.set()

    def report_alone(self) -> None:
        """Has those reported whom no other gateway holds, unless their bucket is full again: nobody waits for that, so once a second is enough."""
        alone, self._alone = self._alone, {}
        now_s = self._clock.monotonic()
        for user, bucket in alone.items():
            if not bucket.is_settled(now_s):
                self._spent[user] = bucket
        if self._spent:
            self._wake.set()

    def renewed(self, connection: int, user: str) -> None:
        """The connection goes on: it is entered again, soon."""
        self._again[connection] = user
        self._wake.set()

    def relinked(self) -> None:
        """Redis may have forgotten everything: it is told again who is here, and how full the buckets are."""
        for user, holder in self._users.items():
            self._spent[user] = holder.sends
            self._again.update(dict.fromkeys(holder.members, user))
        self._wake.set()

    def heard(self, data: bytes) -> None:
        """Takes what another gateway says."""
        try:
            news = peer_news.decode(data)
        except msgspec.MsgspecError:
            log.error("peer_news_undecodable")
            return
        now_s = self._clock.monotonic()
        for level in news.levels:
            holder = self._users.get(level.user)
            if holder is not None:
                holder.sends.told(now_s, level.tokens, level.gateways)
                self._hurry(level.user)
        for row in news.close:
            self._make_room(row.connection, row.user)

    async def run(self) -> None:
        """Reports until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                await self._say()
            except _FAULTS as exc:
                if self._sparingly.due("shares", type(exc).__name__):
                    log.warning("shares_not_reported", error=type(exc).__name__)
                self._wake.set()
                await asyncio.sleep(RETRY_S)
            else:
                await asyncio.sleep(self._limits.every_s)

    async def flush(self) -> None:
        """Says everything that there is to say.

        Raises:
            RedisError, OSError, TimeoutError: Redis is away; what was not said is kept.
        """
        self.report_alone()
        await self._say()

    async def _say(self) -> None:
        while self._spent:
            await self._report_some([self._spent.popitem() for _ in range(min(len(self._spent), USERS_PER_CALL))])
        while self._left:
            await self._leave_some([self._left.popitem() for _ in range(min(len(self._left), USERS_PER_CALL))])
        for _ in range(min(len(self._again), USERS_PER_CALL)):
            await self._enter_again()
        if self._again:
            self._wake.set()

    async def finish(self, timeout_s: float) -> None:
        """Says the last of it, as far as Redis answers in time; what is not said dies with this gateway's id."""
        try:
            async with asyncio.timeout(timeout_s):
                await self.flush()
        except _FAULTS as exc:
            log.warning("shares_not_reported", error=type(exc).__name__)

    # Entering and leaving

    async def _entered(self, user: str, member: _Member) -> _Entered:
        limits, on_trial = self._limits, self._enforcement.would_refuse
        came, tokens, names, of_device, of_user = await self._enter(
            keys=[channels.shared_limit("connections", user), channels.shared_limit("send", user)],
            args=[
                member.name,
                member.came_ms,
                member.device,
                limits.connections_per_user,
                int("connections_per_user" in on_trial),
                limits.connections_per_device,
                int("connections_per_device" in on_trial),
                limits.send.rate_per_s,
                limits.send.burst,
                int(FRESH_S * 1000),
                int(KEEP_S * 1000),
                *self._living(),
            ],
        )
        member.came_ms = int(float(came))
        gone = self._over("connections_per_device", of_device) + self._over("connections_per_user", of_user)
        return _Entered(float(tokens), names.decode().split(), gone)

    def _bucket(self, user: str, entered: _Entered) -> SharedBucket:
        """The user's bucket: the one that is still to be reported for a connection that has just gone, or a new one."""
        now_s, gateways = self._clock.monotonic(), max(1, len(entered.gateways))
        bucket = self._spent.get(user)
        if bucket is None:
            return SharedBucket(self._limits.send, now_s, entered.tokens, gateways)
        bucket.told(now_s, entered.tokens, gateways)
        return bucket

    def _over(self, limit: str, members: list[bytes]) -> list[str]:
        """Those that have to go, unless the limit is on trial."""
        return [member.decode() for member in members if self._enforcement.refuses(limit)]

    async def _enter_again(self) -> None:
        connection, user = next(iter(self._again.items()))
        holder = self._users.get(user)
        if holder is not None and connection in holder.members:
            await self._tell(user, await self._entered(user, holder.members[connection]))
        self._again.pop(connection, None)

    def _hurry(self, user: str) -> None:
        """Reports what the user has spent at once, now that it concerns others."""
        bucket = self._alone.pop(user, None)
        if bucket is not None:
            self._spent[user] = bucket
            self._wake.set()

    def _drop(self, user: str, member: _Member) -> None:
        self._left[member.name] = user
        self._wake.set()

    async def _leave_some(self, rows: list[tuple[str, str]]) -> None:
        try:
            async with self._client.pipeline(transaction=False) as pipe:
                for member, user in rows:
                    pipe.zrem(channels.shared_limit("connections", user), member)
                await pipe.execute()
        except BaseException:
            self._left.update(rows)
            raise

    # Messages

    async def _report_some(self, rows: list[tuple[str, SharedBucket]]) -> None:
        rate, now_s = self._limits.send, self._clock.monotonic()
        keys: list[str] = []
        args: list[Any] = [rate.rate_per_s, rate.burst, int(rate.burst / rate.rate_per_s * 2000) + 1000]
        for user, bucket in rows:
            report = bucket.report(now_s)
            keys += [channels.shared_limit("send", user), channels.shared_limit("connections", user)]
            args += [report.cost, report.level, int(report.uncertain)]
        try:
            answer = await self._report(keys=keys, args=args)
        except BaseException:
            for user, bucket in rows:
                bucket.unheard()
                self._spent[user] = bucket
            raise
        await self._take_levels(
            rows, [(float(answer[i]), answer[i + 1].decode().split()) for i in range(0, len(answer), 2)]
        )

    async def _take_levels(self, rows: list[tuple[str, SharedBucket]], answers: list[tuple[float, list[str]]]) -> None:
        now_s = self._clock.monotonic()
        news: dict[str, list[Level]] = {}
        for (user, bucket), (tokens, gateways) in zip(rows, answers, strict=True):
            bucket.answered(now_s, tokens, max(1, len(gateways)))
            for name in gateways:
                if name != self._gateway_id:
                    news.setdefault(name, []).append(Level(user, tokens, len(gateways)))
        await self._publish({name: PeerNews(levels=levels) for name, levels in news.items()})

    # To and from the others

    async def _tell(self, user: str, entered: _Entered) -> None:
        """Says who has to make room, and to those who hold the user too, where the level stands."""
        level = Level(user, entered.tokens, len(entered.gateways))
        news = {name: PeerNews([], [level]) for name in entered.gateways if name != self._gateway_id}
        for member in entered.gone:
            name, number, _ = member.split("/", 2)
            if name == self._gateway_id:
                self._make_room(int(number), user)
            else:
                news.setdefault(name, PeerNews([], [])).close.append(MakeRoom(int(number), user))
        await self._publish(news)

    async def _publish(self, news: dict[str, PeerNews]) -> None:
        if news:
            async with self._client.pipeline(transaction=False) as pipe:
                for name, said in news.items():
                    pipe.publish(channels.peer(name), peer_news.encode(said))
                await pipe.execute()

    def _make_room(self, connection: int, user: str) -> None:
        holder = self._users.get(user)
        if holder is not None and connection in holder.members:
            self.on_make_room(connection, user)
