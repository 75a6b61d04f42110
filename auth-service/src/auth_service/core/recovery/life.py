"""The life of a factor: pending → probation → mature → retiring → retired.

Whatever is removed or replaced can be taken back for a week and then lies under a tombstone: to its end it counts as it did, and a contact is still told of
everything. So an intruder who removes what is old and adds what is new has, for at least as long, the weaker hand.
"""

from enum import Enum

from .facts import DAY_MS, Device, Factor, Policy

CANCELLABLE_MS = 7 * DAY_MS
SHORT_PROBATION_MS = 7 * DAY_MS
"""For what is added after a proof with a mature TOTP or passkey on a mature device; a secret question always takes so long."""
DEVICE_MATURES_MS = 14 * DAY_MS
DEVICE_SEEN_DAYS = 3


class State(Enum):
    """Where a factor stands."""

    PENDING = "pending"
    PROBATION = "probation"
    MATURE = "mature"
    RETIRING = "retiring"
    RETIRED = "retired"


def state_of(factor: Factor, policy: Policy, now_ms: int) -> State:
    """The factor's state now. A factor that was removed within its probation retires as well, but counts for nothing (`counts`)."""
    if factor.proved_ms is None:
        return State.RETIRED if factor.removed_ms is not None else State.PENDING
    if factor.removed_ms is not None:
        return State.RETIRING if now_ms < rights_end_ms(factor.removed_ms, policy, lost=factor.lost) else State.RETIRED
    return State.PROBATION if now_ms < factor.matures_ms else State.MATURE


def rights_end_ms(removed_ms: int, policy: Policy, *, lost: bool) -> int:
    """When what was removed has no rights any more: at once for what was lost or stolen, else after a week and the tombstone (day 37)."""
    return removed_ms if lost else removed_ms + CANCELLABLE_MS + policy.tombstone_ms


def counts(factor: Factor, policy: Policy, horizon_ms: int, now_ms: int) -> bool:
    """Whether the factor is worth anything: proved before the horizon, its probation over, its rights not ended, and no doubt whose it is."""
    if factor.proved_ms is None or factor.proved_ms >= horizon_ms or factor.suspect or not _has_matured(factor, now_ms):
        return False
    return state_of(factor, policy, now_ms) in {State.MATURE, State.RETIRING}


def is_told(factor: Factor, policy: Policy, now_ms: int) -> bool:
    """Whether a contact is told of what happens to the account: mature, or retiring after it was mature."""
    if factor.proved_ms is None or not _has_matured(factor, now_ms):
        return False
    return state_of(factor, policy, now_ms) in {State.MATURE, State.RETIRING}


def is_device_mature(device: Device, policy: Policy, horizon_ms: int, now_ms: int) -> bool:
    """Confirmed for two weeks and used on three days since, all of it before the horizon, and not removed for good."""
    if device.confirmed_ms is None or device.confirmed_ms + DEVICE_MATURES_MS > horizon_ms:
        return False
    if device.removed_ms is not None and now_ms >= rights_end_ms(device.removed_ms, policy, lost=device.lost):
        return False
    days = {seen_ms // DAY_MS for seen_ms in device.seen_ms if device.confirmed_ms <= seen_ms < horizon_ms}
    return len(days) >= DEVICE_SEEN_DAYS


def _has_matured(factor: Factor, now_ms: int) -> bool:
    """Its probation is over. One that was removed before that keeps what it had, which is nothing."""
    ended_ms = now_ms if factor.removed_ms is None else min(now_ms, factor.removed_ms)
    return ended_ms >= factor.matures_ms
