"""Deleting one's account: asked for, told to every contact, and done after 14 days unless somebody takes it back.

Until then the account works as before: an owner who was locked out of a hidden one could neither see nor stop what a thief began. It is taken back by the link that each
contact gets (again after a week), by a session with a fresh proof, or by a recovery. Then everything goes but the audit log; the name stays taken as
long as what is removed is remembered, and a banned person's contacts stay banned (`banned_contacts.py`).
"""

import structlog

from garita_common.core.revocations import Revocation

from . import store_leaving, store_notices, store_sessions
from .audit import Audit
from .banned_contacts import BannedContacts
from .changes import Changes
from .core import leaving_answers
from .core.events import Kind
from .core.problems import Contradicted
from .core.recovery.facts import DAY_MS
from .parts import Parts
from .second_factors import SecondFactors
from .sessions import Present, Sessions
from .store import Db

log = structlog.get_logger()

GRACE_MS = 14 * DAY_MS
AGAIN_MS = 7 * DAY_MS
"""When everybody is told again: links are good for ten days, and the last days need one too."""


class Leaving:
    """Deletes accounts, in time."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        changes: Changes,
        second: SecondFactors,
        banned: BannedContacts,
        audit: Audit,
    ) -> None:
        """Args: second: says what a session may change; banned: what outlives an account."""
        self._parts = parts
        self._sessions = sessions
        self._changes = changes
        self._second = second
        self._banned = banned
        self._audit = audit

    async def ask(self, present: Present) -> leaving_answers.Deletion:
        """The account is going to be deleted.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: it is already, is frozen, or was recovered a short while ago.
        """
        user, now_ms = present.account.id, self._parts.now_ms()
        await self._second.demand(self._parts.store.reading, present)
        async with self._parts.store.writing() as tx:
            await self._changes.refuse_if_guarded(tx, user)
            if not await store_leaving.set_deletion(tx, user, now_ms + GRACE_MS):
                deletes_ms = await store_leaving.deletion_of(tx, user)
                raise Contradicted("This account is going to be deleted.", reason="deleting", until_ms=deletes_ms)
            await self._changes.record(tx, present, Kind.ACCOUNT_DELETED, user)
            await store_notices.add_reminder(tx, user, Kind.ACCOUNT_DELETED, user, now_ms + AGAIN_MS)
        return leaving_answers.Deletion(deletes_ms=now_ms + GRACE_MS)

    async def keep(self, present: Present) -> None:
        """A session takes it back.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: it is not going to be deleted.
        """
        await self._second.demand(self._parts.store.reading, present)
        async with self._parts.store.writing() as tx:
            if not await store_leaving.keep(tx, present.account.id):
                raise Contradicted
            await self._changes.record(tx, present, Kind.ACCOUNT_KEPT, present.account.id)

    async def delete_due(self) -> None:
        """Deletes what is due, an account in a transaction."""
        store, now_ms = self._parts.store, self._parts.now_ms()
        for user in await store_leaving.due(store.reading, now_ms):
            async with store.writing() as tx:
                if not 0 < await store_leaving.deletion_of(tx, user) <= now_ms:
                    continue
                said = await self._delete(tx, user)
            await self._sessions.say(said)
            log.info("account_deleted", user=user)

    async def _delete(self, tx: Db, user: str) -> list[Revocation]:
        now_ms = self._parts.now_ms()
        living = await store_sessions.living_sessions(tx, user, now_ms)
        ended = await self._sessions.end(tx, user, [session.id for session in living], "deleted")
        await self._banned.keep_of(tx, user)
        await self._audit.write(tx, "account.deleted", subject=user)
        await store_leaving.delete(tx, user, now_ms + self._parts.config.factor_policy.tombstone_ms)
        return ended
