"""Login: a name and a password, then a second factor where there is one.

Order matters. The cheap questions come first (address, name's tries, proof of work), the hash last, and the same ones for a name of nobody. A try is counted
before it is made. Which of unknown, locked and wrong it was is nowhere in the answer, and in no message either.
"""

from dataclasses import dataclass

import structlog

from garita_common.core import activity
from garita_common.emitter import Emitter

from . import store_accounts, store_flows, store_sessions
from .ban_watch import BanWatch
from .ceremonies import LIFETIME_S
from .challenges import Challenges
from .changes import Changes
from .core import answers
from .core.attempts import Policy, Verdict
from .core.events import Kind
from .core.factors import PASSWORD, WORDS, Method
from .core.identifiers import parse_identifier, skeleton
from .core.problems import InvalidCode, InvalidCredentials, Overloaded, ProofRequired, TooMany
from .core.requests import AskPasskey, LogIn, LogInByPasskey, LogInSecond
from .core.sealing import digest
from .hashing import HashPool
from .limits import Limit, Limiter, Reserved
from .parts import Caller, Parts
from .pictures import Pictures
from .second_factors import SecondFactors, Used, Weighed
from .sessions import Opened, Sessions
from .store_accounts import Account
from .store_flows import Ticket

log = structlog.get_logger()

PICTURE_FACTOR = 4
KINDS = ("image", "audio")
TICKET_LIFETIME_MS = 5 * 60 * 1000
MAX_MISSES = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """The password was right; the ticket stands for it at the second factor."""

    mfa_ticket: str
    methods: list[Method]


class Login:
    """Both steps of a login."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        challenges: Challenges,
        pictures: Pictures,
        hashes: HashPool,
        factors: SecondFactors,
        changes: Changes,
        bans: BanWatch,
        emitter: Emitter,
    ) -> None:
        """Args: changes: tells the owner; emitter: tells the detector what succeeded and failed."""
        config = parts.config
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._challenges = challenges
        self._pictures = pictures
        self._hashes = hashes
        self._factors = factors
        self._changes = changes
        self._bans = bans
        self._emitter = emitter
        self._per_prefix = Limit("login_prefix", config.logins_per_prefix_per_min, 60)
        self._mfa_daily = Limit("mfa_account_day", config.mfa_per_account_per_day, 86_400)
        self._strangers = Policy(
            config.login_proof_after,
            None,
            config.login_shut_after_per_h,
            config.login_shut_min * 60_000,
            config.login_picture_after,
        )
        self._device = Policy(None, config.device_shut_after_per_15_min, None, config.device_shut_min * 60_000)
        self._mfa_hourly = Policy(None, None, config.mfa_per_account_per_h, 15 * 60_000)

    async def first(self, body: LogIn, hint: str | None, caller: Caller) -> tuple[Account, Opened] | Wanted:
        """Checks name and password.

        Raises:
            InvalidCredentials: unknown, locked or wrong.
            ProofRequired, TooMany, Banned, Overloaded: as their names say.
        """
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
        reserved = await self._reserve(tag, device, body, caller)
        try:
            stored = account.password_hash if account and account.active else None
            is_right = await self._hashes.verify(stored, body.password)
        except Overloaded:
            await self._limiter.forgive(reserved)
            raise
        if not is_right or account is None:
            self._failed(tag, device, caller, "password")
            raise InvalidCredentials
        await self._limiter.forgive(reserved)
        self._bans.refuse_person(account.id, device or "")
        await self._renew_hash(account, body.password)
        methods = await self._factors.methods(reading, account.id)
        if methods:
            return await self._ticket(account, device, methods)
        return await self._open(account, device, caller, [PASSWORD], tag)

    async def second(self, body: LogInSecond, caller: Caller) -> tuple[Account, Opened, Used]:
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
        account = await store_accounts.by_id(reading, ticket.user) if ticket else None
        if ticket is None or account is None or not account.active or not self._is_alive(ticket):
            raise InvalidCode
        self._bans.refuse_person(account.id, ticket.device or "")
        key = f"{account.id}:{'known' if ticket.device else 'unknown'}"
        reserved = await self._limiter.reserve(f"mfa:{key}", self._parts.new_id(), self._mfa_hourly)
        self._refuse_shut(reserved, "mfa_account_hour")
        await self._limiter.take(self._mfa_daily, key)
        tag = self._parts.seals.mark("identifier", "name:" + skeleton(account.username)).hex()
        try:
            weighed = await self._factors.weigh(account.id, body, f"mfa:{ticket_hash.hex()}")
        except Overloaded:
            await self._limiter.forgive(reserved)
            await self._limiter.wait_s(self._mfa_daily, key, -1)
            raise
        accepted = await self._accept(ticket_hash, weighed, account, caller)
        if accepted is None:
            self._failed(tag, ticket.device, caller, "second_factor")
            raise InvalidCode
        opened, used = accepted
        await self._limiter.forgive(reserved)
        await self._limiter.wait_s(self._mfa_daily, key, -1)
        await self._welcome(account, opened, ticket.device, caller, tag)
        return account, opened, used

    async def passkey_options(self, body: AskPasskey, caller: Caller) -> answers.PasskeyOptions:
        """What a browser needs to log in with a passkey: with any that it has for us, or with one of those of a ticket's account.

        Raises:
            InvalidCode: the ticket has ended, or its account has no passkey.
            TooMany, Banned, Overloaded: as their names say.
            Contradicted: the server has no host name.
        """
        self._bans.refuse_address(caller)
        if caller.counted:
            await self._limiter.take(self._per_prefix, caller.unit)
        if body.mfa_ticket is None:
            flow = self._parts.new_id()
            options = await self._factors.options("", f"login:{flow}")
            return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S, flow_id=flow)
        ticket_hash = digest(body.mfa_ticket.encode())
        reading = self._parts.store.reading
        ticket = await store_flows.ticket(reading, ticket_hash)
        if ticket is None or not self._is_alive(ticket):
            raise InvalidCode
        if Method.PASSKEY not in await self._factors.methods(reading, ticket.user):
            raise InvalidCode
        options = await self._factors.options(ticket.user, f"mfa:{ticket_hash.hex()}")
        return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S)

    async def by_passkey(self, body: LogInByPasskey, hint: str | None, caller: Caller) -> tuple[Account, Opened]:
        """A whole login with a passkey, which is two factors by itself: something that one has, and what unlocks it.

        Raises:
            InvalidCredentials: unknown, copied, not for this flow, or its account is locked.
            TooMany, Banned, Overloaded: as their names say.
        """
        self._bans.refuse_address(caller)
        if caller.counted:
            await self._limiter.take(self._per_prefix, caller.unit)
        weighed = await self._factors.weigh_passkey(body.credential, f"login:{body.flow_id}")
        reading = self._parts.store.reading
        account = await store_accounts.by_id(reading, weighed.passkey.user) if weighed else None
        if weighed is None or account is None or not account.active:
            tag = self._parts.seals.mark("identifier", "passkey:" + body.credential.raw_id).hex()
            self._failed(tag, None, caller, "passkey")
            raise InvalidCredentials
        device = await store_sessions.known_device(reading, account.id, self._sessions.device_mark(hint or ""))
        self._bans.refuse_person(account.id, device or "")
        tag = self._parts.seals.mark("identifier", "name:" + skeleton(account.username)).hex()
        async with self._parts.store.writing() as tx:
            used = await self._factors.use(tx, account.id, weighed)
            if used is None:
                raise InvalidCredentials
            amr = [WORDS[used.method]]
            opened = await self._sessions.open(tx, account, caller, device=device, amr=amr, factor=used.factor)
        await self._welcome(account, opened, device, caller, tag)
        return account, opened

    async def _reserve(self, tag: str, device: str | None, body: LogIn, caller: Caller) -> Reserved:
        """Counts the try on the device, or on the name where the device is unknown."""
        key, policy = (f"device:{device}", self._device) if device else (f"name:{tag}", self._strangers)
        reserved = await self._limiter.reserve(key, self._parts.new_id(), policy)
        if reserved.judged.verdict is Verdict.SHUT:
            self._failed(tag, device, caller, "shut")
        self._refuse_shut(reserved, "login_device" if device else "login_name")
        try:
            if reserved.judged.verdict is Verdict.PROOF:
                await self._challenges.take(body.captcha, "login", caller)
            if reserved.judged.verdict is Verdict.PICTURE:
                await self._look(body, caller)
        except (ProofRequired, Overloaded):
            await self._limiter.forgive(reserved)  # no password was tried
            raise
        return reserved

    async def _look(self, body: LogIn, caller: Caller) -> None:
        """Many tries of one name: four times the work, and a picture for this name."""
        given = body.picture
        if given is None:  # before the proof is used up
            raise ProofRequired(self._challenges.make("login", PICTURE_FACTOR), KINDS)
        try:
            await self._challenges.take(body.captcha, "login", caller, PICTURE_FACTOR)
        except ProofRequired as exc:
            raise ProofRequired(exc.fields["challenge"], KINDS) from exc
        browser = caller.device_cookie or caller.browser_cookie or given.browser or ""
        if not await self._pictures.take(given, "login", body.identifier, browser):
            raise ProofRequired(self._challenges.make("login", PICTURE_FACTOR), KINDS)

    def _refuse_shut(self, reserved: Reserved, limit: str) -> None:
        if reserved.judged.verdict is Verdict.SHUT:
            self._parts.metrics.limits.labels(limit).inc()
            raise TooMany(limit, (reserved.judged.shut_until_ms - self._parts.now_ms()) // 1000 + 1)

    async def _ticket(self, account: Account, device: str | None, methods: list[Method]) -> Wanted:
        ticket = self._parts.new_secret().hex()
        async with self._parts.store.writing() as tx:
            await store_flows.add_ticket(
                tx, digest(ticket.encode()), account.id, device, self._parts.now_ms() + TICKET_LIFETIME_MS
            )
        self._parts.metrics.logins.labels("second_factor_wanted").inc()
        return Wanted(ticket, methods)

    def _is_alive(self, ticket: Ticket) -> bool:
        return ticket.misses < MAX_MISSES and ticket.expires_ms > self._parts.now_ms()

    async def _accept(
        self, ticket_hash: bytes, weighed: Weighed | None, account: Account, caller: Caller
    ) -> tuple[Opened, Used] | None:
        """One transaction: the ticket, the factor and the new session, or one miss more."""
        async with self._parts.store.writing() as tx:
            ticket = await store_flows.ticket(tx, ticket_hash)
            if ticket is None or not self._is_alive(ticket):
                return None
            used = None if weighed is None else await self._factors.use(tx, account.id, weighed)
            if used is None:
                await store_flows.count_miss(tx, ticket_hash)
                if ticket.misses + 1 >= MAX_MISSES:
                    await self._changes.note(tx, account.id, Kind.SECOND_FACTOR_MISSED, "", device=ticket.device)
                return None
            await store_flows.use_ticket(tx, ticket_hash)
            amr = [PASSWORD, WORDS[used.method]]
            opened = await self._sessions.open(tx, account, caller, device=ticket.device, amr=amr, factor=used.factor)
            return opened, used

    async def _open(
        self, account: Account, device: str | None, caller: Caller, amr: list[str], tag: str
    ) -> tuple[Account, Opened]:
        async with self._parts.store.writing() as tx:
            opened = await self._sessions.open(tx, account, caller, device=device, amr=amr)
        await self._welcome(account, opened, device, caller, tag)
        return account, opened

    async def _welcome(self, account: Account, opened: Opened, device: str | None, caller: Caller, tag: str) -> None:
        await self._sessions.say(opened.put_out)
        self._parts.metrics.logins.labels("ok").inc()
        self._emitter.emit(
            activity.LoggedIn(
                ts_ms=self._parts.now_ms(),
                src="auth",
                ip=str(caller.address),
                ip_prefix=caller.unit,
                user=account.id,
                device=opened.session.device,
                account=tag,
                known_device=device is not None,
                account_since_ms=account.created_ms,
            )
        )

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

    def _failed(self, tag: str, device: str | None, caller: Caller, reason: str) -> None:
        self._parts.metrics.logins.labels(reason).inc()
        self._emitter.emit(
            activity.LoginFailed(
                ts_ms=self._parts.now_ms(),
                src="auth",
                ip=str(caller.address),
                ip_prefix=caller.unit,
                account=tag,
                known_device=device is not None,
                reason=reason,
            )
        )
