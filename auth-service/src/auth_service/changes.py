"""What happens to an account is recorded here, in the transaction in which it happens: for the horizon of recovery, and for the people who are told.

Every part that changes a factor, a password, a name, a device or a recovery calls `record` (somebody in a session did it) or `note` (anybody else), after it has
changed the rows. Both write the notice, who is to be told of it, and, where its time has come, the message itself; so a process killed at any point has either
done nothing or forgotten nothing. What gathers is sent by `tending.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from . import store_contacts, store_notices
from .core import events, warnings
from .core.audit_events import OF_ACCOUNTS
from .core.events import TRAITS, Kind
from .core.identifiers import ContactKind
from .core.problems import Contradicted
from .core.recovery import life, phones
from .core.recovery.facts import FactorKind, Facts
from .core.recovery.horizon import horizon_ms
from .core.sealing import digest
from .store import Db, one
from .store_facts import facts_of
from .store_notices import Link, Notice, Telling

if TYPE_CHECKING:
    from .audit import Audit
    from .core.requests import Locale
    from .outbox import Outbox
    from .parts import Parts
    from .sessions import Present


class Changes:
    """Records events and tells people."""

    def __init__(self, parts: Parts, outbox: Outbox, audit: Audit) -> None:
        """Args: outbox: takes the messages."""
        self._parts = parts
        self._outbox = outbox
        self.audit = audit
        origins = [text.strip().rstrip("/") for text in parts.config.public_origin.split(",") if text.strip()]
        self._origin = origins[0] if origins else ""

    async def record(self, tx: Db, present: Present, kind: Kind, subject: str) -> str:
        """Somebody in a session did this; returns the notice's id. Args: subject: id of the factor, device or recovery, or ''."""
        return await self.note(tx, present.account.id, kind, subject, device=present.session.device)

    async def note(
        self, tx: Db, user: str, kind: Kind, subject: str, *, device: str | None = None, by_link: bool = False
    ) -> str:
        """This happened to an account; returns the notice's id.

        Args: device: which did it; None: nobody's, so an unconfirmed one; by_link: a contact did it, who draws no horizon.
        """
        notice = Notice(
            id=self._parts.new_id(),
            user=user,
            kind=kind,
            subject=subject,
            device=device,
            confirmed=await self._is_confirmed(tx, device),
            at_ms=self._parts.now_ms(),
        )
        facts = await facts_of(tx, user, self._parts.config.factor_policy)
        await self.audit.write(
            tx,
            await self._event(tx, kind, subject),
            actor=device or "",
            subject=user,
            kind=kind.value,
            id=subject,
            confirmed=notice.confirmed,
        )
        await store_notices.add(tx, notice, told_of(facts, kind, notice.at_ms))
        if TRAITS[kind].change and not by_link:
            await store_notices.add_change(tx, notice)
        await self._remind(tx, notice, facts)
        pace, is_told_now = events.after_event(await store_notices.pace(tx, user, kind), kind, notice.at_ms)
        await store_notices.set_pace(tx, user, kind, pace)
        if is_told_now:
            await self._send(tx, user, kind)
        return notice.id

    async def send_gathered(self, tx: Db, user: str, kind: Kind) -> None:
        """Tells what has gathered, if its time has come."""
        now_ms = self._parts.now_ms()
        pace = await store_notices.pace(tx, user, kind)
        if not pace.gathered or now_ms < pace.open_ms:
            return
        await store_notices.set_pace(tx, user, kind, events.after_gathering(pace, kind, now_ms))
        await self._send(tx, user, kind)

    async def refuse_if_frozen(self, db: Db, user: str) -> None:
        """Asked before anything that changes an account.

        Raises:
            Contradicted: somebody who was told of a change said that it was not them: nothing changes until that is over.
        """
        row = await one(db, "SELECT frozen_until_ms FROM users WHERE id = ?", (user,))
        if row is not None and row["frozen_until_ms"] > self._parts.now_ms():
            raise Contradicted("This account is frozen.", reason="frozen", until_ms=row["frozen_until_ms"])

    async def refuse_if_guarded(self, db: Db, user: str) -> None:
        """Asked before what takes from an account: removal of what is mature, export, deletion, new roles.

        Raises:
            Contradicted: the account is frozen, or was recovered less than 72 h ago.
        """
        await self.refuse_if_frozen(db, user)
        row = await one(db, "SELECT guarded_until_ms FROM users WHERE id = ?", (user,))
        if row is not None and row["guarded_until_ms"] > self._parts.now_ms():
            raise Contradicted(
                "This account was recovered a short while ago.", reason="guarded", until_ms=row["guarded_until_ms"]
            )

    async def _event(self, tx: Db, kind: Kind, subject: str) -> str:
        """What the audit log calls it."""
        table = TRAITS[kind].removes
        if table is not None and await store_contacts.is_lost(tx, table, subject):
            return "factor.lost_or_stolen"
        return OF_ACCOUNTS[kind]

    async def _is_confirmed(self, tx: Db, device: str | None) -> bool:
        row = await one(tx, "SELECT confirmed_ms FROM devices WHERE id = ?", (device,))
        return row is not None and row["confirmed_ms"] is not None

    async def _remind(self, tx: Db, notice: Notice, facts: Facts) -> None:
        """What is in probation is told of again while that can still be undone."""
        added = next((factor for factor in facts.factors if factor.id == notice.subject), None)
        table = TRAITS[notice.kind].adds
        if added is None or table is None:
            return
        if notice.at_ms < added.matures_ms:  # nobody is told of it, but the audit log wants to know
            await store_notices.add_maturity(tx, notice.user, table, notice.subject, added.matures_ms)
        if added.kind is FactorKind.QUESTION:
            return
        for after_ms in events.REMINDERS_MS:
            if notice.at_ms + after_ms < added.matures_ms:
                await store_notices.add_reminder(tx, notice.user, notice.kind, notice.subject, notice.at_ms + after_ms)

    async def _send(self, tx: Db, user: str, kind: Kind) -> None:
        row = await one(
            tx, "SELECT u.locale, n.name FROM users u JOIN usernames n ON n.user = u.id WHERE u.id = ?", (user,)
        )
        if row is None:
            return
        locale: Locale = "es" if row["locale"] == "es" else "en"
        for telling in await store_notices.untold(tx, user, kind):
            if len(telling.notices) > 1:
                merged = len(telling.notices)
                await self.audit.write(
                    tx, "notice.merged", subject=user, kind=kind.value, id=telling.contact, count=merged
                )
            to = self._parts.seals.open("contact", telling.contact, telling.sealed_value).decode()
            lines = await self._lines(tx, user, telling)
            said = (
                warnings.mail(locale, self._origin, row["name"], lines)
                if telling.kind is ContactKind.EMAIL
                else warnings.text(locale, self._origin, lines)
            )
            await self._outbox.tell(tx, telling.kind, to, said)
        await store_notices.told(tx, user, kind)

    async def _lines(self, tx: Db, user: str, telling: Telling) -> list[warnings.Line]:
        """A mail has one link for each event, a text one for all of them."""
        if not self._origin:
            return [warnings.Line(notice.kind, notice.at_ms, None) for notice in telling.notices]
        if telling.kind is ContactKind.PHONE:
            token = await self._link(tx, user, telling.contact, telling.notices)
            return [warnings.Line(notice.kind, notice.at_ms, token) for notice in telling.notices]
        return [
            warnings.Line(notice.kind, notice.at_ms, await self._link(tx, user, telling.contact, [notice]))
            for notice in telling.notices
        ]

    async def _link(self, tx: Db, user: str, contact: str, notices: list[Notice]) -> str:
        token = warnings.token_of(self._parts.new_secret())
        link = Link(digest(token.encode()), user, contact, self._parts.now_ms() + events.UNDO_MS, used=False)
        await store_notices.add_link(tx, link, [notice.id for notice in notices])
        return token


def told_of(facts: Facts, kind: Kind, now_ms: int) -> list[str]:
    """The contacts that are told: every mature or retiring e-mail address; the oldest phone for what is critical, or where there is no address."""
    told = [factor for factor in facts.factors if life.is_told(factor, facts.policy, now_ms)]
    mails = [factor.id for factor in told if factor.kind is FactorKind.EMAIL]
    if mails and not TRAITS[kind].critical:
        return mails
    line_ms = horizon_ms(facts, now_ms)
    order = phones.in_order(facts, line_ms, now_ms) or [factor for factor in told if factor.kind is FactorKind.PHONE]
    return mails + [phone.id for phone in order[:1]]
