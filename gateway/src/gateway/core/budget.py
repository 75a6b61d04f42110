"""A budget of bytes that may be overdrawn.

What a read has brought in cannot be refused any more, only paid for: the balance goes below zero and the caller stops reading until it is
back at zero. Over any stretch of time no more than burst + rate × time + one read gets in.
"""

from garita_common.core.buckets import Rate


class Budget:
    """One key's balance, in bytes. Times are seconds of one monotonic clock."""

    __slots__ = ("_balance", "_rate", "_updated_s", "overdrawn_since_s")

    def __init__(self, rate: Rate, now_s: float) -> None:
        """A full budget. `overdrawn_since_s` is when it was last seen to be full enough not to pause, or None while it is."""
        self._rate = rate
        self._balance = rate.burst
        self._updated_s = now_s
        self.overdrawn_since_s: float | None = None

    def charge(self, now_s: float, cost: float) -> float:
        """Pays `cost`; returns the seconds until the balance is back at zero, 0 if it is not below.

        The overdraft counts as lasting until the budget was once full again by half: a flood that is paused and comes back is one flood.
        """
        rate = self._rate
        if now_s > self._updated_s:
            self._balance = min(rate.burst, self._balance + (now_s - self._updated_s) * rate.rate_per_s)
            self._updated_s = now_s
        if self.overdrawn_since_s is not None and self._balance >= rate.burst / 2:
            self.overdrawn_since_s = None
        self._balance -= cost
        if self._balance >= 0:
            return 0.0
        if self.overdrawn_since_s is None:
            self.overdrawn_since_s = now_s
        return -self._balance / rate.rate_per_s
