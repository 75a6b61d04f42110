"""Registration: a contact is proved, then a name chosen, then there is an account with its first session.

An address that already has an account cannot be told from one that has none: the same work, the same answer, and a message either way, to its owner alone. Nothing
of the account exists before its last step, which is one transaction.
"""

import hmac

import structlog

from garita_common.core import ids

from . import store_accounts, store_flows, store_outbox
from .ban_watch import BanWatch
from .challenges import Challenges
from .core import answers, codes, identifiers, passwords, texts
from .core.codes import Step
from .core.identifiers import Contact, ContactKind
from .core.problems import (
    CodeInvalid,
    Contradicted,
    FlowGone,
    RegistrationClosed,
    UsernameTaken,
    WeakPassword,
)
from .core.requests import CompleteRegistration, StartRegistration, VerifyRegistration
from .core.sealing import digest
from .hashing import HashPool
from .limits import Limit, Limiter
from .outbox import Asked, Outbox
from .parts import Caller, Parts
from .sessions import DAY_MS, Opened, Sessions
from .store import Db
from .store_accounts import Account, NewAccount
from .store_flows import Flow

log = structlog.get_logger()

NO_WAY = "Registration is closed: this server sends neither mail nor SMS, so it cannot prove an address. Ask its operator for an invite."
ONE_WAY = {
    ContactKind.EMAIL: "This server sends no mail: register with a phone number.",
    ContactKind.PHONE: "This server sends no SMS: register with an e-mail address.",
}


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
    ) -> None:
        """Args: outbox: must reach people, or registration is closed."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._challenges = challenges
        self._hashes = hashes
        self._outbox = outbox
        self._bans = bans
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
        weak = passwords.weaknesses(body.password, passwords.words_of(contact.value))
        if weak:
            raise WeakPassword([weakness.value for weakness in weak])
        await self._challenges.take(body.captcha, "register", caller)
        if caller.counted:
            await self._limiter.take(self._hourly, caller.unit)
            await self._limiter.take(self._daily, caller.unit)
        flow_id, secret = self._parts.new_id(), self._parts.new_secret().hex()
        if body.honeypot:
            self._count("honeypot")
        else:
            await self._store(flow_id, secret, contact, body, caller)
        return answers.FlowStarted(flow_id=flow_id, flow_secret=secret, expires_in=codes.CODE_LIFETIME_MS // 1000)

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
                if flow is not None:
                    await store_outbox.confirm(tx, flow.contact_mark)
                await store_flows.prove_flow(tx, flow_id, digest(ticket.encode()), now_ms + codes.TICKET_LIFETIME_MS)
            elif step is Step.WRONG:
                await store_flows.count_try(tx, flow_id)
        self._count("code_" + step.name.lower())
        if step is Step.WRONG:
            raise CodeInvalid
        if step is Step.GONE:
            raise FlowGone
        return answers.Verified(registration_ticket=ticket, expires_in=codes.TICKET_LIFETIME_MS // 1000)

    async def complete(self, flow_id: str, body: CompleteRegistration, caller: Caller) -> tuple[Account, Opened]:
        """Makes the account and its first session.

        Raises:
            InvalidRequest: a name that nobody can have.
            FlowGone: no such registration, or not any more.
            UsernameTaken: somebody has that name; the registration goes on.
            Contradicted: the contact got an account meanwhile.
        """
        self._bans.refuse_address(caller)
        username = identifiers.parse_username(body.username)
        display_name = identifiers.parse_display_name(body.display_name, username)
        skeleton = identifiers.skeleton(username)
        parts = self._parts
        async with parts.store.writing() as tx:
            flow = await store_flows.flow(tx, flow_id)
            if flow is None or not self._ticket_fits(flow, body.ticket):
                raise FlowGone
            if await store_accounts.has_contact(tx, flow.contact_mark):
                raise Contradicted
            if await store_accounts.has_name(tx, skeleton):
                raise UsernameTaken
            account = await self._add(tx, flow, username, skeleton, display_name)
            await store_flows.end_flow(tx, flow_id)
            opened = await self._sessions.open(tx, account, caller, device=None, amr=["pwd"], registers=True)
        self._count("completed")
        log.info("registered", user=account.id)
        return account, opened

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
            is_decoy = is_quiet or is_taken
            flow = Flow(
                id=flow_id,
                secret_hash=digest(secret.encode()),
                contact_kind=contact.kind,
                contact_mark=mark,
                sealed_contact=parts.seal("flow-contact", flow_id, contact.value.encode()),
                password_hash=password_hash,
                locale=body.locale,
                code_mark=None if is_decoy else parts.seals.mark("code", flow_id, code),
                tries=0,
                ticket_hash=None,
                expires_ms=now_ms + codes.CODE_LIFETIME_MS,
            )
            await store_flows.add_flow(tx, flow, now_ms)
            if not is_quiet:
                text = texts.already_registered(body.locale) if is_taken else texts.registration_code(body.locale, code)
                await self._outbox.post(tx, contact.kind, contact.value, text, asked=Asked(caller))
        self._count("quiet" if is_quiet else "taken" if is_taken else "started")

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
        contact = parts.seals.open("flow-contact", flow.id, flow.sealed_contact)
        contact_id = parts.new_id()
        new = NewAccount(
            id=ids.user_id(parts.entropy(ids.ID_BYTES)),
            username=username,
            skeleton=skeleton,
            display_name=display_name,
            locale=flow.locale,
            password_hash=flow.password_hash,
            contact_id=contact_id,
            contact_kind=flow.contact_kind.value,
            contact_mark=flow.contact_mark,
            sealed_contact=parts.seal("contact", contact_id, contact),
        )
        await store_accounts.add(tx, new, parts.now_ms())
        account = await store_accounts.by_id(tx, new.id)
        if account is None:
            raise LookupError("an account inserted in this transaction is not there")
        return account

    def _count(self, step: str) -> None:
        self._parts.metrics.registrations.labels(step).inc()
