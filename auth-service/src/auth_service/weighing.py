"""Recoveries between their rows and the rules: loading one, weighing what it has shown, and keeping what the rules made of it, with the notices that belong to that.

Whatever changes a recovery goes through `settle`, in the transaction that changed it, so that no phase is entered that its owner is not told of.
"""

import hmac
from dataclasses import replace

from . import store_recoveries
from .changes import Changes
from .core.events import Kind
from .core.problems import FlowGone
from .core.recovery import flow as flows
from .core.recovery import life
from .core.recovery.facts import Facts
from .core.recovery.flow import Flow, Phase
from .core.recovery.horizon import horizon_ms
from .core.recovery.points import Assessment, Evidence, assess
from .core.sealing import digest
from .parts import Parts
from .places import Places
from .store import Db
from .store_facts import facts_of
from .store_recoveries import Recovery

NOBODY = ""
"""The account of a decoy, for look-ups that find nothing and cost the same."""

_EVENTS = {
    Phase.APPROVED: "recovery.approved",
    Phase.REFUSED: "recovery.refused",
    Phase.EXPIRED: "recovery.expired",
}


class Weighing:
    """Loads, weighs, keeps."""

    def __init__(self, parts: Parts, places: Places, changes: Changes) -> None:
        """Args: changes: tells the owner."""
        self._parts = parts
        self._places = places
        self._changes = changes

    async def opened(self, db: Db, flow_id: str, secret: str) -> Recovery:
        """The recovery of somebody who holds its secret.

        Raises:
            FlowGone: there is none, or the secret is another's.
        """
        found = await store_recoveries.by_id(db, flow_id)
        fits = hmac.compare_digest(found.secret_hash if found else bytes(32), digest(secret.encode()))
        if found is None or not fits:
            raise FlowGone
        return found

    async def facts(self, db: Db, recovery: Recovery) -> Facts:
        """All that is known of its account."""
        return await facts_of(db, recovery.user or NOBODY, self._parts.config.factor_policy)

    async def assess(self, db: Db, recovery: Recovery, facts: Facts) -> Assessment:
        """What it has shown is worth that, now."""
        place = await self._places.judge(db, recovery.user or NOBODY, recovery.net, facts)
        proved = await store_recoveries.proofs_of(db, recovery.flow.id)
        return assess(facts, Evidence(proved, recovery.device, place, recovery.answer), self._parts.now_ms())

    async def judge(self, tx: Db, recovery: Recovery, *, is_late: bool = False) -> Recovery:
        """Judges what was collected. Args: is_late: nobody said that it was all; the time for it is over."""
        facts = await self.facts(tx, recovery)
        assessment = await self.assess(tx, recovery, facts)
        rule = flows.evaluate_late if is_late else flows.evaluate
        active = await self.owner_is_active(tx, recovery, facts)
        judged = rule(recovery.flow, assessment, owner_is_active=active, now_ms=self._parts.now_ms())
        return await self.settle(tx, recovery, judged)

    async def time_out(self, tx: Db, recovery: Recovery) -> Recovery:
        """What became of it, if its time is over: what was collected is judged, anything else has expired."""
        over = flows.expire(recovery.flow, self._parts.now_ms())
        if over is recovery.flow:
            return recovery
        if recovery.flow.phase is Phase.COLLECTING and recovery.last_factor is not None:
            return await self.judge(tx, recovery, is_late=True)
        return await self.settle(tx, recovery, over)

    async def owner_is_active(self, db: Db, recovery: Recovery, facts: Facts) -> bool:
        """Whether a session on a mature device proved itself with a mature factor since the recovery began."""
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        devices = {
            device.id for device in facts.devices if life.is_device_mature(device, facts.policy, line_ms, now_ms)
        }
        factors = {factor.id for factor in facts.factors if life.counts(factor, facts.policy, line_ms, now_ms)}
        sessions = await store_recoveries.proved_sessions(db, recovery.user or NOBODY, recovery.flow.started_ms)
        return any(device in devices and factor in factors for device, factor in sessions)

    async def settle(self, tx: Db, recovery: Recovery, flow: Flow) -> Recovery:
        """Keeps what the rules made of a recovery, and tells its owner."""
        before = recovery.flow
        if flow.phase is Phase.HOLDING and before.phase is Phase.COLLECTING:
            flow = await self._inherit(tx, recovery, flow)
        settled = replace(recovery, flow=flow)
        if flow.phase is not before.phase:
            settled = replace(settled, misses=0)
            self._parts.metrics.recoveries.labels(flow.goal.value, flow.phase.value).inc()
        await store_recoveries.keep(tx, settled)
        if recovery.user is not None:
            await self._log(tx, recovery.user, before, flow)
        if recovery.user is None or flow.phase is before.phase:
            return settled
        if flow.phase is Phase.HOLDING:
            await self._changes.note(tx, recovery.user, Kind.RECOVERY_HELD, flow.id, device=recovery.device)
            await self._make_room(tx, recovery.user, flow)
        if flow.phase is Phase.VETOED:
            await self._changes.note(tx, recovery.user, Kind.RECOVERY_ENDED, flow.id, device=recovery.device)
        return settled

    async def _log(self, tx: Db, user: str, before: Flow, flow: Flow) -> None:
        """What its owner is not told of by a notice."""
        if flow.slowed and not before.slowed:
            await self._changes.audit.write(tx, "recovery.slowed", subject=user, id=flow.id, points=flow.points)
        event = _EVENTS.get(flow.phase)
        if flow.phase is not before.phase and event is not None:
            await self._changes.audit.write(tx, event, subject=user, id=flow.id, points=flow.points)

    async def _inherit(self, tx: Db, recovery: Recovery, flow: Flow) -> Flow:
        """Whoever has lost a recovery's secret begins another: with the same proof last, and no fewer points, it takes over the time that the first has waited,
        and the first ends. With fewer points it takes over nothing: a mailbox alone must not collect what phone and mailbox have begun.
        """
        for other in await store_recoveries.living(tx, recovery.user or NOBODY):
            old = other.flow
            if (
                old.id != flow.id
                and old.goal is flow.goal
                and old.phase is Phase.HOLDING
                and other.last_factor == recovery.last_factor
                and old.points <= flow.points
                and old.not_before_ms < flow.not_before_ms
            ):
                flow = replace(
                    flow, not_before_ms=old.not_before_ms, until_ms=max(old.until_ms, self._parts.now_ms() + 1)
                )
                await self._changes.audit.write(
                    tx, "recovery.reissued", subject=recovery.user or "", id=flow.id, old=old.id
                )
                await self.settle(tx, other, replace(old, phase=Phase.EXPIRED))
        return flow

    async def _make_room(self, tx: Db, user: str, flow: Flow) -> None:
        """At most five wait at once, the best of them."""
        living = {other.flow.id: other for other in await store_recoveries.living(tx, user)}
        dropped = flows.to_drop([other.flow for other in living.values()], flow.goal, self._parts.now_ms())
        if dropped is not None:
            await self.settle(tx, living[dropped.id], replace(dropped, phase=Phase.EXPIRED))
