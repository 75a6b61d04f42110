"""Undo links: what somebody who was told of an event may do about it, without a session.

"cancel" takes the event back: an addition ends, a removal does not happen, a recovery is objected to. "Not me" does the same, disputes the event (the horizon goes back
to it) and freezes the account for three days: sessions end, nothing changes, and only mature devices log in. A mature device loses nothing by either, and
a contact can freeze once in thirty days: whoever has stolen one mailbox must not hold the account by it. A contact that lost its rights has no say.
"""

from typing import Protocol

import structlog

from garita_common.core.revocations import Revocation

from . import store_contacts, store_endings, store_freezes, store_leaving, store_notices, store_sessions
from .changes import Changes
from .core import answers, events
from .core.events import TRAITS, Kind, Table
from .core.recovery import life
from .core.requests import Undo
from .core.sealing import digest
from .devices import Devices
from .limits import Limit, Limiter
from .parts import Caller, Parts
from .sessions import Present, Sessions
from .standing import standing_of
from .store import Db
from .store_facts import facts_of
from .store_notices import Link, Notice

log = structlog.get_logger()


class Objections(Protocol):
    """Where a contact's "no" to a recovery goes."""

    async def object_by_contact(self, tx: Db, flow: str, contact: str) -> None:
        """The contact says no to a recovery, with its points."""


class Freezing:
    """Carries out what undo links ask for."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        devices: Devices,
        changes: Changes,
        limiter: Limiter,
        objections: Objections,
    ) -> None:
        """Args: objections: takes vetoes of recoveries."""
        self._parts = parts
        self._sessions = sessions
        self._devices = devices
        self._changes = changes
        self._limiter = limiter
        self._objections = objections
        self._bad_links = Limit("bad_undo_prefix", parts.config.bad_undos_per_prefix_per_h, 3600)

    async def undo(self, body: Undo, caller: Caller) -> answers.Undone:
        """Uses a link. The answer is the same for every link.

        Raises:
            TooMany: too many unknown links from one address.
        """
        link_hash = digest(body.token.encode())
        if await store_notices.link(self._parts.store.reading, link_hash) is None:
            if caller.counted:
                await self._limiter.take(self._bad_links, caller.unit)
            return answers.Undone()
        ended: list[Revocation] = []
        async with self._parts.store.writing() as tx:
            link = await store_notices.link(tx, link_hash)
            if link is not None and await self._is_good(tx, link):
                ended = await self._carry_out(tx, link, disputes=body.action == "not_me")
        await self._sessions.say(ended)
        return answers.Undone()

    async def thaw(self, tx: Db, present: Present) -> None:
        """A session has proved itself: with a mature factor on a mature device it ends a freeze at once."""
        user = present.account.id
        if not await store_freezes.is_frozen(tx, user, self._parts.now_ms()):
            return
        if (await standing_of(tx, self._parts, present)).is_strong:
            await store_freezes.thaw(tx, user)
            await self._changes.record(tx, present, Kind.ACCOUNT_THAWED, "")

    async def _is_good(self, tx: Db, link: Link) -> bool:
        """Uses the link up, if the contact that it went to is still one that is told, and in no doubt."""
        facts, now_ms = await facts_of(tx, link.user, self._parts.config.factor_policy), self._parts.now_ms()
        has_say = any(
            factor.id == link.contact and not factor.suspect and life.is_told(factor, facts.policy, now_ms)
            for factor in facts.factors
        )
        return has_say and await store_notices.use_link(tx, link.hash, now_ms)

    async def _carry_out(self, tx: Db, link: Link, *, disputes: bool) -> list[Revocation]:
        ended: list[Revocation] = []
        disputed = False
        for notice in await store_notices.events_of(tx, link.hash):
            if TRAITS[notice.kind].recovery:
                await self._objections.object_by_contact(tx, notice.subject, link.contact)
            elif notice.kind is Kind.NUMBER_ASKED:
                if disputes:
                    await self._disown(tx, notice)
            else:
                ended += await self._take_back(tx, notice)
                if disputes:
                    await self._dispute(tx, link, notice)
                    disputed = True
        if disputed:
            ended += await self._freeze(tx, link)
        await self._changes.audit.write(tx, "undo.used", actor=link.contact, subject=link.user, disputes=disputes)
        log.info("undo_used", user=link.user, disputes=disputes)
        return ended

    async def _dispute(self, tx: Db, link: Link, notice: Notice) -> None:
        dispute = self._parts.new_id()
        await store_freezes.dispute(tx, dispute, link.user, notice.at_ms, link.contact, self._parts.now_ms())
        await self._changes.audit.write(
            tx, "dispute.opened", actor=link.contact, subject=link.user, id=dispute, about=notice.id
        )

    async def _disown(self, tx: Db, notice: Notice) -> None:
        """The owner was asked about a number and says by the link that it is not theirs any more."""
        contact = await store_contacts.by_id(tx, notice.user, notice.subject)
        if contact is not None and contact.asked_ms is not None:
            await store_contacts.doubt(tx, contact.id)
            await self._changes.note(tx, notice.user, Kind.NUMBER_SUSPECT, contact.id)

    async def _take_back(self, tx: Db, notice: Notice) -> list[Revocation]:
        trait, user, now_ms = TRAITS[notice.kind], notice.user, self._parts.now_ms()
        if trait.deletes:
            if await store_leaving.keep(tx, user):
                await self._changes.note(tx, user, Kind.ACCOUNT_KEPT, user, by_link=True)
            return []
        if trait.removes is not None:
            if await store_contacts.take_back(tx, trait.removes, user, notice.subject, now_ms - life.CANCELLABLE_MS):
                await self._changes.note(tx, user, Kind.REMOVAL_CANCELLED, notice.subject, by_link=True)
            return []
        table = trait.adds or (await store_contacts.table_of(tx, user, notice.subject) if trait.reminds else None)
        if table is None:
            return []
        if table is Table.DEVICES:
            return await self._send_off(tx, user, notice.subject)
        # What has come to count meanwhile retires like anything else; what does not count yet ends now.
        is_new = await store_contacts.is_on_probation(tx, table, notice.subject, now_ms)
        await store_contacts.remove(tx, table, user, notice.subject, now_ms, lost=is_new)
        return []

    async def _send_off(self, tx: Db, user: str, device: str) -> list[Revocation]:
        """A new device that is not the owner's: it is forgotten and its sessions end, unless it has become mature."""
        if device in await self._devices.mature(tx, user):
            return []
        await store_contacts.remove(tx, Table.DEVICES, user, device, self._parts.now_ms(), lost=True)
        return await self._sessions.end_of_device(tx, user, device)

    async def _freeze(self, tx: Db, link: Link) -> list[Revocation]:
        """Freezes the account, once in thirty days for each contact; sessions of mature devices go on."""
        now_ms = self._parts.now_ms()
        if not await store_freezes.may_freeze(tx, link.user, link.contact, now_ms - events.FREEZE_AGAIN_MS):
            return []
        await store_freezes.freeze(tx, link.user, link.contact, now_ms, now_ms + events.FREEZE_MS)
        await store_endings.keep_all(tx, link.user)
        mature = await self._devices.mature(tx, link.user)
        living = await store_sessions.living_sessions(tx, link.user, now_ms)
        await self._changes.note(tx, link.user, Kind.ACCOUNT_FROZEN, "", by_link=True)
        return await self._sessions.end(tx, link.user, [row.id for row in living if row.device not in mature], "frozen")
