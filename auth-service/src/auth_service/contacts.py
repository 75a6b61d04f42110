"""E-mail addresses and phone numbers of an account: adding, proving, removing.

A contact is proved with a code that goes there, and counts for recovery when its probation is over. One that is removed can be taken back for a week and keeps its
rights for thirty days more. Proving a contact again does not make it stronger in the hands of an intruder: it counts as a confirmation only on a mature device.
One number may be of two people's accounts; when it is proved by a third, or after a year in which its first owner did not show that it is still theirs,
somebody's binding is in doubt (`_meet_others`).
"""

import hmac

from msgspec import UNSET

from . import store_contacts
from .challenges import Challenges
from .changes import Changes
from .core import answers, codes, texts
from .core.codes import Step
from .core.events import Kind, Table
from .core.identifiers import Contact, ContactKind
from .core.problems import CodeInvalid, Contradicted, FlowGone, NotHere, StepUpRequired
from .core.recovery import life
from .core.recovery.facts import DAY_MS, Factor, FactorKind
from .core.requests import AddPhone
from .limits import Limit, Limiter
from .outbox import Asked, Outbox
from .parts import Caller, Parts
from .second_factors import SecondFactors
from .sessions import Present, Sessions
from .standing import Standing, standing_of
from .store import Db
from .store_contacts import Contact as Stored
from .store_contacts import Sent
from .text_price import TextPrice

MAX_OF_A_KIND = 5
"""Phones by the design; addresses as well, so that a notice is a handful of mails."""
MAX_RECOVERED = 2
"""Accounts that one number may recover: two of one person, or of a couple. A third is a family plan, or a farm."""
OLD_BINDING_MS = 365 * DAY_MS
ADDED = {ContactKind.EMAIL: Kind.EMAIL_ADDED, ContactKind.PHONE: Kind.PHONE_ADDED}
REMOVED = {ContactKind.EMAIL: Kind.EMAIL_REMOVED, ContactKind.PHONE: Kind.PHONE_REMOVED}
FACTOR_KINDS = {ContactKind.EMAIL: FactorKind.EMAIL, ContactKind.PHONE: FactorKind.PHONE}


class Contacts:
    """What an owner may do with contacts."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        challenges: Challenges,
        outbox: Outbox,
        changes: Changes,
        second: SecondFactors,
        price: TextPrice,
    ) -> None:
        """Args: outbox: takes the codes; price: what a text costs a stranger; changes: records what changed; second: knows what proof a change wants."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._challenges = challenges
        self._outbox = outbox
        self._changes = changes
        self._second = second
        self._price = price
        self._per_contact = Limit("contact_code", 1, 60)
        self._per_contact_day = Limit("contact_code_day", parts.config.codes_per_contact_per_day, 86_400)
        self._per_account_day = Limit("contact_account_day", parts.config.codes_per_account_per_day, 86_400)

    async def listed(self, present: Present, kind: ContactKind) -> answers.OwnContacts:
        """The user's contacts of a kind."""
        stored = await store_contacts.of_user(self._parts.store.reading, present.account.id)
        return answers.OwnContacts(contacts=[self._shown(contact) for contact in stored if contact.kind is kind])

    async def add(
        self, present: Present, contact: Contact, caller: Caller, work: AddPhone | None = None
    ) -> answers.ContactPending:
        """Sends a code to a contact that is to be added, taken back, or shown to be still the owner's. Args: work: what a number may have to bring.

        Raises:
            StepUpRequired: the last proof is too old, or was the password alone where there is a second factor.
            ProofRequired: a number wants work first, except from a mature device.
            TooMany: too many codes for this contact or account.
            Contradicted: the account is frozen, has five of this kind, or nobody could be sent a code.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        standing = await standing_of(parts.store.reading, parts, present)
        mark = parts.seals.mark("contact", contact.key)
        if work is not None and not standing.device_matured:
            await self._take_work(work, standing, [f"user:{user}", f"number:{mark.hex()}"], caller)
        if not self._outbox.reaches(contact.kind):
            raise Contradicted("This server cannot send codes there.")
        await self._limiter.take(self._per_contact, mark.hex())
        await self._limiter.take(self._per_contact_day, mark.hex())
        await self._limiter.take(self._per_account_day, user)
        code = codes.code_from(parts.random_below(10**codes.CODE_DIGITS))
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            stored = await store_contacts.by_mark(tx, user, mark) or await self._pend(tx, user, contact, mark)
            expires_ms = parts.now_ms() + codes.CONTACT_CODE_LIFETIME_MS
            sent = Sent(stored.id, self._code_mark(stored.id, code), standing.is_strong, 0, expires_ms)
            # What a cap holds back leaves the code good that was sent before.
            if await self._outbox.post(
                tx,
                contact.kind,
                contact.value,
                texts.contact_code(present.account.locale, code),
                code=code,
                asked=Asked(caller, user, known=standing.device_confirmed),
                good_for_ms=codes.CONTACT_CODE_LIFETIME_MS,
            ):
                await store_contacts.set_code(tx, sent, "")
        return answers.ContactPending(id=stored.id, expires_in=codes.CONTACT_CODE_LIFETIME_MS // 1000)

    async def _take_work(self, work: AddPhone, standing: Standing, names: list[str], caller: Caller) -> None:
        """What a number costs on a device that is not mature; a confirmed one is a known context, where a further text costs no more."""
        if standing.device_confirmed:
            await self._challenges.take(work.captcha, "contact", caller)
        else:
            await self._price.take(names, work.captcha, work.picture, "contact", work.phone, caller)

    async def verify(self, present: Present, kind: ContactKind, contact_id: str, code: str) -> answers.OwnContact:
        """Proves a contact with the code that went there.

        Raises:
            NotHere: no such contact of this user.
            CodeInvalid: a wrong code.
            FlowGone: no code is on its way any more, or too many wrong ones were shown.
            Contradicted: the account is frozen.
        """
        user, now_ms = present.account.id, self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            stored = await self._theirs(tx, user, kind, contact_id)
            await self._changes.refuse_if_frozen(tx, user)
            sent = next(iter(await store_contacts.codes_sent(tx, [contact_id], "")), None)
            step = self._judge(sent, contact_id, code, now_ms)
            if step is Step.PROVED and sent is not None:
                await store_contacts.drop_codes(tx, [contact_id], "")
                await self._outbox.confirmed(tx, stored.kind, self._opened(stored))
                await self._accept(tx, present, stored, is_strong=sent.strong)
            elif step is Step.WRONG:
                await store_contacts.count_try(tx, contact_id, "")
            proved = await self._theirs(tx, user, kind, contact_id)
        if step is Step.WRONG:
            raise CodeInvalid
        if step is Step.GONE:
            raise FlowGone("This code has ended. Please ask for another one.")
        return self._shown(proved)

    async def remove(self, present: Present, kind: ContactKind, contact_id: str) -> answers.Removal:
        """Removes a contact: it can be taken back for a week, and keeps its rights until day 37.

        Raises:
            StepUpRequired: the last proof is too old, or was the password alone where there is a second factor.
            NotHere: no such contact of this user.
            Contradicted: it is being removed already, it is the last one, or nothing may be removed now.
        """
        return await self._remove(present, kind, contact_id, lost=False)

    async def lose(self, present: Present, kind: ContactKind, contact_id: str) -> answers.Removal:
        """The contact is lost or stolen: it has no rights from now on.

        Raises:
            StepUpRequired: not without a mature TOTP or passkey, given within five minutes on a mature device.
            NotHere, Contradicted: as `remove`.
        """
        standing = await standing_of(self._parts.store.reading, self._parts, present)
        if not standing.is_strong:
            raise StepUpRequired
        return await self._remove(present, kind, contact_id, lost=True)

    async def disown(self, present: Present, contact_id: str) -> None:
        """The owner was asked about a number that another account has proved, and says that it is not theirs any more.

        Raises:
            StepUpRequired: not from a mature device, or the last proof is too old.
            NotHere: no such number, or nobody asked.
        """
        self._sessions.demand_fresh(present)
        async with self._parts.store.writing() as tx:
            stored = await self._theirs(tx, present.account.id, ContactKind.PHONE, contact_id)
            if stored.asked_ms is None:
                raise NotHere
            standing = await standing_of(tx, self._parts, present)
            if not standing.device_matured:
                raise StepUpRequired
            await store_contacts.doubt(tx, contact_id)
            await self._changes.record(tx, present, Kind.NUMBER_SUSPECT, contact_id)

    async def _pend(self, tx: Db, user: str, contact: Contact, mark: bytes) -> Stored:
        parts = self._parts
        living = [
            other
            for other in await store_contacts.of_user(tx, user)
            if other.kind is contact.kind and other.removed_ms is None
        ]
        if len(living) >= MAX_OF_A_KIND:
            raise Contradicted(f"An account has at most {MAX_OF_A_KIND} of these.")
        contact_id = parts.new_id()
        new = Stored(
            id=contact_id,
            user=user,
            kind=contact.kind,
            mark=mark,
            sealed_value=parts.seal("contact", contact_id, contact.value.encode()),
            added_ms=parts.now_ms(),
            proved_ms=None,
            matures_ms=0,
            confirmed_ms=0,
            removed_ms=None,
            lost=False,
            suspect=False,
        )
        await store_contacts.add(tx, new)
        return new

    def _judge(self, sent: Sent | None, contact_id: str, code: str, now_ms: int) -> Step:
        fits = hmac.compare_digest(sent.code_mark if sent else bytes(32), self._code_mark(contact_id, code))
        waiting = codes.Waiting(
            proved=False,
            tries=sent.tries if sent else 0,
            expires_ms=sent.expires_ms if sent else 0,
            secret_fits=True,
            code_fits=fits,
        )
        return codes.judge(waiting, now_ms)

    async def _accept(self, tx: Db, present: Present, stored: Stored, *, is_strong: bool) -> None:
        """The code was right: the contact is new, taken back, or confirmed."""
        policy, now_ms = self._parts.config.factor_policy, self._parts.now_ms()
        state = life.state_of(factor_of(stored), policy, now_ms)
        standing = await standing_of(tx, self._parts, present)
        if state in {life.State.PENDING, life.State.RETIRED}:
            is_crowded = await self._meet_others(tx, stored)
            wait_ms = life.SHORT_PROBATION_MS if is_strong else policy.probation_ms
            await store_contacts.prove(tx, stored.id, now_ms, now_ms + wait_ms, is_suspect=is_crowded)
            await self._changes.record(tx, present, ADDED[stored.kind], stored.id)
            return
        if standing.device_matured:
            is_crowded = stored.suspect and await self._meet_others(tx, stored)
            await store_contacts.confirm(tx, stored.id, now_ms, is_suspect=is_crowded)
        if state is life.State.RETIRING:
            await store_contacts.restore(tx, stored.id)
            await self._changes.record(tx, present, Kind.REMOVAL_CANCELLED, stored.id)

    async def _meet_others(self, tx: Db, stored: Stored) -> bool:
        """The same number on other accounts: an old binding is in doubt, a younger one's owner is asked. True where it recovers enough accounts already."""
        if stored.kind is not ContactKind.PHONE:
            return False
        policy, now_ms = self._parts.config.factor_policy, self._parts.now_ms()
        good = 0
        for other in await store_contacts.elsewhere(tx, stored.user, stored.mark):
            if other.suspect or life.state_of(factor_of(other), policy, now_ms) is life.State.RETIRED:
                continue
            if now_ms - max(other.confirmed_ms, other.proved_ms or 0) > OLD_BINDING_MS:
                await store_contacts.doubt(tx, other.id)
                await self._changes.note(tx, other.user, Kind.NUMBER_SUSPECT, other.id)
                continue
            good += 1
            if other.asked_ms is None:
                await store_contacts.ask(tx, other.id, now_ms)
                await self._changes.note(tx, other.user, Kind.NUMBER_ASKED, other.id)
        return good >= MAX_RECOVERED

    async def _remove(self, present: Present, kind: ContactKind, contact_id: str, *, lost: bool) -> answers.Removal:
        await self._second.demand(self._parts.store.reading, present)
        user, now_ms = present.account.id, self._parts.now_ms()
        policy = self._parts.config.factor_policy
        async with self._parts.store.writing() as tx:
            stored = await self._theirs(tx, user, kind, contact_id)
            await self._changes.refuse_if_frozen(tx, user)
            if stored.proved_ms is None:
                await store_contacts.drop(tx, contact_id)
                return answers.Removal(id=contact_id, effective_ms=now_ms, cancel_until_ms=now_ms)
            if life.is_told(factor_of(stored), policy, now_ms):
                await self._changes.refuse_if_guarded(tx, user)
            if not lost and await self._is_last(tx, stored):
                raise Contradicted("An account keeps one contact. Add another one first.")
            if not await store_contacts.remove(tx, Table.CONTACTS, user, contact_id, now_ms, lost=lost):
                raise Contradicted
            await self._changes.record(tx, present, REMOVED[kind], contact_id)
        return answers.Removal(
            id=contact_id,
            effective_ms=life.rights_end_ms(now_ms, policy, lost=lost),
            cancel_until_ms=now_ms if lost else now_ms + life.CANCELLABLE_MS,
        )

    async def _is_last(self, tx: Db, stored: Stored) -> bool:
        others = await store_contacts.of_user(tx, stored.user)
        return not any(
            other.id != stored.id and other.proved_ms is not None and other.removed_ms is None for other in others
        )

    async def _theirs(self, db: Db, user: str, kind: ContactKind, contact_id: str) -> Stored:
        stored = await store_contacts.by_id(db, user, contact_id)
        if stored is None or stored.kind is not kind:
            raise NotHere
        return stored

    def _opened(self, stored: Stored) -> str:
        return self._parts.seals.open("contact", stored.id, stored.sealed_value).decode()

    def _code_mark(self, contact_id: str, code: str) -> bytes:
        return self._parts.seals.mark("contact-code", contact_id, code)

    def _shown(self, stored: Stored) -> answers.OwnContact:
        policy, now_ms = self._parts.config.factor_policy, self._parts.now_ms()
        state = life.state_of(factor_of(stored), policy, now_ms)
        removed_ms = stored.removed_ms
        return answers.OwnContact(
            id=stored.id,
            value=self._opened(stored),
            state=state.value,
            added_ms=stored.added_ms,
            asked=stored.asked_ms is not None,
            suspect=stored.suspect,
            proved_ms=UNSET if stored.proved_ms is None else stored.proved_ms,
            confirmed_ms=UNSET if stored.proved_ms is None else stored.confirmed_ms,
            matures_ms=UNSET if stored.proved_ms is None else stored.matures_ms,
            removed_ms=UNSET if removed_ms is None else removed_ms,
            effective_ms=UNSET if removed_ms is None else life.rights_end_ms(removed_ms, policy, lost=stored.lost),
        )


def factor_of(stored: Stored) -> Factor:
    """A contact as the rules see it."""
    return Factor(
        id=stored.id,
        kind=FACTOR_KINDS[stored.kind],
        proved_ms=stored.proved_ms,
        matures_ms=stored.matures_ms,
        confirmed_ms=stored.confirmed_ms,
        removed_ms=stored.removed_ms,
        lost=stored.lost,
        suspect=stored.suspect,
    )
