"""A TOTP's life as its owner leads it: offered, confirmed by its first code, removed. How its codes are taken is in `second_factors.py`.

While one is being removed its codes are still asked for, for a week, and another may be added beside it: then either gets in.
"""

from . import store_factors
from .changes import Changes
from .core import answers, totp
from .core.events import Kind, Table
from .core.problems import CodeInvalid, Contradicted, NotHere
from .core.requests import ConfirmTotp
from .limits import Limiter
from .parts import Parts
from .removing import Removing
from .second_factors import SecondFactors
from .sessions import Present
from .stepping_up import SteppingUp

ISSUER = "Garita"


class TotpLife:
    """Turns TOTP on and off."""

    def __init__(
        self,
        parts: Parts,
        limiter: Limiter,
        second: SecondFactors,
        stepping_up: SteppingUp,
        removing: Removing,
        changes: Changes,
    ) -> None:
        """Args: stepping_up: counts wrong codes of a session; removing: begins removals; changes: records what changed."""
        self._parts = parts
        self._limiter = limiter
        self._second = second
        self._stepping_up = stepping_up
        self._removing = removing
        self._changes = changes

    async def offer(self, present: Present) -> answers.TotpOffer:
        """A new seed, which changes nothing before its first code.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: one is on, or the account is frozen.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        seed = parts.entropy(totp.SEED_BYTES)
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            if await store_factors.seed_on(tx, user) is not None:
                raise Contradicted
            sealed = parts.seal("totp", user, seed)
            await store_factors.offer_seed(tx, user, parts.new_id(), sealed, parts.now_ms())
        return answers.TotpOffer(
            secret=totp.secret_of(seed), otpauth_uri=totp.uri_of(seed, present.account.username, ISSUER)
        )

    async def confirm(self, present: Present, body: ConfirmTotp) -> None:
        """Turns it on.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            CodeInvalid: the code is not the seed's.
            Contradicted: no seed waits, one is on, or the account is frozen.
            TooMany: too many wrong codes.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        reserved = await self._stepping_up.reserve(present)
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            seed = await store_factors.seed_waiting(tx, user)
            if seed is None or await store_factors.seed_on(tx, user) is not None:
                raise Contradicted
            plain = parts.seals.open("totp", user, seed.sealed)
            step = totp.accepted_step(plain, body.code, parts.clock(), seed.last_step)
            if step is None:
                raise CodeInvalid
            matures_ms = await self._second.matures_ms(tx, present)
            await store_factors.confirm_seed(tx, seed.id, step, parts.now_ms(), matures_ms)
            await self._changes.record(tx, present, Kind.TOTP_ADDED, seed.id)
        await self._limiter.forgive(reserved)

    async def remove(self, present: Present, *, lost: bool) -> answers.Removal:
        """Begins its removal; where it is lost or stolen, ends it, also one whose removal has begun.

        Raises:
            StepUpRequired, Contradicted: as `Removing.remove`.
            NotHere: none is on.
        """
        reading, user = self._parts.store.reading, present.account.id
        seed = await store_factors.seed_on(reading, user)
        if seed is None and lost:
            asked = await store_factors.asked_seeds(reading, user, self._parts.now_ms())
            seed = asked[-1] if asked else None
        if seed is None:
            raise NotHere
        return await self._removing.remove(present, Table.TOTP, Kind.TOTP_REMOVED, seed.id, lost=lost)
