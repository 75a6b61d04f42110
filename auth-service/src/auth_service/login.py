"""Login: a name and a password, then a second factor where there is one.

Order matters. The cheap questions come first (address, name's tries, proof of work), the hash last, and the same ones for a name of nobody. A try is counted
before it is made. Which of unknown, locked and wrong it was is nowhere in the answer, and in no message either.
"""

from dataclasses import dataclass

import structlog

from . import store_accounts, store_flows, store_sessions
from .admitting import Admitting, Shut, Tried
from .ban_watch import BanWatch
from .changes import Changes
from .contact_codes import ContactCodes
from .core.answers import MethodName
from .core.attempts import Policy, Verdict
from .core.events import Kind
from .core.factors import MAIL, PASSWORD, SMS, WORDS, Method
from .core.identifiers import ContactKind, parse_identifier
from .core.problems import InvalidCode, InvalidCredentials, Overloaded, TooMany
from .core.requests import LogIn, LogInCode, LogInSecond, LogInText
from .core.sealing import digest
from .devices import Devices
from .hashing import HashPool
from .limits import Limit, Limiter, Reserved
from .login_codes import LoginCodes
from .outcomes import Outcomes
from .parts import Caller, Parts
from .second_factors import SecondFactors, Used, Weighed
from .sessions import Opened, Sessions
from .store import Db
from .store_accounts import Account
from .store_flows import MAX_MISSES, Ticket, purpose_of
from .strangers import Strangers

log = structlog.get_logger()

TICKET_LIFETIME_MS = 5 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """The password was right; the ticket stands for it at the second factor."""

    mfa_ticket: str
    methods: list[MethodName]


class Login:
    """Both steps of a login."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        admitting: Admitting,
        strangers: Strangers,
        hashes: HashPool,
        factors: SecondFactors,
        changes: Changes,
        bans: BanWatch,
        outcomes: Outcomes,
        codes: ContactCodes,
        login_codes: LoginCodes,
        devices: Devices,
    ) -> None:
        """Args: admitting: takes what a try has to bring; changes: tells the owner; outcomes: tells others what succeeded and failed; codes: go to
        old contacts where a password is not enough, and confirm the device (devices).
        """
        config = parts.config
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._admitting = admitting
        self._strangers = strangers
        self._hashes = hashes
        self._factors = factors
        self._changes = changes
        self._bans = bans
        self._outcomes = outcomes
        self._codes = codes
        self._login_codes = login_codes
        self._devices = devices
        self._per_prefix = Limit("login_prefix", config.logins_per_prefix_per_min, 60)
        self._mfa_daily = Limit("mfa_account_day", config.mfa_per_account_per_day, 86_400)
        self._mfa_hourly = Policy(None, None, config.mfa_per_account_per_h, 15 * 60_000)

    async def first(self, body: LogIn, hint: str | None, caller: Caller) -> tuple[Account, Opened] | Wanted:
        """Checks name and password.

        Raises:
            InvalidCredentials: unknown, locked or wrong.
            ProofRequired, TooMany, Banned, Overloaded: as their names say.
        """
        with self._hashes.coming():
            tried = await self._admitted(body, hint, caller)
        tag, account, device = tried.tag, tried.account, tried.device
        stored = account.password_hash if account and account.active else None
        try:
            is_right = await self._hashes.verify(stored, body.password)
        except Overloaded:
            await self._admitting.was_right(tried)
            raise
        owner = account if is_right else None
        if owner is None:
            self._outcomes.failed(tag, device, caller, "shut" if tried.is_shut else "password")
            if tried.newly and account is not None:
                await self._tell_guessed(account)
            if not tried.is_shut:
                raise InvalidCredentials
        elif not tried.is_shut:
            await self._admitting.was_right(tried)
            self._bans.refuse_person(owner.id, device or "")
            await self._renew_hash(owner, body.password)
        return await self._pass(owner, tried, caller)

    async def _admitted(self, body: LogIn, hint: str | None, caller: Caller) -> Tried:
        """What a try has to bring before its password is looked at."""
        self._bans.refuse_address(caller)
        if caller.counted:
            await self._limiter.take(self._per_prefix, caller.unit)
        parts = self._parts
        named = parse_identifier(body.identifier)
        tag = parts.seals.mark("identifier", named.key).hex()
        reading = parts.store.reading
        account = await store_accounts.find(reading, named, parts.seals.mark("contact", named.key))
        mark = self._sessions.device_mark(hint or "")
        device = await store_sessions.known_device(reading, account.id if account else "", mark)
        try:
            return await self._admitting.admit(body, tag, account, device, caller)
        except Shut:
            self._outcomes.failed(tag, device, caller, "shut")
            raise

    async def _pass(self, owner: Account | None, tried: Tried, caller: Caller) -> tuple[Account, Opened] | Wanted:
        """What the password opens. Args: owner: None where it was wrong and nobody is to know."""
        methods = await self._factors.methods(self._parts.store.reading, owner.id if owner else "")
        if tried.needs_code:
            return await self._shut_ticket(owner, tried, caller, with_code=not methods)
        if owner is None:
            raise InvalidCredentials
        if methods and not await self._devices.is_trusted(self._parts.store.reading, owner.id, tried.device):
            names: list[MethodName] = [method.value for method in methods]
            if await self._offers_text(owner.id):
                names.append("sms")
            ticket = Ticket(owner.id, tried.device, self._ends_ms(), shut=False, tag=tried.tag)
            async with self._parts.store.writing() as tx:
                return await self._ticket(tx, ticket, names)
        return await self._open(owner, tried.device, caller, [PASSWORD], tried.tag)

    async def _offers_text(self, user: str) -> bool:
        reading = self._parts.store.reading
        return await self._factors.takes_texts(reading, user) and await self._codes.has_phone(reading, user)

    async def _shut_ticket(self, owner: Account | None, tried: Tried, caller: Caller, *, with_code: bool) -> Wanted:
        """The same for a right password, a wrong one and a name of nobody; a code leaves after a right one alone."""
        ticket = Ticket(owner.id if owner else None, None, self._ends_ms(), shut=True, tag=tried.tag)
        async with self._parts.store.writing() as tx:
            wanted = await self._ticket(tx, ticket, [*(method.value for method in Method), "code"])
        if owner is not None and with_code:
            self._login_codes.ask(owner, purpose_of(digest(wanted.mfa_ticket.encode())), caller)
        return wanted

    async def _tell_guessed(self, account: Account) -> None:
        async with self._parts.store.writing() as tx:
            await self._changes.note(tx, account.id, Kind.PASSWORD_GUESSED, "")

    def _ends_ms(self) -> int:
        return self._parts.now_ms() + TICKET_LIFETIME_MS

    async def second(self, body: LogInSecond, caller: Caller) -> tuple[Account, Opened, Used | None]:
        """Checks the second factor of a ticket.

        Raises:
            InvalidCode: it does not fit, was used, or the ticket has ended.
            TooMany: too many wrong ones of this account.
            Banned: the address or the user is.
            Overloaded: no room for a hash.
        """
        self._bans.refuse_address(caller)
        reading = self._parts.store.reading
        ticket_hash = digest(body.mfa_ticket.encode())
        ticket = await store_flows.ticket(reading, ticket_hash)
        if ticket is None or not ticket.is_alive(self._parts.now_ms()):
            raise InvalidCode
        account = await store_accounts.by_id(reading, ticket.user or "")
        if account is not None:
            self._bans.refuse_person(account.id, ticket.device or "")
        key = f"{ticket.user or ticket.tag}:{'known' if ticket.device else 'unknown'}"
        reserved = await self._limiter.reserve(f"mfa:{key}", self._parts.new_id(), self._mfa_hourly)
        self._refuse_shut(reserved, "mfa_account_hour")
        await self._limiter.take(self._mfa_daily, key)
        try:
            weighed = None
            if not isinstance(body, LogInCode | LogInText):
                weighed = await self._factors.weigh(ticket.user or "", body, purpose_of(ticket_hash))
        except Overloaded:
            await self._limiter.forgive(reserved)
            await self._limiter.wait_s(self._mfa_daily, key, -1)
            raise
        accepted = await self._accept(ticket_hash, body, weighed, account, caller)
        if accepted is None or account is None:
            self._outcomes.failed(ticket.tag, ticket.device, caller, "second_factor")
            raise InvalidCode
        opened, used = accepted
        await self._limiter.forgive(reserved)
        await self._limiter.wait_s(self._mfa_daily, key, -1)
        if ticket.shut:
            await self._strangers.owner_came(account)
        await self._outcomes.welcome(account, opened, ticket.device, caller, ticket.tag)
        return account, opened, used

    def _refuse_shut(self, reserved: Reserved, limit: str) -> None:
        if reserved.judged.verdict is Verdict.SHUT:
            self._parts.metrics.limits.labels(limit).inc()
            raise TooMany(limit, (reserved.judged.shut_until_ms - self._parts.now_ms()) // 1000 + 1)

    async def _ticket(self, tx: Db, row: Ticket, methods: list[MethodName]) -> Wanted:
        ticket = self._parts.new_secret().hex()
        await store_flows.add_ticket(tx, digest(ticket.encode()), row)
        self._parts.metrics.logins.labels("shut" if row.shut else "second_factor_wanted").inc()
        return Wanted(ticket, methods)

    async def _accept(
        self, ticket_hash: bytes, body: LogInSecond, weighed: Weighed | None, account: Account | None, caller: Caller
    ) -> tuple[Opened, Used | None] | None:
        """One transaction: the ticket, the factor and the new session, or one miss more."""
        async with self._parts.store.writing() as tx:
            ticket = await store_flows.ticket(tx, ticket_hash)
            if ticket is None or not ticket.is_alive(self._parts.now_ms()):
                return None
            opened = None
            if account is not None and account.active:
                if isinstance(body, LogInCode | LogInText):
                    opened = await self._by_code(tx, ticket, ticket_hash, body, account, caller)
                else:
                    opened = await self._by_factor(tx, ticket, weighed, account, caller)
            if opened is None:
                await store_flows.count_miss(tx, ticket_hash)
                if ticket.user is not None and ticket.misses + 1 >= MAX_MISSES:
                    await self._changes.note(tx, ticket.user, Kind.SECOND_FACTOR_MISSED, "", device=ticket.device)
                return None
            await store_flows.use_ticket(tx, ticket_hash)
            if not isinstance(body, LogInCode) and body.trust_device:
                await self._devices.trust(tx, opened[0].session.device)
            return opened

    async def _by_factor(
        self, tx: Db, ticket: Ticket, weighed: Weighed | None, account: Account, caller: Caller
    ) -> tuple[Opened, Used | None] | None:
        # Whoever has saved codes but no second factor was sent a code: that is what passes a shut name then.
        if weighed is None or (ticket.shut and not await self._factors.methods(tx, account.id)):
            return None
        used = await self._factors.use(tx, account.id, weighed)
        if used is None:
            return None
        amr = [PASSWORD, WORDS[used.method]]
        opened = await self._sessions.open(tx, account, caller, device=ticket.device, amr=amr, factor=used.factor)
        return opened, used

    async def _by_code(
        self, tx: Db, ticket: Ticket, ticket_hash: bytes, body: LogInCode | LogInText, account: Account, caller: Caller
    ) -> tuple[Opened, Used | None] | None:
        """A code to an old contact passes a shut name, where the account has no second factor; where it has one, a text is the last choice of it.

        Either confirms the device; neither is the second proof that changing factors wants.
        """
        if isinstance(body, LogInText):
            is_wanted = not ticket.shut and await self._factors.takes_texts(tx, account.id)
        else:
            is_wanted = ticket.shut and not await self._factors.methods(tx, account.id)
        if not is_wanted:
            return None
        contact = await self._codes.use(tx, account.id, purpose_of(ticket_hash), body.code)
        if contact is None:
            return None
        word = SMS if contact.kind is ContactKind.PHONE else MAIL
        opened = await self._sessions.open(tx, account, caller, device=ticket.device, amr=[PASSWORD, word])
        await self._devices.confirm(tx, account.id, opened.session.device, contact.id)
        return opened, None

    async def _open(
        self, account: Account, device: str | None, caller: Caller, amr: list[str], tag: str
    ) -> tuple[Account, Opened]:
        async with self._parts.store.writing() as tx:
            opened = await self._sessions.open(tx, account, caller, device=device, amr=amr)
        await self._outcomes.welcome(account, opened, device, caller, tag)
        return account, opened

    async def _renew_hash(self, account: Account, password: str) -> None:
        """Hashes the password anew where the parameters have changed since; not now if there is no room."""
        if not self._hashes.is_outdated(account.password_hash):
            return
        try:
            fresh = await self._hashes.hash(password)
        except Overloaded:
            return
        async with self._parts.store.writing() as tx:
            await store_accounts.set_password_hash(tx, account.id, account.password_hash, fresh)
