"""Registration: a contact is proved, then a name chosen, then there is an account with its first session.

An address that already has an account cannot be told from one that has none: the same work, the same answer, and a message either way, to its owner alone. Nothing
of the account exists before its last step, which is one transaction.

Who has an invite (`inviting.py`) proves no contact. The invite is used up by the last step, so that a registration that is given up costs none, and ten recovery codes
take the contact's place.
"""

import hmac
from dataclasses import dataclass

import structlog

from garita_common.core import ids
from garita_common.core.bans import Ban

from . import store_accounts, store_factors, store_flows, store_invites, store_outbox
from .audit import Audit
from .ban_watch import BanWatch, refuse
from .banned_contacts import BannedContacts
from .challenges import Challenges
from .core import answers, codes, identifiers, passwords, texts
from .core.codes import Step
from .core.identifiers import Contact, ContactKind
from .core.problems import (
    CodeInvalid,
    Contradicted,
    FlowGone,
    InvalidRequest,
    RegistrationClosed,
    UsernameTaken,
    WeakPassword,
)
from .core.requests import CompleteRegistration, Locale, StartRegistration, VerifyRegistration
from .core.saved_codes import SavedCode
from .core.sealing import digest
from .hashing import HashPool
from .inviting import name_of
from .limits import Limit, Limiter
from .outbox import Asked, Outbox
from .parts import Caller, Parts
from .second_factors import SecondFactors
from .sessions import DAY_MS, Opened, Sessions
from .store import Db
from .store_accounts import Account, NewAccount, NewContact
from .store_flows import Flow, FlowContact
from .text_price import TextPrice

log = structlog.get_logger()

NO_WAY = "Registration is closed: this server sends neither mail nor SMS, so it cannot prove an address. Ask its operator for an invite."
ONE_WAY = {
    ContactKind.EMAIL: "This server sends no mail: register with a phone number.",
    ContactKind.PHONE: "This server sends no SMS: register with an e-mail address.",
}


@dataclass(frozen=True, slots=True)
class Registered:
    """A new account. `codes`: its recovery codes, where it has no contact."""

    account: Account
    opened: Opened
    codes: list[str] | None


class Registration:
    """The three steps."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        challenges: Challenges,
        hashes: HashPool,
        outbox: Outbox,
        bans: BanWatch,
        second: SecondFactors,
        banned: BannedContacts,
        audit: Audit,
        price: TextPrice,
    ) -> None:
        """Args: outbox: must reach people, or registration is closed but to invites; second: makes recovery codes;
        banned: knows whose contacts may not register; price: what a text costs.
        """
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._challenges = challenges
        self._hashes = hashes
        self._outbox = outbox
        self._bans = bans
        self._second = second
        self._banned = banned
        self._audit = audit
        self._price = price
        self._hourly = Limit("registration_prefix_hour", parts.config.registrations_per_prefix_per_h, 3600)
        self._daily = Limit("registration_prefix_day", parts.config.registrations_per_prefix_per_day, 86_400)

    async def start(self, body: StartRegistration, caller: Caller) -> answers.FlowStarted:
        """Begins a registration, or looks as if.

        Raises:
            RegistrationClosed, Banned, InvalidRequest, WeakPassword, ProofRequired, TooMany, Overloaded: as their names say.
        """
        if not self._outbox.delivers:
            raise RegistrationClosed(NO_WAY)
        self._bans.demand_book()
        self._bans.refuse_address(caller)
        contact = identifiers.one_contact(body.email, body.phone)
        if not self._outbox.reaches(contact.kind):
            raise RegistrationClosed(ONE_WAY[contact.kind])
        await self._admit(body, passwords.words_of(contact.value), caller)
        flow_id, secret = self._parts.new_id(), self._parts.new_secret().hex()
        if body.honeypot:
            self._count("honeypot")
        else:
            await self._store(flow_id, secret, contact, body, caller)
        return answers.FlowStarted(flow_id=flow_id, flow_secret=secret, expires_in=codes.CODE_LIFETIME_MS // 1000)

    async def start_invited(self, body: StartRegistration, invite: str, caller: Caller) -> answers.Invited:
        """Begins a registration with an invite, which it does not use up.

        Raises:
            CodeInvalid: no such invite, or it was used or is over.
            Banned, InvalidRequest, WeakPassword, ProofRequired, TooMany, Overloaded: as their names say.
        """
        self._bans.demand_book()
        self._bans.refuse_address(caller)
        if body.email is not None or body.phone is not None:
            raise InvalidRequest("An invite is used without email and phone; they can be added to the account.")
        await self._admit(body, [], caller)
        parts, shown = self._parts, digest(invite.encode())
        if not await store_invites.is_good(parts.store.reading, shown, parts.now_ms()):
            self._count("bad_invite")
            raise CodeInvalid("This invite is not good, or it was used before.")
        ticket, now_ms = parts.new_secret().hex(), parts.now_ms()
        flow = Flow(
            id=parts.new_id(),
            secret_hash=digest(parts.new_secret()),
            contact=None,
            invite=shown,
            password_hash=await self._hashes.hash(body.password),
            locale=body.locale,
            tries=codes.MAX_TRIES,
            ticket_hash=digest(ticket.encode()),
            expires_ms=now_ms + codes.TICKET_LIFETIME_MS,
        )
        async with parts.store.writing() as tx:
            await store_flows.add_flow(tx, flow, now_ms)
            await self._audit.write(tx, "register.started", caller=caller, flow=flow.id, invite=name_of(shown))
        self._count("invited")
        return answers.Invited(flow_id=flow.id, registration_ticket=ticket, expires_in=codes.TICKET_LIFETIME_MS // 1000)

    async def verify(self, flow_id: str, body: VerifyRegistration) -> answers.Verified:
        """Proves the contact.

        Raises:
            CodeInvalid: a wrong code, with tries left or not.
            FlowGone: no such registration, or not any more.
        """
        parts = self._parts
        ticket = parts.new_secret().hex()
        now_ms = parts.now_ms()
        async with parts.store.writing() as tx:
            flow = await store_flows.flow(tx, flow_id)
            step = codes.judge(self._waiting(flow, body), now_ms)
            if step is Step.PROVED:
                if flow is not None and flow.contact is not None:
                    await store_outbox.confirm(tx, flow.contact.mark)
                await store_flows.prove_flow(tx, flow_id, digest(ticket.encode()), now_ms + codes.TICKET_LIFETIME_MS)
                await self._audit.write(tx, "register.verified", flow=flow_id)
            elif step is Step.WRONG:
                await store_flows.count_try(tx, flow_id)
        self._count("code_" + step.name.lower())
        if step is Step.WRONG:
            raise CodeInvalid
        if step is Step.GONE:
            raise FlowGone
        return answers.Verified(registration_ticket=ticket, expires_in=codes.TICKET_LIFETIME_MS // 1000)

    async def complete(self, flow_id: str, body: CompleteRegistration, caller: Caller) -> Registered:
        """Makes the account and its first session.

        Raises:
            InvalidRequest: a name that nobody can have.
            FlowGone: no such registration, or not any more; or its invite was used meanwhile.
            UsernameTaken: somebody has that name; the registration goes on.
            Contradicted: the contact got an account meanwhile.
            Overloaded: no room for the hashes of recovery codes.
        """
        self._bans.refuse_address(caller)
        username = identifiers.parse_username(body.username)
        display_name = identifiers.parse_display_name(body.display_name, username)
        skeleton = identifiers.skeleton(username)
        parts = self._parts
        begun = await self._free(parts.store.reading, flow_id, body.ticket, skeleton)
        made = await self._second.make_set() if begun.contact is None else []
        async with parts.store.writing() as tx:
            flow = await self._free(tx, flow_id, body.ticket, skeleton)
            account = await self._add(tx, flow, username, skeleton, display_name)
            await self._settle(tx, flow, account, made)
            await store_flows.end_flow(tx, flow_id)
            opened = await self._sessions.open(tx, account, caller, device=None, amr=["pwd"], registers=True)
            await self._audit.write(
                tx, "register.completed", actor=opened.session.device, subject=account.id, caller=caller, flow=flow_id
            )
        self._count("completed")
        log.info("registered", user=account.id)
        return Registered(account, opened, [code.text for code, _ in made] or None)

    async def _admit(self, body: StartRegistration, words: list[str], caller: Caller) -> None:
        """What every registration has to bring. Args: words: that a password must not be made of."""
        weak = passwords.weaknesses(body.password, words)
        if weak:
            raise WeakPassword([weakness.value for weakness in weak])
        if body.phone is None:
            await self._challenges.take(body.captcha, "register", caller)
        else:
            mark = self._parts.seals.mark("contact", identifiers.parse_phone(body.phone).key)
            await self._price.take([f"number:{mark.hex()}"], body.captcha, body.picture, "register", body.phone, caller)
        if caller.counted:
            await self._limiter.take(self._hourly, caller.unit)
            await self._limiter.take(self._daily, caller.unit)

    async def _free(self, db: Db, flow_id: str, ticket: str, skeleton: str) -> Flow:
        """The registration of this ticket, if its contact and the name are nobody's."""
        flow = await store_flows.flow(db, flow_id)
        if flow is None or not self._ticket_fits(flow, ticket):
            raise FlowGone
        if flow.contact is not None:
            refuse(await self._banned.ban_of(db, flow.contact.mark))
            if await store_accounts.has_contact(db, flow.contact.mark):
                raise Contradicted
        if await store_accounts.has_name(db, skeleton):
            raise UsernameTaken
        return flow

    async def _settle(self, tx: Db, flow: Flow, account: Account, made: list[tuple[SavedCode, str]]) -> None:
        """What an account has instead of a contact: its invite is used up, and ten codes count at once."""
        if flow.invite is None:
            return
        now_ms = self._parts.now_ms()
        if not await store_invites.use(tx, flow.invite, account.id, now_ms):
            raise FlowGone
        hashes = [(code.selector, hashed) for code, hashed in made]
        await store_factors.add_codes(tx, account.id, self._parts.new_id(), hashes, now_ms, now_ms)
        await self._audit.write(tx, "invite.used", subject=account.id, invite=name_of(flow.invite))

    async def _store(
        self, flow_id: str, secret: str, contact: Contact, body: StartRegistration, caller: Caller
    ) -> None:
        parts = self._parts
        password_hash = await self._hashes.hash(body.password)
        code = codes.code_from(parts.random_below(10**codes.CODE_DIGITS))
        mark = parts.seals.mark("contact", contact.key)
        now_ms = parts.now_ms()
        async with parts.store.writing() as tx:
            earlier = await store_flows.flows_of_contact(tx, mark, now_ms - DAY_MS)
            is_quiet = earlier >= parts.config.registrations_per_contact_per_day
            is_taken = await store_accounts.has_contact(tx, mark)
            ban = await self._banned.ban_of(tx, mark)
            is_decoy = is_quiet or is_taken or ban is not None
            flow = Flow(
                id=flow_id,
                secret_hash=digest(secret.encode()),
                contact=FlowContact(contact.kind, mark, parts.seal("flow-contact", flow_id, contact.value.encode())),
                password_hash=password_hash,
                locale=body.locale,
                code_mark=None if is_decoy else parts.seals.mark("code", flow_id, code),
                expires_ms=now_ms + codes.CODE_LIFETIME_MS,
            )
            await store_flows.add_flow(tx, flow, now_ms)
            if not is_quiet:
                text = _message(body.locale, code, ban, is_taken=is_taken)
                await self._outbox.post(
                    tx, contact.kind, contact.value, text, code=None if is_taken else code, asked=Asked(caller)
                )
            outcome = "quiet" if is_quiet else "banned" if ban else "taken" if is_taken else "started"
            await self._audit.write(tx, "register.started", caller=caller, flow=flow_id, outcome=outcome)
        self._count(outcome)

    def _waiting(self, flow: Flow | None, body: VerifyRegistration) -> codes.Waiting:
        """The comparisons, made whether or not there is anything to compare with."""
        secret_hash = flow.secret_hash if flow else bytes(32)
        code_mark = flow.code_mark if flow and flow.code_mark else bytes(32)
        shown = self._parts.seals.mark("code", flow.id if flow else "", body.code)
        return codes.Waiting(
            proved=flow is not None and flow.ticket_hash is not None,
            tries=flow.tries if flow else 0,
            expires_ms=flow.expires_ms if flow else 0,
            secret_fits=hmac.compare_digest(secret_hash, digest(body.flow_secret.encode())),
            code_fits=hmac.compare_digest(code_mark, shown),
        )

    def _ticket_fits(self, flow: Flow, ticket: str) -> bool:
        if flow.ticket_hash is None or flow.expires_ms <= self._parts.now_ms():
            return False
        return hmac.compare_digest(flow.ticket_hash, digest(ticket.encode()))

    async def _add(self, tx: Db, flow: Flow, username: str, skeleton: str, display_name: str) -> Account:
        parts = self._parts
        new = NewAccount(
            id=ids.user_id(parts.entropy(ids.ID_BYTES)),
            username=username,
            skeleton=skeleton,
            display_name=display_name,
            locale=flow.locale,
            password_hash=flow.password_hash,
            contact=self._contact(flow),
        )
        await store_accounts.add(tx, new, parts.now_ms())
        account = await store_accounts.by_id(tx, new.id)
        if account is None:
            raise LookupError("an account inserted in this transaction is not there")
        return account

    def _contact(self, flow: Flow) -> NewContact | None:
        """The proved contact, sealed anew for the account."""
        if flow.contact is None:
            return None
        parts, contact_id = self._parts, self._parts.new_id()
        value = parts.seals.open("flow-contact", flow.id, flow.contact.sealed)
        sealed = parts.seal("contact", contact_id, value)
        return NewContact(contact_id, flow.contact.kind.value, flow.contact.mark, sealed)

    def _count(self, step: str) -> None:
        self._parts.metrics.registrations.labels(step).inc()


def _message(locale: Locale, code: str, ban: Ban | None, *, is_taken: bool) -> str:
    if ban is not None:
        return texts.banned_contact(locale, ban.until_ms, ban.appeal)
    return texts.already_registered(locale) if is_taken else texts.registration_code(locale, code)
