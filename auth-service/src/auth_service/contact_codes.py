"""Codes that prove a session: sent to contacts that count, typed at /step-up.

So a device is confirmed by whoever holds an old contact of the account, and not by whoever only knows its password. A code goes to every e-mail address that counts,
each its own, or to the oldest phone; it is for the session that asked, and five wrong ones end it.
"""

import hmac
from collections.abc import Callable

from . import store_contacts
from .core import answers, codes, texts
from .core.codes import MAX_TRIES
from .core.identifiers import ContactKind
from .core.recovery import life, phones
from .core.recovery.facts import Factor, FactorKind
from .core.recovery.horizon import horizon_ms
from .core.requests import Locale, SendStepUp
from .limits import Limit, Limiter
from .outbox import Asked, Outbox
from .parts import Caller, Parts
from .sessions import Present
from .standing import standing_of
from .store import Db
from .store_accounts import Account
from .store_contacts import Contact, Sent
from .store_facts import facts_of
from .text_price import TextPrice


class ContactCodes:
    """Sends such codes and takes them."""

    def __init__(self, parts: Parts, limiter: Limiter, outbox: Outbox, price: TextPrice) -> None:
        """Args: outbox: takes the codes; price: what a text costs a stranger."""
        self._parts = parts
        self._limiter = limiter
        self._outbox = outbox
        self._price = price
        self._per_session = Limit("step_up_code", 1, 60)
        self._per_account_day = Limit("contact_account_day", parts.config.codes_per_account_per_day, 86_400)

    async def send(self, present: Present, body: SendStepUp, caller: Caller) -> answers.CodeSent:
        """Sends codes to the contacts of a channel that count; if there are none, nothing, with the same answer.

        Raises:
            TooMany: too soon after the last one, or too many of this account today.
            ProofRequired: a text wants work first, except from a confirmed device.
        """
        parts, user, session = self._parts, present.account.id, present.session.id
        standing = await standing_of(parts.store.reading, parts, present)
        if body.channel == "sms" and not standing.device_confirmed:
            await self._price.take([f"user:{user}"], body.captcha, body.picture, "contact", "", caller)
        await self._limiter.take(self._per_session, session)
        await self._limiter.take(self._per_account_day, user)
        async with parts.store.writing() as tx:
            asked = Asked(caller, user, known=standing.device_confirmed)
            await self.post(tx, present.account, body.channel, session, asked)
        return answers.CodeSent(expires_in=codes.CONTACT_CODE_LIFETIME_MS // 1000)

    async def may_send(self, user: str) -> bool:
        """Counts a code for a login, of those that an account gets in a day."""
        return await self._limiter.wait_s(self._per_account_day, user) <= 0

    async def has_phone(self, db: Db, user: str) -> bool:
        """Whether a text can be sent to a phone that counts."""
        return self._outbox.reaches(ContactKind.PHONE) and bool(await self._asked(db, user, "sms"))

    async def post_for_login(self, tx: Db, account: Account, purpose: str, caller: Caller) -> None:
        """A code for a login, to every address that counts, or to the oldest phone."""
        for channel in ("email", "sms"):
            if await self.post(tx, account, channel, purpose, Asked(caller, account.id), text=texts.login_code):
                return

    async def post(
        self,
        tx: Db,
        account: Account,
        channel: str,
        session: str,
        asked: Asked,
        *,
        text: Callable[[Locale, str], str] = texts.step_up_code,
    ) -> int:
        """Posts codes to the contacts of a channel that count; returns how many there are. Args: session: what they are for; text: says it."""
        parts = self._parts
        contacts = await self._asked(tx, account.id, channel)
        for contact in contacts:
            stored = await store_contacts.by_id(tx, account.id, contact.id)
            code = codes.code_from(parts.random_below(10**codes.CODE_DIGITS))
            expires_ms = parts.now_ms() + codes.CONTACT_CODE_LIFETIME_MS
            sent = Sent(contact.id, self._mark(contact.id, session, code), False, 0, expires_ms)
            # What a cap holds back leaves the code good that was sent before.
            if stored is not None and await self._post(tx, stored, code, text(account.locale, code), asked):
                await store_contacts.set_code(tx, sent, session)
        return len(contacts)

    async def use(self, tx: Db, user: str, session: str, code: str) -> Contact | None:
        """Uses a code for this session up, in a transaction; returns its contact, or None if it does not fit or counts no more."""
        now_ms = self._parts.now_ms()
        stored = {contact.id: contact for contact in await store_contacts.of_user(tx, user)}
        contacts = list(stored)
        sent = await store_contacts.codes_sent(tx, contacts, session)
        alive = [row for row in sent if row.tries < MAX_TRIES and row.expires_ms > now_ms]
        fitting = [
            row.contact for row in alive if hmac.compare_digest(row.code_mark, self._mark(row.contact, session, code))
        ]
        counting = {contact.id for channel in ("email", "sms") for contact in await self._asked(tx, user, channel)}
        if not fitting or fitting[0] not in counting:
            for row in sent:
                await store_contacts.count_try(tx, row.contact, session)
            return None
        await store_contacts.drop_codes(tx, contacts, session)
        given = stored[fitting[0]]
        await self._outbox.confirmed(tx, given.kind, self._opened(given))
        return given

    async def _post(self, tx: Db, stored: Contact, code: str, text: str, asked: Asked) -> bool:
        return await self._outbox.post(
            tx,
            stored.kind,
            self._opened(stored),
            text,
            code=code,
            asked=asked,
            good_for_ms=codes.CONTACT_CODE_LIFETIME_MS,
        )

    def _opened(self, stored: Contact) -> str:
        return self._parts.seals.open("contact", stored.id, stored.sealed_value).decode()

    async def _asked(self, db: Db, user: str, channel: str) -> list[Factor]:
        """The contacts of a channel that a code may go to."""
        facts, now_ms = await facts_of(db, user, self._parts.config.factor_policy), self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        if channel == "sms":
            return phones.in_order(facts, line_ms, now_ms)[:1]
        return [
            factor
            for factor in facts.factors
            if factor.kind is FactorKind.EMAIL and life.counts(factor, facts.policy, line_ms, now_ms)
        ]

    def _mark(self, contact: str, session: str, code: str) -> bytes:
        return self._parts.seals.mark("step-up-code", contact, session, code)
