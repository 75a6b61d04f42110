"""The step-up: proving once more, in a session that runs, who is there.

Wrong proofs are counted per session, of all kinds together, so that a thief of a session cannot guess with it.
"""

from msgspec import UNSET

from garita_common.core import tokens

from . import store_sessions
from .ceremonies import LIFETIME_S
from .contact_codes import ContactCodes
from .core import answers
from .core.attempts import Policy, Verdict
from .core.factors import MAIL, PASSWORD, SMS, WORDS, Method
from .core.identifiers import ContactKind
from .core.problems import Contradicted, InvalidCode, InvalidCredentials, Overloaded, TooMany
from .core.requests import StepUp, StepUpCode, StepUpPassword
from .devices import Devices
from .freezing import Freezing
from .hashing import HashPool
from .limits import Limiter, Reserved
from .parts import Parts
from .second_factors import Proof, SecondFactors, Used
from .sessions import Present, Sessions
from .store import Db


class SteppingUp:
    """Takes fresh proofs."""

    def __init__(
        self,
        parts: Parts,
        sessions: Sessions,
        limiter: Limiter,
        hashes: HashPool,
        second: SecondFactors,
        devices: Devices,
        codes: ContactCodes,
        freezing: Freezing,
    ) -> None:
        """Args: second: knows second factors; devices: are confirmed by what is mature; codes: went to contacts; freezing: ends a freeze."""
        self._parts = parts
        self._sessions = sessions
        self._limiter = limiter
        self._hashes = hashes
        self._second = second
        self._devices = devices
        self._codes = codes
        self._freezing = freezing
        self._proofs = Policy(None, parts.config.step_ups_per_session_per_15_min, None, 5 * 60_000)

    async def step_up(self, present: Present, body: StepUp) -> answers.AccessToken:
        """A token of the same session whose proof is fresh.

        Raises:
            InvalidCredentials, InvalidCode: the proof is wrong.
            TooMany: too many wrong ones.
            Overloaded: no room for a hash.
        """
        reserved = await self.reserve(present)
        try:
            if isinstance(body, StepUpPassword):
                token = await self._with_password(present, body.password)
            elif isinstance(body, StepUpCode):
                token = await self._with_code(present, body.code)
            else:
                token = await self._with_second(present, body)
        except Overloaded:
            await self._limiter.forgive(reserved)
            raise
        await self._limiter.forgive(reserved)
        return token

    async def options(self, present: Present) -> answers.PasskeyOptions:
        """What a browser needs to step up with a passkey.

        Raises:
            Contradicted: there is none, or the server has no host name.
            Overloaded: no Redis.
        """
        if Method.PASSKEY not in await self._second.methods(self._parts.store.reading, present.account.id):
            raise Contradicted
        options = await self._second.options(present.account.id, f"step:{present.session.id}")
        return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S)

    async def reserve(self, present: Present) -> Reserved:
        """Counts a try of this session; to be forgiven if it was right.

        Raises:
            TooMany: too many wrong ones.
        """
        reserved = await self._limiter.reserve(f"proof:{present.session.id}", self._parts.new_id(), self._proofs)
        if reserved.judged.verdict is Verdict.SHUT:
            self._parts.metrics.limits.labels("proof_session").inc()
            wait_ms = reserved.judged.shut_until_ms - self._parts.now_ms()
            raise TooMany("proof_session", wait_ms // 1000 + 1)
        return reserved

    async def forgive(self, reserved: Reserved) -> None:
        """The try was right, or none at all."""
        await self._limiter.forgive(reserved)

    async def _with_password(self, present: Present, password: str) -> answers.AccessToken:
        if not await self._hashes.verify(present.account.password_hash, password):
            raise InvalidCredentials
        async with self._parts.store.writing() as tx:
            return await self._proved(tx, present, PASSWORD, None)

    async def _with_code(self, present: Present, code: str) -> answers.AccessToken:
        token = None
        async with self._parts.store.writing() as tx:
            contact = await self._codes.use(tx, present.account.id, present.session.id, code)
            if contact is not None:
                await self._devices.confirm(tx, present.account.id, present.session.device, contact.id)
                word = SMS if contact.kind is ContactKind.PHONE else MAIL
                token = await self._proved(tx, present, word, None)
                await store_sessions.proved_with(tx, present.session.id, contact.id, self._parts.now_ms())
        if token is None:  # not inside: a wrong code is counted in the transaction
            raise InvalidCode
        return token

    async def _with_second(self, present: Present, proof: Proof) -> answers.AccessToken:
        user = present.account.id
        weighed = await self._second.weigh(user, proof, f"step:{present.session.id}")
        async with self._parts.store.writing() as tx:
            used = None if weighed is None else await self._second.use(tx, user, weighed)
            if used is None:
                raise InvalidCode
            return await self._proved(tx, present, WORDS[used.method], used)

    async def _proved(self, tx: Db, present: Present, word: str, used: Used | None) -> answers.AccessToken:
        session = present.session
        amr = sorted({*session.amr, word}, reverse=True)
        factor = None if used is None else used.factor
        await store_sessions.proved(tx, session.id, amr, factor, self._parts.now_ms(), second=used is not None)
        fresh = await store_sessions.session(tx, session.id) or session
        if factor is not None:
            await store_sessions.proved_with(tx, session.id, factor, self._parts.now_ms())
            await self._devices.confirm(tx, present.account.id, session.device, factor)
            await self._freezing.thaw(tx, Present(present.account, fresh))
        token = await self._sessions.access_token(tx, present.account, fresh, "auth")
        return answers.AccessToken(
            access_token=token,
            expires_in=tokens.LIFETIME_S,
            audience="auth",
            recovery_code=UNSET if used is None or used.replacement is None else used.replacement,
        )
