"""The account as its owner sees it: the profile, the second factor, and proving once more who is there."""

from msgspec import UNSET

from garita_common.core import tokens

from . import store_accounts, store_sessions
from .changes import Changes
from .core import answers, totp
from .core.attempts import Policy, Verdict
from .core.events import Kind
from .core.identifiers import ContactKind
from .core.problems import CodeInvalid, Contradicted, InvalidCode, InvalidCredentials, Overloaded, TooMany
from .core.requests import ConfirmTotp, StepUp, StepUpPassword, StepUpTotp
from .hashing import HashPool
from .limits import Limiter, Reserved
from .login import Login
from .outbox import Outbox
from .parts import Parts
from .sessions import Present, Sessions
from .store_accounts import Account

ISSUER = "Garita"


class Profile:
    """What the owner of a session may see and change."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        hashes: HashPool,
        login: Login,
        outbox: Outbox,
        changes: Changes,
    ) -> None:
        """Args: login: knows how a TOTP code is used up; changes: records what changed."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._hashes = hashes
        self._login = login
        self._outbox = outbox
        self._changes = changes
        self._proofs = Policy(None, parts.config.step_ups_per_session_per_15_min, None, 5 * 60_000)

    async def shown(self, account: Account) -> answers.User:
        """The account."""
        reading = self._parts.store.reading
        contacts = await store_accounts.contacts_of(reading, account.id)
        values = {contact.kind: self._outbox.opened(contact) for contact in reversed(contacts)}
        return answers.User(
            id=account.id,
            username=account.username,
            display_name=account.display_name,
            locale=account.locale,
            created_ms=account.created_ms,
            roles=await store_accounts.roles_of(reading, account.id),
            totp=account.totp,
            email=values.get(ContactKind.EMAIL, UNSET),
            phone=values.get(ContactKind.PHONE, UNSET),
        )

    async def offer_totp(self, present: Present) -> answers.TotpOffer:
        """A new seed, which changes nothing before its first code.

        Raises:
            StepUpRequired: the last proof is too old.
            Contradicted: a second factor is on.
        """
        self._sessions.demand_fresh(present)
        user = present.account.id
        seed = self._parts.entropy(totp.SEED_BYTES)
        async with self._parts.store.writing() as tx:
            sealed = self._parts.seal("totp", user, seed)
            if not await store_accounts.offer_seed(tx, user, self._parts.new_id(), sealed, self._parts.now_ms()):
                raise Contradicted
        return answers.TotpOffer(
            secret=totp.secret_of(seed),
            otpauth_uri=totp.uri_of(seed, present.account.username, ISSUER),
        )

    async def confirm_totp(self, present: Present, body: ConfirmTotp) -> None:
        """Turns the second factor on.

        Raises:
            StepUpRequired: the last proof is too old.
            CodeInvalid: the code is not the seed's.
            Contradicted: no seed waits.
            TooMany: too many wrong codes.
        """
        self._sessions.demand_fresh(present)
        reserved = await self._reserve(present)
        account = present.account
        async with self._parts.store.writing() as tx:
            seed = await store_accounts.seed_of(tx, account.id)
            if seed is None or seed.confirmed:
                raise Contradicted
            plain = self._parts.seals.open("totp", account.id, seed.sealed)
            step = totp.accepted_step(plain, body.code, self._parts.clock(), seed.last_step)
            if step is None:
                raise CodeInvalid
            now_ms = self._parts.now_ms()
            matures_ms = now_ms + self._parts.config.factor_policy.probation_ms
            if not await store_accounts.confirm_seed(tx, seed.id, step, now_ms, matures_ms):
                raise Contradicted
            await self._changes.record(tx, present, Kind.TOTP_ADDED, seed.id)
        await self._limiter.forgive(reserved)

    async def step_up(self, present: Present, body: StepUp) -> answers.AccessToken:
        """Proves once more who is there: a token of the same session whose proof is fresh.

        Raises:
            InvalidCredentials, InvalidCode: the proof is wrong.
            TooMany: too many wrong ones.
            Overloaded: no room for a hash.
        """
        reserved = await self._reserve(present)
        account, session = present.account, present.session
        amr = set(session.amr)
        if isinstance(body, StepUpPassword):
            try:
                is_right = await self._hashes.verify(account.password_hash, body.password)
            except Overloaded:
                await self._limiter.forgive(reserved)
                raise
            if not is_right:
                raise InvalidCredentials
            amr.add("pwd")
        async with self._parts.store.writing() as tx:
            factor = None
            if isinstance(body, StepUpTotp):
                factor = await self._login.use_code(tx, account.id, body.code)
                if factor is None:
                    raise InvalidCode
                amr.add("otp")
            await store_sessions.proved(tx, session.id, sorted(amr, reverse=True), factor, self._parts.now_ms())
            fresh = await store_sessions.session(tx, session.id)
            token = await self._sessions.access_token(tx, account, fresh or session, "auth")
        await self._limiter.forgive(reserved)
        return answers.AccessToken(access_token=token, expires_in=tokens.LIFETIME_S, audience="auth")

    async def _reserve(self, present: Present) -> Reserved:
        reserved = await self._limiter.reserve(f"proof:{present.session.id}", self._parts.new_id(), self._proofs)
        if reserved.judged.verdict is Verdict.SHUT:
            self._parts.metrics.limits.labels("proof_session").inc()
            wait_ms = reserved.judged.shut_until_ms - self._parts.now_ms()
            raise TooMany("proof_session", wait_ms // 1000 + 1)
        return reserved
