"""What comes due by itself: sessions that were asked end, gathered notices go out, new factors are reminded of, and what has no rights any more is deleted.

Every item is one transaction that does the thing and takes it off the list, so that a process killed at any point does it once. Nothing is decided here: what
the rules say of a row does not change when it is deleted, only the room it takes.
"""

import asyncio
import sqlite3

import structlog

from . import store_contacts, store_leaving, store_notices
from .audit import Audit
from .banned_contacts import BannedContacts
from .changes import Changes
from .core.events import TRAITS, Kind, Table
from .core.recovery.life import CANCELLABLE_MS
from .ending import Ending
from .exporting import Exporting
from .keys import Signer
from .leaving import Leaving
from .parts import Parts
from .sessions import Sessions

log = structlog.get_logger()

EVERY_S = 1.0
"""How late a gathered notice may be."""


class Tending:
    """Looks every second for what is due."""

    def __init__(
        self,
        parts: Parts,
        changes: Changes,
        sessions: Sessions,
        ending: Ending,
        signer: Signer,
        audit: Audit,
        banned: BannedContacts,
        leaving: Leaving,
        exporting: Exporting,
    ) -> None:
        """Args: changes: tells people; sessions: end with their device; ending: ends sessions that were asked; signer: has keys that follow each other;
        audit: has rows that wait; banned: follows the bans; leaving: deletes accounts; exporting: makes exports.
        """
        self._parts = parts
        self._changes = changes
        self._sessions = sessions
        self._ending = ending
        self._signer = signer
        self._audit = audit
        self._banned = banned
        self._leaving = leaving
        self._exporting = exporting

    async def run(self) -> None:
        """Tends, until cancelled."""
        while True:
            try:
                await self._audit.flush()
                await self._signer.tend()
                await self._ending.end_due()
                await self._banned.keep()
                await self._exporting.make_due()
                await self._send()
                await self._remind()
                await self._mature()
                await self._bury()
                await self._leaving.delete_due()
            except sqlite3.Error as exc:  # a full disk must not end the process; what is due stays due
                log.error("tending_failed", error=type(exc).__name__)
            await asyncio.sleep(EVERY_S)

    async def _send(self) -> None:
        store = self._parts.store
        for user, kind in await store_notices.due(store.reading, self._parts.now_ms()):
            async with store.writing() as tx:
                await self._changes.send_gathered(tx, user, kind)

    async def _remind(self) -> None:
        store = self._parts.store
        for user, kind, subject, due_ms in await store_notices.due_reminders(store.reading, self._parts.now_ms()):
            async with store.writing() as tx:
                await store_notices.drop_reminder(tx, subject, due_ms)
                if TRAITS[kind].deletes and await store_leaving.deletion_of(tx, user):
                    await self._changes.note(tx, user, kind, subject)
                table = TRAITS[kind].adds
                if table is None:
                    continue
                if await store_contacts.is_on_probation(tx, table, subject, self._parts.now_ms()):
                    await self._changes.note(tx, user, Kind.FACTOR_WAITS, subject)

    async def _mature(self) -> None:
        store, now_ms = self._parts.store, self._parts.now_ms()
        for user, table, factor in await store_notices.due_maturities(store.reading, now_ms):
            async with store.writing() as tx:
                await store_notices.drop_maturity(tx, factor)
                if await store_contacts.has_matured(tx, table, factor, now_ms):
                    event = "contact.matured" if table is Table.CONTACTS else "factor.matured"
                    await self._audit.write(tx, event, subject=user, id=factor)

    async def _bury(self) -> None:
        store, policy = self._parts.store, self._parts.config.factor_policy
        now_ms = self._parts.now_ms()
        ended_ms = now_ms - CANCELLABLE_MS - policy.tombstone_ms
        for user, device in await store_contacts.devices_ended(store.reading, ended_ms, now_ms):
            async with store.writing() as tx:
                said = await self._sessions.end_of_device(tx, user, device)
            await self._sessions.say(said)
        if not await store_contacts.has_ended(store.reading, ended_ms, now_ms):
            return
        async with store.writing() as tx:
            for table, user, factor in await store_contacts.ended(tx, ended_ms, now_ms):
                event = "contact.retired" if table == Table.CONTACTS.value else "factor.retired"
                await self._audit.write(tx, event, subject=user, id=factor)
            await store_contacts.bury(tx, ended_ms, now_ms)
