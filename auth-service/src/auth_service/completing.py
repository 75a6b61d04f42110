"""The end of a recovery: a new password, or second factors off, and everything that an intruder may have gained is gone.

One transaction does all of it, the notices with it: a process killed at any point has completed the recovery or not begun to. What an intruder added since the
horizon ends, what was removed since then, or was just proved, stays; all sessions end; and for three days nothing can be taken from the account.
"""

from dataclasses import replace

import structlog

from garita_common.core.revocations import Revocation

from . import store_accounts, store_completion, store_contacts, store_recoveries, store_sessions
from .changes import Changes
from .core import passwords, recovery_requests
from .core.events import Kind
from .core.identifiers import ContactKind
from .core.problems import Contradicted, FlowGone, InvalidRequest, WeakPassword
from .core.recovery import flow as flows
from .core.recovery import life
from .core.recovery.bands import Goal
from .core.recovery.facts import Facts
from .core.recovery.flow import GUARDED_MS, Phase
from .core.recovery.horizon import horizon_ms
from .core.recovery.life import CANCELLABLE_MS
from .hashing import HashPool
from .parts import Parts
from .sessions import Sessions
from .store import Db
from .store_recoveries import Recovery
from .strangers import Strangers
from .weighing import Weighing

log = structlog.get_logger()


class Completing:
    """Gives the account back."""

    def __init__(
        self,
        parts: Parts,
        weighing: Weighing,
        sessions: Sessions,
        hashes: HashPool,
        changes: Changes,
        strangers: Strangers,
    ) -> None:
        """Args: sessions: ends them; changes: tells everybody; strangers: counted guesses, which are over."""
        self._parts = parts
        self._weighing = weighing
        self._sessions = sessions
        self._hashes = hashes
        self._changes = changes
        self._strangers = strangers

    async def complete(self, flow_id: str, body: recovery_requests.CompleteRecovery) -> None:
        """Completes an approved recovery.

        Raises:
            FlowGone: no such recovery, or it is over.
            Contradicted: it is not approved.
            InvalidRequest: a password that its goal does not take, or none where it needs one.
            WeakPassword, Overloaded: as their names say.
        """
        reading = self._parts.store.reading
        recovery = self._approved(await self._weighing.opened(reading, flow_id, body.flow_secret))
        password_hash = await self._hashed(recovery, body.new_password)
        async with self._parts.store.writing() as tx:
            recovery = self._approved(await self._weighing.opened(tx, flow_id, body.flow_secret))
            ended = await self._give_back(tx, recovery, recovery.user or "", password_hash)
        log.info("recovered", user=recovery.user, goal=recovery.flow.goal.value)
        await self._sessions.say(ended)
        owner = await store_accounts.by_id(reading, recovery.user or "")
        if owner is not None:
            await self._strangers.owner_came(owner)

    def _approved(self, recovery: Recovery) -> Recovery:
        flow = flows.expire(recovery.flow, self._parts.now_ms())
        if flow.phase in {Phase.COLLECTING, Phase.HOLDING}:
            raise Contradicted("This recovery is not approved.")
        if flow.phase is not Phase.APPROVED or recovery.user is None:
            raise FlowGone
        return recovery

    async def _hashed(self, recovery: Recovery, password: str | None) -> str | None:
        if recovery.flow.goal is Goal.MFA:
            if password is not None:
                raise InvalidRequest("new_password: this recovery turns second factors off and leaves the password.")
            return None
        if password is None:
            raise InvalidRequest("new_password is needed.")
        weak = passwords.weaknesses(password, await self._personal(recovery.user or ""))
        if weak:
            raise WeakPassword([weakness.value for weakness in weak])
        return await self._hashes.hash(password)

    async def _personal(self, user: str) -> list[str]:
        reading = self._parts.store.reading
        account = await store_accounts.by_id(reading, user)
        words = [account.username] if account else []
        for contact in await store_contacts.of_user(reading, user):
            value = self._parts.seals.open("contact", contact.id, contact.sealed_value).decode()
            words += value.split("@") if contact.kind is ContactKind.EMAIL else [value.lstrip("+")]
        return words

    async def _give_back(self, tx: Db, recovery: Recovery, user: str, password_hash: str | None) -> list[Revocation]:
        now_ms = self._parts.now_ms()
        facts = await self._weighing.facts(tx, recovery)
        if password_hash is not None:
            await store_completion.set_password(tx, user, password_hash, now_ms)
        await store_completion.drop_begun(tx, user)
        await self._clean(tx, user, facts, await store_recoveries.proofs_of(tx, recovery.flow.id))
        if recovery.flow.goal is Goal.MFA:
            await store_completion.second_factors_off(tx, user, now_ms - CANCELLABLE_MS)
        if await store_completion.suspend_roles(tx, user, now_ms):
            await self._changes.audit.write(tx, "admin.suspended", subject=user, recovery=recovery.flow.id)
        if password_hash is not None:
            await self._changes.audit.write(tx, "password.reset", subject=user, recovery=recovery.flow.id)
        await store_sessions.distrust(tx, user)
        await store_completion.guard(tx, user, now_ms + GUARDED_MS)
        await self._weighing.settle(tx, recovery, flows.complete(recovery.flow, now_ms))
        for other in await store_recoveries.living(tx, user):
            await self._weighing.settle(tx, other, replace(other.flow, phase=Phase.EXPIRED))
        living = await store_sessions.living_sessions(tx, user, now_ms)
        ended = await self._sessions.end(tx, user, [session.id for session in living], "recovery")
        await self._changes.note(tx, user, Kind.RECOVERY_COMPLETED, recovery.flow.id, device=recovery.device)
        return ended

    async def _clean(self, tx: Db, user: str, facts: Facts, proved: frozenset[str]) -> None:
        """What is younger than the horizon ends; what was removed since, or was proved just now, stays; devices that have not matured are forgotten."""
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        young = [factor.id for factor in facts.factors if factor.proved_ms is None or factor.proved_ms >= line_ms]
        back = [
            factor.id
            for factor in facts.factors
            if factor.id not in young
            and factor.removed_ms is not None
            and (factor.removed_ms >= line_ms or factor.id in proved)
        ]
        mature = [device.id for device in facts.devices if life.is_device_mature(device, facts.policy, line_ms, now_ms)]
        await store_completion.quarantine(tx, user, young, now_ms)
        await store_completion.restore(tx, user, back)
        await store_completion.forget_devices(tx, user, mature, now_ms)
