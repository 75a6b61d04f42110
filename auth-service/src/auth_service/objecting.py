"""Objections to a recovery: by the link in a notice, or from a session that has proved itself with a mature factor.

Each weighs what its contact or factor is worth (`core.recovery.flow.object_to`): a mailbox alone ends what has shown no more than a mailbox, and only slows what has
shown more, once. A password is no voice at all.
"""

from . import store_notices, store_recoveries
from .core.events import TRAITS
from .core.problems import NotHere, StepUpRequired
from .core.recovery import flow as flows
from .core.recovery.facts import Facts
from .core.recovery.points import worth_of
from .core.sealing import digest
from .devices import Devices
from .limits import Limit, Limiter
from .parts import Caller, Parts
from .sessions import FRESH_MS, Present
from .store import Db
from .store_recoveries import Recovery
from .weighing import Weighing


class Objecting:
    """Takes objections."""

    def __init__(self, parts: Parts, weighing: Weighing, devices: Devices, limiter: Limiter) -> None:
        """Args: devices: knows the mature ones; weighing: keeps what becomes of the recovery."""
        self._parts = parts
        self._weighing = weighing
        self._devices = devices
        self._limiter = limiter
        self._bad_links = Limit("bad_undo_prefix", parts.config.bad_undos_per_prefix_per_h, 3600)

    async def by_link(self, flow_id: str, token: str, caller: Caller) -> None:
        """The link of a notice about this recovery; one that was used changes nothing.

        Raises:
            NotHere: no such link for this recovery, or it is over.
            TooMany: too many unknown ones from one address.
        """
        found = digest(token.encode())
        now_ms = self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            link = await store_notices.link(tx, found)
            events = await store_notices.events_of(tx, found)
            is_about = any(event.subject == flow_id and TRAITS[event.kind].recovery for event in events)
            is_good = link is not None and is_about and link.expires_ms > now_ms
            if link is not None and is_good and await store_notices.use_link(tx, found, now_ms):
                await self.object_by_contact(tx, flow_id, link.contact)
        if not is_good:
            if caller.counted:
                await self._limiter.take(self._bad_links, caller.unit)
            raise NotHere

    async def object_by_contact(self, tx: Db, flow: str, contact: str) -> None:
        """A contact says no, with its points, in the transaction that used its link up."""
        recovery = await store_recoveries.by_id(tx, flow)
        if recovery is not None:
            await self._object(tx, recovery, await self._weighing.facts(tx, recovery), contact)

    async def by_session(self, flow_id: str, present: Present) -> None:
        """A session says no.

        Raises:
            NotHere: no such recovery of this account.
            StepUpRequired: no mature factor was proved on a mature device within five minutes.
        """
        now_ms = self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            recovery = await store_recoveries.by_id(tx, flow_id)
            if recovery is None or recovery.user != present.account.id:
                raise NotHere
            facts = await self._weighing.facts(tx, recovery)
            factors = await store_recoveries.session_factors(tx, present.session.id, now_ms - FRESH_MS)
            voter = max(factors, key=lambda factor: worth_of(facts, factor, now_ms), default="")
            is_mature = present.session.device in await self._devices.mature(tx, present.account.id)
            if not is_mature or worth_of(facts, voter, now_ms) <= 0:
                raise StepUpRequired
            if await self._weighing.owner_is_active(tx, recovery, facts):
                recovery = await self._weighing.settle(tx, recovery, flows.owner_acts(recovery.flow))
            await self._object(tx, recovery, facts, voter)

    async def _object(self, tx: Db, recovery: Recovery, facts: Facts, voter: str) -> None:
        now_ms = self._parts.now_ms()
        worth = worth_of(facts, voter, now_ms)
        flow, effect = flows.object_to(recovery.flow, worth, now_ms)
        await store_recoveries.add_veto(tx, flow.id, voter, worth, effect, now_ms)
        if worth > 0:
            await store_recoveries.object_to_releases(tx, flow.id)
        await self._weighing.settle(tx, recovery, flow)
        self._parts.metrics.vetoes.labels(effect.value).inc()
