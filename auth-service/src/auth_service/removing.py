"""Removing a TOTP, a passkey or a set of codes: with a week to take it back and a tombstone after it, or at once where it is lost or stolen."""

from . import store_contacts, store_sessions
from .changes import Changes
from .core import answers
from .core.events import Kind, Table
from .core.problems import NotHere, StepUpRequired
from .core.recovery.life import CANCELLABLE_MS, rights_end_ms
from .parts import Parts
from .second_factors import SecondFactors
from .sessions import Present
from .standing import standing_of


class Removing:
    """Begins removals."""

    def __init__(self, parts: Parts, second: SecondFactors, changes: Changes) -> None:
        """Args: second: says what a session may change; changes: records what changed."""
        self._parts = parts
        self._second = second
        self._changes = changes

    async def remove(self, present: Present, table: Table, kind: Kind, factor: str, *, lost: bool) -> answers.Removal:
        """Removes one factor of the user. Args: kind: the event; lost: it is lost or stolen, and ends now.

        Raises:
            StepUpRequired: the last proof is too old or too weak; for what is lost, anything but a TOTP or passkey that counts on a device that does.
            NotHere: no such factor of this user.
            Contradicted: the account is frozen or in guarded mode.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        async with parts.store.writing() as tx:
            if lost and not (await standing_of(tx, parts, present)).is_strong:
                raise StepUpRequired
            await self._changes.refuse_if_guarded(tx, user)
            now_ms = parts.now_ms()
            if not await store_contacts.remove(tx, table, user, factor, now_ms, lost=lost):
                raise NotHere
            await store_sessions.distrust(tx, user)  # what was given on those devices may be what is removed
            await self._changes.record(tx, present, kind, factor)
        return answers.Removal(
            id=factor,
            effective_ms=rights_end_ms(now_ms, parts.config.factor_policy, lost=lost),
            cancel_until_ms=now_ms if lost else now_ms + CANCELLABLE_MS,
        )
