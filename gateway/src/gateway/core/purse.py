"""What one connection pays with: its own buckets, and those it shares with the user's and the device's other connections.

An operation is paid from the narrowest bucket to the widest, and a refusal by one costs nothing in the others. What lowers the load is charged and never refused
(`gate.Budget.CHARGED`). Bytes are paid when they have come already, so an overdraft is a pause in reading.
"""

from garita_common.core.buckets import Bucket
from garita_common.core.frames import ClientOp
from garita_common.core.gate import Budget as Payer
from garita_common.core.gate import Row

from .allowance import Allowance
from .budget import Budget
from .limits import SessionLimits
from .shared_bucket import SharedBucket

Due = tuple[str, float] | None
"""Unpaid: the limit's name and the seconds to wait. None: paid."""


class Purse:
    """One connection's; buckets are made when they are first needed, for most connections are quiet."""

    __slots__ = (
        "_allowance",
        "_bytes",
        "_device_send",
        "_limits",
        "_other",
        "_refusals",
        "_send",
        "_sends",
        "_uploads",
    )

    def __init__(self, limits: SessionLimits, now_s: float) -> None:
        """A stranger's: nothing is shared."""
        self._limits = limits
        self._bytes = Budget(limits.bytes_in, now_s)
        self._uploads: Budget | None = None
        self._send: Bucket | None = None
        self._other: Bucket | None = None
        self._refusals: Bucket | None = None
        self._allowance: Allowance | None = None
        self._sends: SharedBucket | None = None
        self._device_send: Bucket | None = None

    def share(self, allowance: Allowance, sends: SharedBucket, device_send: Bucket) -> None:
        """The connection is a user's. Args: allowance, sends: of all the user's connections, here and everywhere; device_send: of the device's."""
        self._allowance = allowance
        self._sends = sends
        self._device_send = device_send

    def pay(self, kind: type[ClientOp], row: Row, now_s: float) -> Due:
        """Pays for an operation."""
        match row.budget:
            case Payer.FREE:
                return None
            case Payer.CHARGED:
                self._other_bucket(now_s).charge(now_s, row.cost)
                return None
            case Payer.OTHER:
                return self._pay_other(kind, row.cost, now_s)
            case Payer.SEND:
                return self._pay_send(row.cost, now_s)

    def may_be_refused(self, now_s: float) -> bool:
        """Pays for being refused, which is work for us as well; False: too often."""
        if self._refusals is None:
            self._refusals = Bucket(self._limits.refusals, now_s)
        return self._refusals.take(now_s) == 0.0 or not self._refuses("refusals")

    def pay_bytes(self, cost: float, now_s: float) -> float | str:
        """Pays for bytes that have come: 0, the seconds not to read for, or the name of the limit that a flood goes on exceeding through the pauses."""
        allowance = self._allowance
        own_s = self._bytes.charge(now_s, cost)
        shared_s = allowance.bytes_in.charge(now_s, cost) if allowance is not None else 0.0
        if own_s == 0.0 == shared_s:
            return 0.0
        due = self._overdrawn("bytes_in", self._bytes, own_s, now_s)
        if allowance is None or isinstance(due, str):
            return due
        shared_due = self._overdrawn("user_bytes_in", allowance.bytes_in, shared_s, now_s)
        return shared_due if isinstance(shared_due, str) else max(due, shared_due)

    def pay_upload(self, cost: float, now_s: float) -> float:
        """Pays for upload bytes: 0, or the seconds not to read for."""
        if self._uploads is None:
            self._uploads = Budget(self._limits.upload_bytes, now_s)
        pause_s = self._uploads.charge(now_s, cost)
        if pause_s and not self._refuses("upload_bytes"):
            pause_s = 0.0
        if self._allowance is not None:
            shared_s = self._allowance.upload_bytes.charge(now_s, cost)
            if shared_s and self._refuses("user_upload_bytes"):
                pause_s = max(pause_s, shared_s)
        return min(pause_s, self._limits.pause_s)

    def _overdrawn(self, limit: str, budget: Budget, pause_s: float, now_s: float) -> float | str:
        if pause_s == 0.0 or not self._refuses(limit):
            return 0.0
        since_s = budget.overdrawn_since_s
        if since_s is not None and now_s - since_s > self._limits.flood_s:
            return limit
        return min(pause_s, self._limits.pause_s)

    def _pay_other(self, kind: type[ClientOp], cost: float, now_s: float) -> Due:
        bucket = self._other_bucket(now_s)
        wait_s = bucket.take(now_s, cost)
        if wait_s and self._refuses("other"):
            return "other", wait_s
        if self._allowance is not None:
            wait_s = self._allowance.take(kind, now_s)
            if wait_s and self._refuses("operation_rates"):
                bucket.give_back(cost)
                return "operation_rates", wait_s
        return None

    def _pay_send(self, cost: float, now_s: float) -> Due:
        device, sends = self._device_send, self._sends
        if device is None or sends is None:
            return "user_send", 1.0  # a stranger's: the gate lets none come here
        own = self._send
        if own is None:
            own = self._send = Bucket(self._limits.send, now_s)
        wait_s = own.take(now_s, cost)
        if wait_s and self._refuses("send"):
            return "send", wait_s
        wait_s = device.take(now_s, cost)
        if wait_s and self._refuses("device_send"):
            own.give_back(cost)
            return "device_send", wait_s
        wait_s = sends.take(now_s, cost)
        if wait_s and self._refuses("user_send"):
            own.give_back(cost)
            device.give_back(cost)
            return "user_send", wait_s
        return None

    def _other_bucket(self, now_s: float) -> Bucket:
        if self._other is None:
            self._other = Bucket(self._limits.other, now_s)
        return self._other

    def _refuses(self, limit: str) -> bool:
        return self._limits.enforcement.refuses(limit)
