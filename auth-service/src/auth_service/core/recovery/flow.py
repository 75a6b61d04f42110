"""One recovery from its start to its end, as a state machine; every step is a pure function that gives the next flow.

    COLLECTING ──evaluate──▶ APPROVED ──complete──▶ COMPLETED        COLLECTING or APPROVED, out of time ──▶ EXPIRED
         │                      ▲
         ├──▶ REFUSED           └── the wait is over and the last possession is proved again
         └──▶ HOLDING ──object_to──▶ HOLDING (slower, once) or VETOED

Flows of one account run side by side and know nothing of each other: a weaker one can neither delay nor end a stronger one; the first that completes ends the rest.
An objection weighs what its contact is worth: it ends a flow that has shown no more than that, and moves any other one band slower, once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from .bands import Band, Goal, Verdict, judge, slower, verdict_of
from .facts import HOUR_MS, MINUTE_MS
from .phones import RELEASE_MS
from .points import Assessment

COLLECTING_MS = 30 * MINUTE_MS
APPROVED_MS = 30 * MINUTE_MS
RETURN_MS = 14 * 24 * HOUR_MS
"""After the wait is over the owner may come back so long."""
MAX_LIVE = 5
GUARDED_MS = 72 * HOUR_MS


class Phase(Enum):
    """Where a flow stands."""

    COLLECTING = "collecting"
    HOLDING = "holding"
    APPROVED = "approved"
    REFUSED = "refused"
    VETOED = "vetoed"
    COMPLETED = "completed"
    EXPIRED = "expired"


LIVE = frozenset({Phase.COLLECTING, Phase.HOLDING, Phase.APPROVED})


class Effect(Enum):
    """What an objection did."""

    NONE = "none"
    KEPT = "kept"
    """Evidence is still collected: it is weighed at the evaluation."""
    SLOWED = "slowed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Flow:
    """A recovery. `until_ms` ends its phase (collecting, approved, the time to come back); `not_before_ms` is the end of its wait.

    `objections`: worth of those that came while evidence was collected.
    """

    id: str
    goal: Goal
    started_ms: int
    phase: Phase
    until_ms: int
    points: int = 0
    band: Band = Band.REFUSED
    not_before_ms: int = 0
    slowed: bool = False
    objections: tuple[int, ...] = ()


def start(flow_id: str, goal: Goal, now_ms: int) -> Flow:
    """A new flow, which collects evidence for half an hour."""
    return Flow(flow_id, goal, now_ms, Phase.COLLECTING, now_ms + COLLECTING_MS)


def await_release(flow: Flow, now_ms: int) -> Flow:
    """The owner waits for the next phone: evidence may come until half an hour after its release."""
    if flow.phase is not Phase.COLLECTING:
        return flow
    return replace(flow, until_ms=max(flow.until_ms, now_ms + RELEASE_MS + COLLECTING_MS))


def expire(flow: Flow, now_ms: int) -> Flow:
    """The flow as it is now: out of time, if it is."""
    return replace(flow, phase=Phase.EXPIRED) if flow.phase in LIVE and now_ms >= flow.until_ms else flow


def evaluate(flow: Flow, assessment: Assessment, *, owner_is_active: bool, now_ms: int) -> Flow:
    """Judges what was collected. Args: owner_is_active: a session on a mature device was stepped up with a mature factor since the flow began."""
    if expire(flow, now_ms).phase is not Phase.COLLECTING:
        return expire(flow, now_ms)
    verdict = judge(flow.goal, assessment)
    judged = replace(flow, points=assessment.points, band=verdict.band)
    if verdict.band is Band.REFUSED or (verdict.only_without_owner and owner_is_active):
        return replace(judged, phase=Phase.REFUSED)
    held = _held(judged, verdict, now_ms)
    for worth in flow.objections:
        held, _ = object_to(held, worth, now_ms)
    return held


def is_enough(goal: Goal, assessment: Assessment) -> bool:
    """Whether nothing more need be shown: there would be no wait."""
    return judge(goal, assessment).band is Band.NOW


def evaluate_late(flow: Flow, assessment: Assessment, *, owner_is_active: bool, now_ms: int) -> Flow:
    """Judges a flow that collected and never said that it was done, as if it had said so now: its wait begins now, so that nobody is told of it too late."""
    return evaluate(replace(flow, until_ms=now_ms + 1), assessment, owner_is_active=owner_is_active, now_ms=now_ms)


def object_to(flow: Flow, worth: int, now_ms: int) -> tuple[Flow, Effect]:
    """A contact, or a session that proved itself with a mature factor, says no. Args: worth: what it counts for, now (`points.worth_of`)."""
    flow = expire(flow, now_ms)
    if worth <= 0 or flow.phase not in LIVE:
        return flow, Effect.NONE
    if flow.phase is Phase.COLLECTING:
        return replace(flow, objections=(*flow.objections, worth)), Effect.KEPT
    if flow.points <= worth:
        return replace(flow, phase=Phase.VETOED), Effect.ENDED
    if flow.slowed:
        return flow, Effect.NONE
    verdict = slower(flow.goal, flow.band)
    return replace(_held(replace(flow, band=verdict.band), verdict, now_ms), slowed=True), Effect.SLOWED


def owner_acts(flow: Flow) -> Flow:
    """The owner has proved himself on a mature device with a mature factor: a flow in the slow lane is over."""
    slow = flow.phase is Phase.HOLDING and verdict_of(flow.goal, flow.band).only_without_owner
    return replace(flow, phase=Phase.VETOED) if slow else flow


def come_back(flow: Flow, *, proved_again: bool, now_ms: int) -> Flow:
    """After the wait: approved, once the last possession was proved again."""
    flow = expire(flow, now_ms)
    if flow.phase is not Phase.HOLDING or now_ms < flow.not_before_ms or not proved_again:
        return flow
    return replace(flow, phase=Phase.APPROVED, until_ms=now_ms + APPROVED_MS)


def complete(flow: Flow, now_ms: int) -> Flow:
    """The new password is set, or the second factors are off."""
    flow = expire(flow, now_ms)
    return replace(flow, phase=Phase.COMPLETED) if flow.phase is Phase.APPROVED else flow


def to_drop(flows: Sequence[Flow], goal: Goal, now_ms: int) -> Flow | None:
    """The flow that makes room for another of its goal, if there are too many: the one with the least evidence, then the oldest.

    Flows that still collect do not take part: fifty of them push nobody out.
    """
    held = [flow for flow in _live(flows, goal, now_ms) if flow.phase is not Phase.COLLECTING]
    return min(held, key=lambda flow: (flow.points, flow.started_ms, flow.id)) if len(held) > MAX_LIVE else None


def _live(flows: Iterable[Flow], goal: Goal, now_ms: int) -> list[Flow]:
    return [flow for flow in flows if flow.goal is goal and expire(flow, now_ms).phase in LIVE]


def _held(flow: Flow, verdict: Verdict, now_ms: int) -> Flow:
    if verdict.wait_ms == 0:
        return replace(flow, phase=Phase.APPROVED, not_before_ms=now_ms, until_ms=now_ms + APPROVED_MS)
    over_ms = now_ms + verdict.wait_ms
    return replace(flow, phase=Phase.HOLDING, not_before_ms=over_ms, until_ms=over_ms + RETURN_MS)
