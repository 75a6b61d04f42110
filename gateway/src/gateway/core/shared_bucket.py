"""A token bucket that several gateways share, as one of them sees it.

The level that counts is kept in Redis. A gateway charges its own copy at once, without waiting, and reports what it has charged a little later; the
answer is the level after everybody's charges, and how many gateways hold the user. Between two answers a gateway may spend its share of the level it last
knew (all of it, if it is alone with the user; in any case one token), so that gateways that spend at the same moment do not spend the same tokens. What may
pass in all is

    burst + rate × time + what the other gateways have spent and not yet reported

where each has at most its share unreported: for two gateways half a burst within one interval between reports (20 ms), once, and a single token in the steady state;
and what was spent too much is a debt in Redis that the user waits for, so that in the long run the rate is exact. While Redis is away each gateway
goes on with its own copy; afterwards the lower of the two levels counts, and an emptied Redis fills nobody's bucket.
"""

from dataclasses import dataclass

from garita_common.core.buckets import Rate

SHARE_WAIT_S = 0.1
"""How long a request waits that found its gateway's share spent: a few reports."""


@dataclass(frozen=True, slots=True)
class Report:
    """What one gateway has charged since the last one. `level` is what it held before that; `uncertain`: Redis's own level may be too high, the lower counts."""

    cost: float
    level: float
    uncertain: bool


class SharedBucket:
    """One user's tokens at one gateway. Times are seconds of one monotonic clock."""

    __slots__ = ("_rate", "_tokens", "_uncertain", "_under_way", "_untold", "_updated_s", "gateways")

    def __init__(self, rate: Rate, now_s: float, level: float, gateways: int) -> None:
        """Args: level: the tokens in Redis now; gateways: how many hold the user, this one included."""
        self._rate = rate
        self._tokens = min(level, rate.burst)
        self._updated_s = now_s
        self._untold = 0.0
        self._under_way = 0.0
        self._uncertain = False
        self.gateways = gateways

    def take(self, now_s: float, cost: float = 1.0) -> float:
        """Takes `cost` tokens and returns 0, or takes nothing and returns the seconds to wait."""
        tokens = self._refill(now_s)
        if tokens < cost:
            return (cost - tokens) / self._rate.rate_per_s
        spent = self._untold + self._under_way
        if self.gateways > 1 and spent > 0 and (spent + cost) * self.gateways > tokens + spent:
            return SHARE_WAIT_S
        self._tokens = tokens - cost
        self._untold += cost
        return 0.0

    def is_settled(self, now_s: float) -> bool:
        """Whether nothing need be told: the bucket is full again, and in Redis a full bucket is one that is not there or has filled up as well."""
        if self._under_way or self._uncertain or self._refill(now_s) < self._rate.burst:
            return False
        self._untold = 0.0
        return True

    def report(self, now_s: float) -> Report:
        """Takes what is to be told; `answered` or `unheard` follows."""
        report = Report(self._untold, self._refill(now_s) + self._untold, self._uncertain)
        self._under_way, self._untold = self._untold, 0.0
        return report

    def answered(self, now_s: float, level: float, gateways: int) -> None:
        """The report was heard. Args: level: the tokens in Redis after it."""
        self._under_way = 0.0
        self._uncertain = False
        self.gateways = gateways
        self._updated_s = max(now_s, self._updated_s)
        self._tokens = min(level, self._rate.burst) - self._untold

    def unheard(self) -> None:
        """Nobody knows whether the report was heard: in the next one, at most this copy's level counts."""
        self._under_way = 0.0
        self._uncertain = True

    def told(self, now_s: float, level: float, gateways: int) -> None:
        """Another gateway has reported: what it was answered."""
        self.gateways = gateways
        self._tokens = min(self._refill(now_s), level - self._untold - self._under_way)

    def _refill(self, now_s: float) -> float:
        if now_s > self._updated_s:
            self._tokens = min(self._rate.burst, self._tokens + (now_s - self._updated_s) * self._rate.rate_per_s)
            self._updated_s = now_s
        return self._tokens
