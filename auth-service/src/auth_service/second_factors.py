"""Second factors as they are given: which an account has, whether what was sent fits, and using it up.

In two steps. `weigh` does what is dear or asks elsewhere, before any transaction; `use` uses up what was found right, in the transaction of the login, step-up or
recovery that it is for, and there decides: of two at the same time with one code, one gets through.
"""

from dataclasses import dataclass
from typing import TypeAlias

from . import store_factors
from .core import saved_codes, totp
from .core.factors import Method, probation_ms
from .core.problems import StepUpRequired
from .core.requests import ByRecoveryCode, ByTotp
from .core.saved_codes import SavedCode
from .hashing import HashPool
from .parts import Parts
from .sessions import Present
from .standing import standing_of
from .store import Db
from .store_factors import StoredCode

Proof: TypeAlias = ByTotp | ByRecoveryCode


@dataclass(frozen=True, slots=True)
class WeighedCode:
    """A saved code that fits, and the one that takes its place."""

    stored: StoredCode
    fresh: SavedCode
    fresh_hash: str


Weighed: TypeAlias = ByTotp | WeighedCode


@dataclass(frozen=True, slots=True)
class Used:
    """What was used up. `factor` is the id of the TOTP or passkey, None for a code; `replacement` the new recovery code in place of the used one."""

    method: Method
    factor: str | None = None
    replacement: str | None = None


class SecondFactors:
    """Knows an account's second factors."""

    def __init__(self, parts: Parts, hashes: HashPool) -> None:
        """Args: hashes: checks saved codes."""
        self._parts = parts
        self._hashes = hashes

    async def methods(self, db: Db, user: str) -> list[Method]:
        """What login asks for; empty where there is neither a TOTP nor a passkey: saved codes alone turn nothing on."""
        now_ms = self._parts.now_ms()
        found = []
        if await store_factors.asked_seeds(db, user, now_ms):
            found.append(Method.TOTP)
        if found and await store_factors.has_codes(db, user, self._parts.config.factor_policy, now_ms):
            found.append(Method.RECOVERY_CODE)
        return found

    async def demand(self, db: Db, present: Present) -> None:
        """Asked before a factor is added or removed: whoever has second factors must have given one lately, and everybody a password.

        Raises:
            StepUpRequired: the last proof is too old, or was the password alone; says which second factors there are.
        """
        now_ms = self._parts.now_ms()
        methods = await self.methods(db, present.account.id)
        if not present.is_fresh(now_ms) or (methods and not present.is_second_fresh(now_ms)):
            raise StepUpRequired(methods=[method.value for method in methods])

    async def matures_ms(self, db: Db, present: Present) -> int:
        """When a factor that is added now in this session will count for a recovery."""
        standing = await standing_of(db, self._parts, present)
        return self._parts.now_ms() + probation_ms(
            self._parts.config.factor_policy.probation_ms, is_strong=standing.is_strong
        )

    async def weigh(self, user: str, proof: Proof) -> Weighed | None:
        """What is to be used, as far as it can be told before the transaction; None if it does not fit.

        Raises:
            Overloaded: no room for a hash.
        """
        if isinstance(proof, ByTotp):
            return proof
        return await self._weigh_code(user, proof.code)

    async def use(self, tx: Db, user: str, weighed: Weighed) -> Used | None:
        """Uses it up; None if it does not fit or was used before."""
        if isinstance(weighed, WeighedCode):
            return await self._use_code(tx, weighed)
        return await self._use_totp(tx, user, weighed.code)

    async def make_code(self) -> tuple[SavedCode, str]:
        """A new saved code and its hash.

        Raises:
            Overloaded: no room for a hash.
        """
        code = saved_codes.code_from(self._parts.entropy(saved_codes.RANDOM_BYTES))
        return code, await self._hashes.hash(code.secret)

    async def _weigh_code(self, user: str, typed: str) -> WeighedCode | None:
        parts = self._parts
        code = saved_codes.parse(typed)
        found = [] if code is None else await store_factors.codes_by(
            parts.store.reading, user, code.selector, parts.config.factor_policy, parts.now_ms()
        )  # fmt: skip
        secret = code.secret if code is not None else ""
        if not found:
            await self._hashes.verify(None, secret)
            return None
        for stored in found:
            if await self._hashes.verify(stored.hash, secret):
                return WeighedCode(stored, *await self.make_code())
        return None

    async def _use_code(self, tx: Db, weighed: WeighedCode) -> Used | None:
        stored = weighed.stored
        now_ms = self._parts.now_ms()
        if not await store_factors.use_saved_code(tx, stored.code_set, stored.selector, stored.hash, now_ms):
            return None
        if not await store_factors.add_code(tx, stored.code_set, weighed.fresh.selector, weighed.fresh_hash):
            # One time in 100 000 the new one's selector is another code's of the set; that one is good and stays, and the set has one code fewer.
            return Used(Method.RECOVERY_CODE)
        return Used(Method.RECOVERY_CODE, replacement=weighed.fresh.text)

    async def _use_totp(self, tx: Db, user: str, code: str) -> Used | None:
        for seed in await store_factors.asked_seeds(tx, user, self._parts.now_ms()):
            plain = self._parts.seals.open("totp", user, seed.sealed)
            step = totp.accepted_step(plain, code, self._parts.clock(), seed.last_step)
            if step is not None and await store_factors.use_step(tx, seed.id, step):
                return Used(Method.TOTP, factor=seed.id)
        return None
