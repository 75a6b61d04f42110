"""What has happened to an account and what is about to, for its owner to look at and to take back."""

from msgspec import UNSET

from . import store_contacts, store_endings, store_leaving, store_notices, store_sessions
from .changes import Changes
from .core import answers
from .core.events import Kind, Table
from .core.problems import Contradicted, NotHere
from .core.recovery import life
from .core.recovery.facts import Factor, Facts
from .core.requests import AnswerAsked
from .ending import Ending
from .leaving import Leaving
from .parts import Parts
from .sessions import Present, Sessions
from .store import one
from .store_facts import facts_of

SHOWN = 200


class OwnEvents:
    """Security events and pending changes."""

    def __init__(self, parts: Parts, sessions: Sessions, changes: Changes, ending: Ending, leaving: Leaving) -> None:
        """Args: changes: records what was taken back; ending: knows sessions that are asked; leaving: takes a deletion back."""
        self._parts = parts
        self._sessions = sessions
        self._changes = changes
        self._ending = ending
        self._leaving = leaving

    async def events(self, present: Present) -> answers.SecurityEvents:
        """The newest events of the account."""
        reading, user, now_ms = self._parts.store.reading, present.account.id, self._parts.now_ms()
        labels = {device.id: device.label for device in await store_sessions.devices_of(reading, user)}
        held = await one(reading, "SELECT frozen_until_ms, guarded_until_ms FROM users WHERE id = ?", (user,))
        until = dict(held) if held else {}
        return answers.SecurityEvents(
            events=[
                answers.SecurityEvent(
                    id=notice.id,
                    kind=notice.kind.value,
                    at_ms=notice.at_ms,
                    subject=notice.subject,
                    confirmed=notice.confirmed,
                    device=notice.device or UNSET,
                    device_label=labels.get(notice.device or "", UNSET),
                )
                for notice in await store_notices.of_user(reading, user, SHOWN)
            ],
            **{name: until_ms for name, until_ms in until.items() if until_ms > now_ms},
        )

    async def pending(self, present: Present) -> answers.PendingChanges:
        """What goes, what is on probation, and sessions that are asked whether they should end."""
        reading, user, now_ms = self._parts.store.reading, present.account.id, self._parts.now_ms()
        facts = await facts_of(reading, user, self._parts.config.factor_policy)
        pending = [change for factor in facts.factors if (change := _pending(factor, facts, now_ms))]
        pending += [
            _removal(device.id, "device", device.removed_ms, facts)
            for device in facts.devices
            if device.removed_ms is not None and not device.lost
        ]
        pending += [
            answers.PendingChange(id=row.session, kind="session", effective_ms=row.ends_ms)
            for row in (await store_endings.asked(reading, user)).values()
        ]
        deletes_ms = await store_leaving.deletion_of(reading, user)
        if deletes_ms:
            pending.append(
                answers.PendingChange(id=user, kind="deletion", effective_ms=deletes_ms, cancel_until_ms=deletes_ms)
            )
        return answers.PendingChanges(
            changes=sorted(
                (change for change in pending if change.effective_ms > now_ms),
                key=lambda change: (change.effective_ms, change.id),
            )
        )

    async def cancel(self, present: Present, change: str) -> None:
        """Takes a removal back: everything is as it was. A session that is asked is kept, which a mature device says without a fresh proof.

        Raises:
            StepUpRequired: the last proof is too old, or a session is to be kept by a device that is not mature.
            NotHere: nothing of this user's is being removed by that name.
            Contradicted: the week for it is over, it is no removal, or the account is frozen.
        """
        if change in await store_endings.asked(self._parts.store.reading, present.account.id):
            await self._ending.answer(present, change, AnswerAsked(was_me=False))
            return
        if change == present.account.id:
            await self._leaving.keep(present)
            return
        self._sessions.demand_fresh(present)
        user, now_ms = present.account.id, self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            table: Table | None = await store_contacts.table_of(tx, user, change)
            if table is None:
                raise NotHere
            await self._changes.refuse_if_frozen(tx, user)
            if not await store_contacts.take_back(tx, table, user, change, now_ms - life.CANCELLABLE_MS):
                raise Contradicted
            await self._changes.record(tx, present, Kind.REMOVAL_CANCELLED, change)


def _pending(factor: Factor, facts: Facts, now_ms: int) -> answers.PendingChange | None:
    match life.state_of(factor, facts.policy, now_ms):
        case life.State.RETIRING if factor.removed_ms is not None:
            return _removal(factor.id, factor.kind.value, factor.removed_ms, facts)
        case life.State.PROBATION:
            return answers.PendingChange(
                id=factor.id, kind="probation", factor=factor.kind.value, effective_ms=factor.matures_ms
            )
        case _:
            return None


def _removal(factor_id: str, kind: answers.PendingFactor, removed_ms: int, facts: Facts) -> answers.PendingChange:
    return answers.PendingChange(
        id=factor_id,
        kind="removal",
        factor=kind,
        effective_ms=life.rights_end_ms(removed_ms, facts.policy, lost=False),
        cancel_until_ms=removed_ms + life.CANCELLABLE_MS,
    )
