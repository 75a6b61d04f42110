"""Token buckets, alone and in a bounded table.

A bucket holds up to `burst` tokens and regains `rate_per_s` of them a second. Asking is arithmetic on two floats: no timer, no lock. The
table is bounded: the least recently used key goes out when it is full, and whoever owns the table watches `evicted`, for a table that is full
of fresh keys is an attack in itself.
"""

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """How much is allowed: `rate_per_s` tokens a second, at most `burst` at once."""

    rate_per_s: float
    burst: float


class Bucket:
    """One key's tokens. Times are seconds of any monotonic clock, always the same one."""

    __slots__ = ("_rate", "_tokens", "_updated_s")

    def __init__(self, rate: Rate, now_s: float) -> None:
        """A full bucket."""
        self._rate = rate
        self._tokens = rate.burst
        self._updated_s = now_s

    def take(self, now_s: float, cost: float = 1.0) -> float:
        """Takes `cost` tokens and returns 0, or takes nothing and returns the seconds until they are there.

        A cost above the burst can never be paid: infinity is returned.
        """
        tokens = self._refill(now_s)
        if tokens >= cost:
            self._tokens = tokens - cost
            return 0.0
        if cost > self._rate.burst or self._rate.rate_per_s <= 0:
            return float("inf")
        return (cost - tokens) / self._rate.rate_per_s

    def charge(self, now_s: float, cost: float = 1.0) -> None:
        """Takes `cost` tokens even where there are none, down to an empty bucket: for what is charged but never refused."""
        self._tokens = max(0.0, self._refill(now_s) - cost)

    def give_back(self, cost: float = 1.0) -> None:
        """Returns tokens that were taken for something that turned out well."""
        self._tokens = min(self._rate.burst, self._tokens + cost)

    def _refill(self, now_s: float) -> float:
        if now_s > self._updated_s:
            self._tokens = min(self._rate.burst, self._tokens + (now_s - self._updated_s) * self._rate.rate_per_s)
            self._updated_s = now_s
        return self._tokens


class BucketTable:
    """Buckets by key, at most `max_keys` of them."""

    def __init__(self, rate: Rate, max_keys: int) -> None:
        """Args: max_keys: how many are kept; the least recently used goes out first."""
        self._rate = rate
        self._max_keys = max_keys
        self._buckets: OrderedDict[str, Bucket] = OrderedDict()
        self.evicted = 0

    def __len__(self) -> int:
        """How many keys are held now."""
        return len(self._buckets)

    def of(self, key: str, now_s: float) -> Bucket:
        """The key's bucket, a full one for a new key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(self._rate, now_s)
            if len(self._buckets) > self._max_keys:
                self._buckets.popitem(last=False)
                self.evicted += 1
        else:
            self._buckets.move_to_end(key)
        return bucket

    def take(self, key: str, now_s: float, cost: float = 1.0) -> float:
        """`Bucket.take` for `key`."""
        return self.of(key, now_s).take(now_s, cost)
