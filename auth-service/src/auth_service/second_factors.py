"""Second factors as they are given: which an account has, whether what was sent fits, and using it up.

In two steps. `weigh` does what is dear or asks elsewhere, before any transaction; `use` uses up what was found right, in the transaction of the login, step-up or
recovery that it is for, and there decides: of two at the same time with one code, one gets through.
"""

import hmac
from dataclasses import dataclass
from typing import Any, TypeAlias

import structlog
from webauthn.helpers import bytes_to_base64url

from . import store_completion, store_factors, store_passkeys
from .ceremonies import Ceremonies, Shown, credential_id_of
from .changes import Changes
from .core import saved_codes, totp
from .core.credentials import Assertion, is_copied
from .core.events import Kind
from .core.factors import Method, probation_ms
from .core.problems import StepUpRequired
from .core.requests import ByPasskey, ByRecoveryCode, ByTotp
from .core.saved_codes import SavedCode
from .hashing import HashPool
from .parts import Parts
from .sessions import Present
from .standing import standing_of
from .store import Db
from .store_factors import StoredCode
from .store_passkeys import Passkey

log = structlog.get_logger()

Proof: TypeAlias = ByTotp | ByRecoveryCode | ByPasskey


@dataclass(frozen=True, slots=True)
class WeighedCode:
    """A saved code that fits, and the one that takes its place."""

    stored: StoredCode
    fresh: SavedCode
    fresh_hash: str


@dataclass(frozen=True, slots=True)
class WeighedPasskey:
    """A passkey that was used for a challenge of ours."""

    passkey: Passkey
    shown: Shown
    retiring: bool = False


Weighed: TypeAlias = ByTotp | WeighedCode | WeighedPasskey


@dataclass(frozen=True, slots=True)
class Used:
    """What was used up. `factor` is the id of the TOTP or passkey, None for a code; `replacement` the new recovery code in place of the used one."""

    method: Method
    factor: str | None = None
    replacement: str | None = None


class SecondFactors:
    """Knows an account's second factors."""

    def __init__(self, parts: Parts, hashes: HashPool, ceremonies: Ceremonies, changes: Changes) -> None:
        """Args: hashes: checks saved codes; ceremonies: check passkeys; changes: tells the owner of a copied one."""
        self._parts = parts
        self._hashes = hashes
        self._ceremonies = ceremonies
        self._changes = changes

    async def methods(self, db: Db, user: str) -> list[Method]:
        """What login asks for; empty where there is neither a TOTP nor a passkey: saved codes alone turn nothing on."""
        now_ms = self._parts.now_ms()
        found = []
        if await store_passkeys.asked_of(db, user, now_ms):
            found.append(Method.PASSKEY)
        if await store_factors.asked_seeds(db, user, now_ms):
            found.append(Method.TOTP)
        if found and await store_factors.has_codes(db, user, self._parts.config.factor_policy, now_ms):
            found.append(Method.RECOVERY_CODE)
        return found

    async def takes_texts(self, db: Db, user: str) -> bool:
        """Whether a text is taken as a second factor: beside a TOTP or passkey, and, where the account was recovered, once one of them was given since.

        Otherwise whoever has got phone and mailbox would recover the account, and then be asked for nothing but the phone again.
        """
        recovered_ms = await store_completion.recovered_ms(db, user)
        now_ms = self._parts.now_ms()
        seeds = await store_factors.asked_seeds(db, user, now_ms)
        passkeys = await store_passkeys.asked_of(db, user, now_ms)
        if recovered_ms is None:
            return bool(seeds or passkeys)
        used_ms = [totp.began_ms(seed.last_step) for seed in seeds] + [passkey.used_ms or 0 for passkey in passkeys]
        return max(used_ms, default=0) > recovered_ms

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

    async def weigh(self, user: str, proof: Proof, purpose: str, *, retiring: bool = False) -> Weighed | None:
        """What is to be used, as far as it can be told before the transaction; None if it does not fit.

        Args: purpose: what a passkey's challenge was made for; retiring: as `weigh_passkey`.

        Raises:
            Overloaded: no room for a hash, or no Redis.
        """
        match proof:
            case ByTotp():
                return proof
            case ByRecoveryCode():
                return await self._weigh_code(user, proof.code)
            case ByPasskey():
                weighed = await self.weigh_passkey(proof.credential, purpose, retiring=retiring)
                return weighed if weighed is not None and weighed.passkey.user == user else None

    async def options(self, user: str, purpose: str) -> dict[str, Any]:
        """What a browser needs to use one of a user's passkeys.

        Raises:
            Contradicted: the server has no host name.
            Overloaded: no Redis.
        """
        passkeys = await store_passkeys.asked_of(self._parts.store.reading, user, self._parts.now_ms())
        return await self._ceremonies.options_to_use(purpose, [passkey.credential_id for passkey in passkeys])

    async def weigh_passkey(
        self, assertion: Assertion, purpose: str, *, retiring: bool = False
    ) -> WeighedPasskey | None:
        """Whose passkey was used for the challenge, and what it showed; None if none was.

        Args: retiring: one that login takes no more is taken too; a recovery weighs for itself what it is worth.

        Raises:
            Overloaded: no Redis.
        """
        credential_id = credential_id_of(assertion)
        found = credential_id and await store_passkeys.by_credential(self._parts.store.reading, credential_id)
        passkey = found if found and (retiring or found.is_asked(self._parts.now_ms())) else None
        shown = await self._ceremonies.shown(purpose, assertion, passkey.public_key if passkey else None)
        if passkey is None or shown is None or not _is_handle_of(assertion, passkey.user):
            return None
        if is_copied(passkey.sign_count, shown.sign_count):
            await self._tell_copied(passkey)
            return None
        return WeighedPasskey(passkey, shown, retiring)

    async def use(self, tx: Db, user: str, weighed: Weighed) -> Used | None:
        """Uses it up; None if it does not fit or was used before."""
        match weighed:
            case WeighedCode():
                return await self._use_code(tx, weighed)
            case WeighedPasskey(passkey, shown, retiring):
                now_ms = self._parts.now_ms()
                if await store_passkeys.use(
                    tx, passkey.id, shown.sign_count, backed_up=shown.backed_up, now_ms=now_ms, retiring=retiring
                ):
                    return Used(Method.PASSKEY, factor=passkey.id)
                return None
            case ByTotp():
                return await self._use_totp(tx, user, weighed.code)

    async def make_code(self) -> tuple[SavedCode, str]:
        """A new saved code and its hash.

        Raises:
            Overloaded: no room for a hash.
        """
        code = saved_codes.code_from(self._parts.entropy(saved_codes.RANDOM_BYTES))
        return code, await self._hashes.hash(code.secret)

    async def make_set(self) -> list[tuple[SavedCode, str]]:
        """Ten new saved codes and their hashes, each with a selector of its own.

        Raises:
            Overloaded: no room for a hash.
        """
        made: dict[str, tuple[SavedCode, str]] = {}
        while len(made) < saved_codes.COUNT:
            code, hashed = await self.make_code()
            made[code.selector] = (code, hashed)
        return list(made.values())

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

    async def _tell_copied(self, passkey: Passkey) -> None:
        log.warning("passkey_copied", passkey=passkey.id)
        self._parts.metrics.passkeys_copied.inc()
        async with self._parts.store.writing() as tx:
            await self._changes.note(tx, passkey.user, Kind.PASSKEY_COPIED, passkey.id)

    async def _use_totp(self, tx: Db, user: str, code: str) -> Used | None:
        for seed in await store_factors.asked_seeds(tx, user, self._parts.now_ms()):
            plain = self._parts.seals.open("totp", user, seed.sealed)
            step = totp.accepted_step(plain, code, self._parts.clock(), seed.last_step)
            if step is not None and await store_factors.use_step(tx, seed.id, step):
                return Used(Method.TOTP, factor=seed.id)
        return None


def _is_handle_of(assertion: Assertion, user: str) -> bool:
    """Whether the authenticator means this user; one that keeps no list of its passkeys says nothing."""
    handle = assertion.response.user_handle
    return not handle or hmac.compare_digest(handle.encode(), bytes_to_base64url(user.encode()).encode())
