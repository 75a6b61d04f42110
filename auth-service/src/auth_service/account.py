"""The account as its owner sees it."""

from msgspec import UNSET

from . import store_accounts, store_factors, store_passkeys
from .core import answers
from .core.identifiers import ContactKind
from .outbox import Outbox
from .parts import Parts
from .store_accounts import Account


class Profile:
    """What the owner of a session may see."""

    def __init__(self, parts: Parts, outbox: Outbox) -> None:
        """Args: outbox: opens addresses."""
        self._parts = parts
        self._outbox = outbox

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
            passkeys=len([one for one in await store_passkeys.of_user(reading, account.id) if one.removed_ms is None]),
            recovery_codes=await store_factors.codes_left(reading, account.id),
            email=values.get(ContactKind.EMAIL, UNSET),
            phone=values.get(ContactKind.PHONE, UNSET),
        )
