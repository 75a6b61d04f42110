"""Logins with a passkey: the options for one, and a whole login by it. As a ticket's second factor it goes through `login.py`."""

from . import store_accounts, store_flows, store_sessions
from .ban_watch import BanWatch
from .ceremonies import LIFETIME_S
from .core import answers
from .core.factors import WORDS, Method
from .core.identifiers import skeleton
from .core.problems import InvalidCode, InvalidCredentials
from .core.requests import AskPasskey, LogInByPasskey
from .core.sealing import digest
from .limits import Limit, Limiter
from .outcomes import Outcomes
from .parts import Caller, Parts
from .second_factors import SecondFactors
from .sessions import Opened, Sessions
from .store_accounts import Account
from .store_flows import purpose_of


class PasskeyLogin:
    """Both steps."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        factors: SecondFactors,
        bans: BanWatch,
        outcomes: Outcomes,
    ) -> None:
        """Args: outcomes: tells others what succeeded and failed."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._factors = factors
        self._bans = bans
        self._outcomes = outcomes
        self._per_prefix = Limit("login_prefix", parts.config.logins_per_prefix_per_min, 60)

    async def options(self, body: AskPasskey, caller: Caller) -> answers.PasskeyOptions:
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
        if ticket is None or not ticket.is_alive(self._parts.now_ms()):
            raise InvalidCode
        if ticket.shut:  # no list of passkeys, which would say that the password was right
            options = await self._factors.options("", purpose_of(ticket_hash))
            return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S)
        if ticket.user is None or Method.PASSKEY not in await self._factors.methods(reading, ticket.user):
            raise InvalidCode
        options = await self._factors.options(ticket.user, purpose_of(ticket_hash))
        return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S)

    async def verify(self, body: LogInByPasskey, hint: str | None, caller: Caller) -> tuple[Account, Opened]:
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
            self._outcomes.failed(tag, None, caller, "passkey")
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
        await self._outcomes.welcome(account, opened, device, caller, tag)
        return account, opened
