"""Limits: token buckets and counted tries in Redis, and stricter ones of this process while Redis is away.

A limit is never open. What Redis decides is decided in one script, so that requests at the same moment count one after the other. While Redis does not
answer, each bucket is replaced by one of half the size in memory, and names are guarded as if they had been guessed at already.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError

from garita_common.core.buckets import BucketTable, Rate

from .core.attempts import Judged, Policy, Tries, Verdict, judge
from .core.problems import TooMany
from .metrics import Metrics

log = structlog.get_logger()

HOUR_MS: Final = 3_600_000
QUARTER_MS: Final = 900_000
LOCAL_KEYS: Final = 50_000
"""About 20 MiB at the very most; when full the longest unseen goes out."""
LOCAL_MEMBERS: Final = 32
"""A set is only asked whether it has more than 15."""
ROW_S: Final = 30 * 86_400
RETRY_REDIS_S: Final = 1.0
"""After a failure Redis is not asked for this long, so that an outage does not slow every request by a time-out."""

_TAKE = """
local burst = tonumber(ARGV[2])
local row = redis.call('HMGET', KEYS[1], 't', 'at')
local tokens, at = tonumber(row[1]) or burst, tonumber(row[2]) or 0
local now = tonumber(ARGV[3])
if now > at then tokens = math.min(burst, tokens + (now - at) * tonumber(ARGV[1]) / 1000) else now = at end
local wait = 0
local cost = tonumber(ARGV[4])
if tokens >= cost then tokens = tokens - cost
elseif cost > burst then wait = -1
else wait = math.ceil((cost - tokens) / tonumber(ARGV[1]) * 1000) end
redis.call('HSET', KEYS[1], 't', tostring(tokens), 'at', now)
redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[5]))
return wait
"""

_TRY = """
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[1] - 3600000)
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[1], 3600000)
return {redis.call('ZCOUNT', KEYS[1], '(' .. (ARGV[1] - 900000), '+inf'), redis.call('ZCARD', KEYS[1]),
        tonumber(redis.call('GET', KEYS[2]) or '0')}
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """A token bucket's name (a constant) and size: `count` in `period_s`."""

    name: str
    count: int
    period_s: int

    @property
    def rate(self) -> Rate:
        """The bucket's rate and burst."""
        return Rate(self.count / self.period_s, self.count)

    @property
    def local_rate(self) -> Rate:
        """What holds while Redis is away: half of it."""
        return Rate(self.count / self.period_s / 2, max(1, self.count // 2))


@dataclass(frozen=True, slots=True)
class Reserved:
    """A try that was counted. `judged` says what it may do; give it back with `Tried.forgive` when it was no failure."""

    key: str
    member: str
    judged: Judged


class Limiter:
    """Asks Redis, or itself while Redis is away."""

    def __init__(self, client: "redis.Redis", metrics: Metrics, clock: Callable[[], float]) -> None:
        """Args: clock: Unix seconds."""
        self._client = client
        self._metrics = metrics
        self._clock = clock
        self._take = client.register_script(_TAKE)
        self._try = client.register_script(_TRY)
        self._local: dict[str, BucketTable] = {}
        self._local_tries: OrderedDict[str, deque[tuple[int, str]]] = OrderedDict()
        self._local_shut: OrderedDict[str, int] = OrderedDict()
        self._local_rows: OrderedDict[str, int] = OrderedDict()
        self._local_sets: OrderedDict[str, tuple[float, set[str]]] = OrderedDict()
        self._away_until_s = 0.0

    @property
    def redis_is_away(self) -> bool:
        """Whether Redis failed a moment ago."""
        return time.monotonic() < self._away_until_s

    async def take(self, limit: Limit, key: str, cost: float = 1.0) -> None:
        """Takes one from a bucket.

        Raises:
            TooMany: it is empty.
        """
        wait_s = await self.wait_s(limit, key, cost)
        if wait_s > 0:
            self._metrics.limits.labels(limit.name).inc()
            raise TooMany(limit.name, int(min(wait_s, limit.period_s)) + 1)

    async def wait_s(self, limit: Limit, key: str, cost: float = 1.0) -> float:
        """Takes `cost` from a bucket and returns 0, or takes nothing and returns the seconds until it could. Cost 0 only looks, for a full token."""
        if not self.redis_is_away:
            try:
                wait_ms = await self._take(
                    keys=[f"lim:{limit.name}:{key}"],
                    args=[limit.rate.rate_per_s, limit.count, int(self._clock() * 1000), cost, limit.period_s * 1000],
                )
                self._metrics.redis_up.set(1)
                return float(limit.period_s) if int(wait_ms) < 0 else int(wait_ms) / 1000
            except (RedisError, OSError, TimeoutError) as exc:
                self._redis_failed(exc)
        table = self._local.setdefault(limit.name, BucketTable(limit.local_rate, LOCAL_KEYS))
        return table.take(key, self._clock(), cost)

    async def reserve(self, key: str, member: str, policy: Policy) -> Reserved:
        """Counts a try before its outcome is known, and says what it may do. A try that is shut out is not counted further.

        Args: member: unique to this try.
        """
        now_ms = int(self._clock() * 1000)
        tries, policy = await self._count(key, member, policy, now_ms)
        judged = judge(tries, policy, now_ms)
        reserved = Reserved(key, member, judged)
        if judged.verdict is Verdict.SHUT:
            if judged.newly_shut:
                await self._shut(key, judged.shut_until_ms, now_ms)
            await self.forgive(reserved)
        return reserved

    async def forgive(self, reserved: Reserved) -> None:
        """The try was no failure: it does not count."""
        tries = self._local_tries.get(reserved.key)
        if tries is not None:
            self._local_tries[reserved.key] = deque(row for row in tries if row[1] != reserved.member)
        if self.redis_is_away:
            return
        try:
            await self._client.zrem(f"lim:try:{reserved.key}", reserved.member)
        except (RedisError, OSError, TimeoutError) as exc:
            self._redis_failed(exc)

    async def row(self, keys: list[str], by: int) -> list[int]:
        """Adds to rows of failures, which nobody but `end_rows` ends before a month without one; returns what they are now."""
        if not self.redis_is_away:
            try:
                async with self._client.pipeline(transaction=True) as pipe:
                    for key in keys:
                        pipe.incrby(f"lim:row:{key}", by)
                        pipe.expire(f"lim:row:{key}", ROW_S)
                    return [int(count) for count in (await pipe.execute())[::2]]
            except (RedisError, OSError, TimeoutError) as exc:
                self._redis_failed(exc)
        found = []
        for key in keys:
            self._local_rows[key] = self._local_rows.get(key, 0) + by
            self._local_rows.move_to_end(key)
            found.append(2 * self._local_rows[key])  # what was counted before the outage is not known here
        while len(self._local_rows) > LOCAL_KEYS:
            self._local_rows.popitem(last=False)
        return found

    async def end_rows(self, keys: list[str]) -> None:
        """These rows are over."""
        for key in keys:
            self._local_rows.pop(key, None)
        if self.redis_is_away:
            return
        try:
            await self._client.delete(*(f"lim:row:{key}" for key in keys))
        except (RedisError, OSError, TimeoutError) as exc:
            self._redis_failed(exc)

    async def gather(self, key: str, member: str, window_s: int) -> int:
        """Puts a member into a set that is forgotten `window_s` after its first; returns how many different ones it has."""
        if not self.redis_is_away:
            try:
                async with self._client.pipeline(transaction=True) as pipe:
                    pipe.sadd(f"lim:set:{key}", member)
                    pipe.expire(f"lim:set:{key}", window_s, nx=True)
                    pipe.scard(f"lim:set:{key}")
                    return int((await pipe.execute())[2])
            except (RedisError, OSError, TimeoutError) as exc:
                self._redis_failed(exc)
        now_s = self._clock()
        begun_s, members = self._local_sets.get(key, (now_s, set()))
        if now_s >= begun_s + window_s:
            begun_s, members = now_s, set()
        if len(members) < LOCAL_MEMBERS:
            members.add(member)
        self._local_sets[key] = (begun_s, members)
        self._local_sets.move_to_end(key)
        while len(self._local_sets) > LOCAL_KEYS:
            self._local_sets.popitem(last=False)
        return 2 * len(members)

    async def _count(self, key: str, member: str, policy: Policy, now_ms: int) -> tuple[Tries, Policy]:
        if not self.redis_is_away:
            try:
                quarter, hour, shut = await self._try(keys=[f"lim:try:{key}", f"lim:shut:{key}"], args=[now_ms, member])
                self._metrics.redis_up.set(1)
                return Tries(int(quarter), int(hour), int(shut)), policy
            except (RedisError, OSError, TimeoutError) as exc:
                self._redis_failed(exc)
        return self._count_here(key, member, now_ms), _stricter(policy)

    def _count_here(self, key: str, member: str, now_ms: int) -> Tries:
        tries = self._local_tries.setdefault(key, deque())
        self._local_tries.move_to_end(key)
        if len(self._local_tries) > LOCAL_KEYS:
            self._local_tries.popitem(last=False)
        while tries and tries[0][0] <= now_ms - HOUR_MS:
            tries.popleft()
        tries.append((now_ms, member))
        quarter = sum(1 for at_ms, _ in tries if at_ms > now_ms - QUARTER_MS)
        return Tries(quarter, len(tries), self._local_shut.get(key, 0))

    async def _shut(self, key: str, until_ms: int, now_ms: int) -> None:
        self._local_shut[key] = until_ms
        self._local_shut.move_to_end(key)
        if len(self._local_shut) > LOCAL_KEYS:
            self._local_shut.popitem(last=False)
        if self.redis_is_away:
            return
        try:
            # What was counted so far has had its effect: after the closing, counting begins anew.
            async with self._client.pipeline(transaction=True) as pipe:
                pipe.set(f"lim:shut:{key}", until_ms, px=max(1, until_ms - now_ms))
                pipe.delete(f"lim:try:{key}")
                await pipe.execute()
        except (RedisError, OSError, TimeoutError) as exc:
            self._redis_failed(exc)

    def _redis_failed(self, exc: Exception) -> None:
        if not self.redis_is_away:
            log.warning("limits_without_redis", error=type(exc).__name__)
        self._metrics.redis_up.set(0)
        self._away_until_s = time.monotonic() + RETRY_REDIS_S


def _stricter(policy: Policy) -> Policy:
    """The policy while Redis is away, and with it the memory of earlier tries: work from the first try on, and half the tries."""
    return Policy(
        proof_after=None if policy.proof_after is None else 0,
        shut_after_15_min=None if policy.shut_after_15_min is None else max(1, policy.shut_after_15_min // 2),
        shut_after_hour=None if policy.shut_after_hour is None else max(1, policy.shut_after_hour // 2),
        shut_ms=policy.shut_ms,
        # No picture: without Redis there is none, and half the tries with work for each is the stricter rule.
    )
