"""A user's passkeys as their owner leads them: made, listed, renamed, removed. How one is used is in `second_factors.py`."""

from . import store_passkeys
from .ceremonies import LIFETIME_S, Ceremonies
from .changes import Changes
from .core import answers
from .core.events import Kind, Table
from .core.problems import CodeInvalid, Contradicted, NotHere
from .core.requests import AddPasskey
from .parts import Parts
from .removing import Removing
from .second_factors import SecondFactors
from .sessions import Present
from .store_passkeys import Passkey

MAX_PASSKEYS = 20
"""More than anybody has devices; each is a row that login looks at."""


class Passkeys:
    """What the owner of an account does with passkeys."""

    def __init__(
        self, parts: Parts, ceremonies: Ceremonies, second: SecondFactors, removing: Removing, changes: Changes
    ) -> None:
        """Args: ceremonies: makes challenges; second: says what a session may change; removing: begins removals; changes: records what changed."""
        self._parts = parts
        self._ceremonies = ceremonies
        self._second = second
        self._removing = removing
        self._changes = changes

    async def options(self, present: Present) -> answers.PasskeyOptions:
        """What the browser needs to make one.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: the account is frozen or has too many, or the server has no host name.
            Overloaded: no Redis.
        """
        reading, account = self._parts.store.reading, present.account
        await self._second.demand(reading, present)
        await self._changes.refuse_if_frozen(reading, account.id)
        known = await store_passkeys.of_user(reading, account.id)
        if len(known) >= MAX_PASSKEYS:
            raise Contradicted(reason="too_many")
        options = await self._ceremonies.options_to_make(
            _purpose(present), account, [passkey.credential_id for passkey in known]
        )
        return answers.PasskeyOptions(options=options, expires_in=LIFETIME_S)

    async def add(self, present: Present, body: AddPasskey) -> answers.Passkey:
        """Takes a passkey that was made.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            CodeInvalid: it was not made for this session's challenge, or not as asked.
            Contradicted: the account is frozen or has too many, or the passkey is known already.
            Overloaded: no Redis.
        """
        parts, user = self._parts, present.account.id
        await self._second.demand(parts.store.reading, present)
        made = await self._ceremonies.made(_purpose(present), body.credential)
        if made is None:
            raise CodeInvalid("This passkey was not made for this page, or too late.")
        async with parts.store.writing() as tx:
            await self._changes.refuse_if_frozen(tx, user)
            if len(await store_passkeys.of_user(tx, user)) >= MAX_PASSKEYS:
                raise Contradicted(reason="too_many")
            passkey = Passkey(
                id=parts.new_id(),
                user=user,
                credential_id=made.credential_id,
                public_key=made.public_key,
                sign_count=made.sign_count,
                label=body.label,
                backed_up=made.backed_up,
                used_ms=None,
                added_ms=parts.now_ms(),
                matures_ms=await self._second.matures_ms(tx, present),
                removed_ms=None,
                lost=False,
            )
            if not await store_passkeys.add(tx, passkey):
                raise Contradicted(reason="known")
            await self._changes.record(tx, present, Kind.PASSKEY_ADDED, passkey.id)
        return _shown(passkey)

    async def listed(self, present: Present) -> answers.Passkeys:
        """The passkeys that are not being removed."""
        found = await store_passkeys.of_user(self._parts.store.reading, present.account.id)
        return answers.Passkeys(
            passkeys=[_shown(passkey) for passkey in found if passkey.removed_ms is None],
            possible=self._ceremonies.are_possible,
        )

    async def rename(self, present: Present, passkey: str, label: str) -> None:
        """Gives one another label.

        Raises:
            NotHere: no such passkey of this user.
        """
        async with self._parts.store.writing() as tx:
            if not await store_passkeys.rename(tx, present.account.id, passkey, label):
                raise NotHere

    async def remove(self, present: Present, passkey: str, *, lost: bool) -> answers.Removal:
        """Begins the removal of one; where it is lost or stolen, ends it.

        Raises:
            StepUpRequired, NotHere, Contradicted: as `Removing.remove`.
        """
        return await self._removing.remove(present, Table.PASSKEYS, Kind.PASSKEY_REMOVED, passkey, lost=lost)


def _purpose(present: Present) -> str:
    return f"make:{present.session.id}"


def _shown(passkey: Passkey) -> answers.Passkey:
    return answers.Passkey(
        id=passkey.id,
        label=passkey.label,
        backed_up=passkey.backed_up,
        added_ms=passkey.added_ms,
        used_ms=passkey.used_ms,
    )
