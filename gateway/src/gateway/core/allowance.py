"""What a user or a device may do at this gateway, whatever connections it is done by: bytes, operations with rates of their own, a device's messages.

Kept by user and device and not with the connection: a new socket resets nothing. The table drops its least recently used user when it is full. A user's messages are not
here: they are limited over all gateways (`shared_bucket.py`).
"""

from collections import OrderedDict
from dataclasses import dataclass

from garita_common.core.buckets import Bucket, BucketTable, Rate
from garita_common.core.frames import ClientOp

from .budget import Budget
from .operation_rates import OperationRates


@dataclass(frozen=True, slots=True)
class UserLimits:
    """What a user and a device are held to at one gateway. `table_keys`: how many of each are remembered."""

    bytes_in: Rate
    upload_bytes: Rate
    operations: OperationRates
    device_send: Rate
    table_keys: int


class Allowance:
    """One user's; all of the user's connections here share it."""

    __slots__ = ("_buckets", "_limits", "bytes_in", "upload_bytes")

    def __init__(self, limits: UserLimits, now_s: float) -> None:
        """Everything full."""
        self._limits = limits
        self._buckets: dict[type[ClientOp], Bucket] = {}
        self.bytes_in = Budget(limits.bytes_in, now_s)
        self.upload_bytes = Budget(limits.upload_bytes, now_s)

    def take(self, kind: type[ClientOp], now_s: float) -> float:
        """Asks an operation's own rate: 0, or the seconds to wait."""
        bucket = self._buckets.get(kind)
        if bucket is None:
            rate = self._limits.operations.get(kind)
            if rate is None:
                return 0.0
            bucket = self._buckets[kind] = Bucket(rate, now_s)
        return bucket.take(now_s)


class Allowances:
    """Of all users and devices, at most so many of each."""

    def __init__(self, limits: UserLimits) -> None:
        """Nobody yet."""
        self._limits = limits
        self._users: OrderedDict[str, Allowance] = OrderedDict()
        self._dropped = 0
        self._devices = BucketTable(limits.device_send, limits.table_keys)

    def tables(self) -> dict[str, tuple[int, int]]:
        """By table: keys held, and keys dropped because it was full."""
        return {
            "users": (len(self._users), self._dropped),
            "devices": (len(self._devices), self._devices.evicted),
        }

    def device(self, device: str, now_s: float) -> Bucket:
        """The bucket of a device's messages."""
        return self._devices.of(device, now_s)

    def of(self, user: str, now_s: float) -> Allowance:
        """The user's allowance, a full one for a new user."""
        found = self._users.get(user)
        if found is None:
            found = self._users[user] = Allowance(self._limits, now_s)
            if len(self._users) > self._limits.table_keys:
                self._users.popitem(last=False)
                self._dropped += 1
        else:
            self._users.move_to_end(user)
        return found
