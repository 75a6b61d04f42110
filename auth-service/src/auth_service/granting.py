"""The role of an administrator: granted and withdrawn on the host, and by nobody else.

The first grant is to whoever the operator names; every other one asks for a TOTP or passkey of the account that counts, so that nobody becomes an administrator by a
password and a mailbox. A recovery suspends the role (`completing.py`); granting it again is how it comes back.
"""

from typing import Final

from . import store_accounts
from .audit import Audit
from .changes import Changes
from .core import inner_messages
from .core.events import Kind
from .core.identifiers import skeleton
from .core.problems import Contradicted, NotHere
from .core.recovery.facts import FactorKind
from .core.recovery.horizon import horizon_ms
from .core.recovery.life import counts
from .parts import Parts
from .store import Db
from .store_accounts import Account
from .store_facts import facts_of

ADMIN: Final = "admin"


class Granting:
    """Gives and takes the role."""

    def __init__(self, parts: Parts, changes: Changes, audit: Audit) -> None:
        """Args: changes: tells the account's owner."""
        self._parts = parts
        self._changes = changes
        self._audit = audit

    async def grant(self, named: str) -> inner_messages.Granted:
        """Makes an account an administrator's; one that is, stays. Args: named: its user name or id.

        Raises:
            NotHere: no such account.
            Contradicted: it is locked, frozen or was recovered a short while ago; or it has no TOTP or passkey that counts, and is not the first.
        """
        async with self._parts.store.writing() as tx:
            account = await self._account(tx, named)
            if ADMIN in await store_accounts.roles_of(tx, account.id):
                return inner_messages.Granted(user=account.id, username=account.username)
            if not account.active:
                raise Contradicted("This account is locked.", reason="locked")
            await self._changes.refuse_if_guarded(tx, account.id)
            if await store_accounts.has_admins(tx) and not await self._has_factor(tx, account.id):
                raise Contradicted(
                    "This account has no TOTP or passkey that counts yet, and there is an administrator already.",
                    reason="no_mature_factor",
                )
            await store_accounts.grant(tx, account.id, ADMIN, self._parts.now_ms())
            await self._changes.note(tx, account.id, Kind.ROLE_CHANGED, ADMIN)
            await self._audit.write(tx, "admin.granted", actor="operator", subject=account.id)
        return inner_messages.Granted(user=account.id, username=account.username)

    async def withdraw(self, named: str) -> inner_messages.Granted:
        """Takes the role away.

        Raises:
            NotHere: no such account, or it has no role.
        """
        async with self._parts.store.writing() as tx:
            account = await self._account(tx, named)
            if not await store_accounts.withdraw(tx, account.id, ADMIN):
                raise NotHere
            await self._changes.note(tx, account.id, Kind.ROLE_CHANGED, ADMIN)
            await self._audit.write(tx, "admin.revoked", actor="operator", subject=account.id)
        return inner_messages.Granted(user=account.id, username=account.username)

    async def _account(self, tx: Db, named: str) -> Account:
        account = await store_accounts.named(tx, named, skeleton(named))
        if account is None:
            raise NotHere
        return account

    async def _has_factor(self, tx: Db, user: str) -> bool:
        facts, now_ms = await facts_of(tx, user, self._parts.config.factor_policy), self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        return any(
            factor.kind in {FactorKind.TOTP, FactorKind.PASSKEY}
            and factor.removed_ms is None
            and counts(factor, facts.policy, line_ms, now_ms)
            for factor in facts.factors
        )
