"""Making a set of saved recovery codes. How one is used is in `second_factors.py`."""

from . import store_factors
from .changes import Changes
from .core import answers
from .core.events import Kind, Table
from .core.problems import NotHere
from .parts import Parts
from .removing import Removing
from .second_factors import SecondFactors
from .sessions import Present
from .store_contacts import remove


class SavedCodes:
    """Gives an account its ten codes."""

    def __init__(self, parts: Parts, second: SecondFactors, removing: Removing, changes: Changes) -> None:
        """Args: second: hashes codes; removing: ends them; changes: records what changed."""
        self._parts = parts
        self._second = second
        self._removing = removing
        self._changes = changes

    async def lose(self, present: Present) -> list[answers.Removal]:
        """The paper is lost or stolen: no code of any set works any more.

        Raises:
            StepUpRequired, Contradicted: as `Removing.remove`.
            NotHere: there are none.
        """
        user = present.account.id
        sets = await store_factors.code_sets(self._parts.store.reading, user)
        if not sets:
            raise NotHere
        return [await self._removing.remove(present, Table.CODES, Kind.CODES_REMOVED, one, lost=True) for one in sets]

    async def make(self, present: Present) -> answers.RecoveryCodes:
        """Ten new codes; the set before retires.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: the account is frozen.
            Overloaded: no room for the hashes.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        made = await self._second.make_set()
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            now_ms = parts.now_ms()
            for old in await store_factors.code_sets_on(tx, user):
                await remove(tx, Table.CODES, user, old, now_ms, lost=False)
                await self._changes.record(tx, present, Kind.CODES_REMOVED, old)
            matures_ms = await self._second.matures_ms(tx, present)
            code_set = parts.new_id()
            hashes = [(code.selector, hashed) for code, hashed in made]
            await store_factors.add_codes(tx, user, code_set, hashes, now_ms, matures_ms)
            await self._changes.record(tx, present, Kind.CODES_ADDED, code_set)
        return answers.RecoveryCodes(codes=[code.text for code, _ in made])
