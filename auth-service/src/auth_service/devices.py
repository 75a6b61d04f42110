"""The grades of devices: confirming one, and which are mature.

A device is known by its secret, confirmed when a mature factor was proved on it, and mature when that was long enough ago. A password alone confirms nothing: an
intruder who has it gets no history of his own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import store_sessions
from .core.events import Kind
from .core.problems import InvalidCredentials
from .core.recovery import life
from .core.recovery.facts import DAY_MS
from .core.recovery.horizon import horizon_ms
from .store import Db, one
from .store_facts import facts_of

if TYPE_CHECKING:
    from .changes import Changes
    from .core.recovery.facts import Device, Facts
    from .parts import Parts

TRUSTED_MS = 30 * DAY_MS


class Devices:
    """Says what a device is worth."""

    def __init__(self, parts: Parts, changes: Changes) -> None:
        """Args: changes: records what changed."""
        self._parts = parts
        self._changes = changes

    async def confirm(self, tx: Db, user: str, device: str, factor: str, *, told: bool = True) -> bool:
        """A factor was proved on a device: it is confirmed if that factor counts. Args: told: the owner learns of it by a notice of its own.

        A password is no factor; neither is what is in probation or came after the horizon.
        """
        facts = await facts_of(tx, user, self._parts.config.factor_policy)
        now_ms = self._parts.now_ms()
        row = next((row for row in facts.devices if row.id == device), None)
        if row is None or row.confirmed_ms is not None or not self._does_count(facts, factor, now_ms):
            return False
        await store_sessions.device_confirmed(tx, device, now_ms)
        await store_sessions.device_used(tx, device, now_ms)
        if told:
            await self._changes.note(tx, user, Kind.DEVICE_CONFIRMED, device, device=device)
        return True

    async def refuse_if_frozen(self, tx: Db, user: str, device: str | None) -> None:
        """Asked at every login: a frozen account lets mature devices in, and nobody else.

        Raises:
            InvalidCredentials: it looks like a wrong password.
        """
        row = await one(tx, "SELECT frozen_until_ms FROM users WHERE id = ?", (user,))
        if row is None or row["frozen_until_ms"] <= self._parts.now_ms():
            return
        if device not in await self.mature(tx, user):
            raise InvalidCredentials

    async def trust(self, tx: Db, device: str) -> None:
        """A second factor was given on it, and its user does not want to be asked for one there for a month."""
        await store_sessions.trust(tx, device, self._parts.now_ms() + TRUSTED_MS)

    async def is_trusted(self, db: Db, user: str, device: str | None) -> bool:
        """Whether a password is enough there. Not while the account is frozen; what changes factors wants them all the same."""
        return device is not None and await store_sessions.is_trusted(db, user, device, self._parts.now_ms())

    async def mature(self, db: Db, user: str) -> set[str]:
        """The user's mature devices."""
        facts = await facts_of(db, user, self._parts.config.factor_policy)
        return {device.id for device in facts.devices if self.is_mature(facts, device)}

    def _does_count(self, facts: Facts, factor_id: str, now_ms: int) -> bool:
        line_ms = horizon_ms(facts, now_ms)
        return any(
            factor.id == factor_id and life.counts(factor, facts.policy, line_ms, now_ms) for factor in facts.factors
        )

    def is_mature(self, facts: Facts, device: Device) -> bool:
        """Whether a device is mature now."""
        now_ms = self._parts.now_ms()
        return life.is_device_mature(device, facts.policy, horizon_ms(facts, now_ms), now_ms)
