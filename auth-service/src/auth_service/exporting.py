"""The export: all that is stored of an account, as JSON, for its owner.

Asked for with a fresh proof, put together behind the answer, told to every contact, and kept sealed for a day. What proves the account (hashes, seeds, keys) is no
part of it. What was said in rooms is the chat's, which shows it to whoever may read it.
"""

from typing import Any, Final

import msgspec

from . import store_accounts, store_contacts, store_exports
from .changes import Changes
from .core import leaving_answers
from .core.events import Kind
from .core.problems import NotHere
from .core.recovery.facts import DAY_MS
from .limits import Limit, Limiter
from .parts import Parts
from .second_factors import SecondFactors
from .sessions import Present
from .store import Db

PURPOSE: Final = "export"


class Exporting:
    """Makes exports."""

    def __init__(self, parts: Parts, limiter: Limiter, changes: Changes, second: SecondFactors) -> None:
        """Args: second: says what a session may take."""
        self._parts = parts
        self._limiter = limiter
        self._changes = changes
        self._second = second
        self._per_day = Limit("export_account", parts.config.exports_per_account_per_day, 86_400)

    async def ask(self, present: Present) -> leaving_answers.ExportState:
        """An export will be put together.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: the account is frozen, or was recovered a short while ago.
            TooMany: there was one today.
        """
        user, now_ms = present.account.id, self._parts.now_ms()
        await self._second.demand(self._parts.store.reading, present)
        await self._changes.refuse_if_guarded(self._parts.store.reading, user)
        await self._limiter.take(self._per_day, user)
        async with self._parts.store.writing() as tx:
            await self._changes.refuse_if_guarded(tx, user)
            await store_exports.ask(tx, user, now_ms, now_ms + DAY_MS)
            await self._changes.record(tx, present, Kind.ACCOUNT_EXPORTED, "")
        return leaving_answers.ExportState(until_ms=now_ms + DAY_MS)

    async def fetch(self, present: Present) -> bytes | leaving_answers.ExportState:
        """The export, or that it is being put together.

        Raises:
            StepUpRequired: the last proof is too old or too weak.
            Contradicted: the account is frozen, or was recovered a short while ago.
            NotHere: none was asked for, or its day is over.
        """
        user, reading = present.account.id, self._parts.store.reading
        await self._second.demand(reading, present)
        await self._changes.refuse_if_guarded(reading, user)
        found = await store_exports.of_user(reading, user, self._parts.now_ms())
        if found is None:
            raise NotHere
        if found.sealed is None:
            return leaving_answers.ExportState(until_ms=found.until_ms)
        return self._parts.seals.open(PURPOSE, user, found.sealed)

    async def make_due(self) -> None:
        """Puts together what was asked for."""
        store = self._parts.store
        for user in await store_exports.waiting(store.reading):
            data = msgspec.json.format(msgspec.json.encode(await self._gathered(store.reading, user)), indent=2)
            async with store.writing() as tx:
                await store_exports.made(tx, user, self._parts.seal(PURPOSE, user, data))

    async def _gathered(self, db: Db, user: str) -> dict[str, Any]:
        account = await store_accounts.by_id(db, user)
        if account is None:
            return {}
        contacts = await store_contacts.of_user(db, user)
        return {
            "account": {
                "id": account.id,
                "username": account.username,
                "display_name": account.display_name,
                "locale": account.locale,
                "created_ms": account.created_ms,
                "roles": await store_accounts.roles_of(db, user),
            },
            "contacts": [
                {
                    "kind": contact.kind.value,
                    "value": self._parts.seals.open("contact", contact.id, contact.sealed_value).decode(),
                    "added_ms": contact.added_ms,
                    "proved_ms": contact.proved_ms,
                    "removed_ms": contact.removed_ms,
                }
                for contact in contacts
            ],
        } | {name: await store_exports.rows_about(db, name, user) for name in store_exports.ABOUT}
