"""Messages to people: written in the transaction of what they tell, sealed while they lie.

In demo mode nothing is sent: whoever holds the key of the outbox reads them there. No other way of delivery exists yet, so everywhere else there is nobody to
deliver to and registration is closed.
"""

from typing import Literal

import msgspec
from msgspec import Struct

from garita_common.config import Mode

from . import store_accounts, store_flows
from .core.answers import Delivery
from .core.identifiers import ContactKind
from .parts import Parts
from .store import Db

SHOWN = 200
"""As many as a page or a test looks at; older ones stay until their day is over."""


class _Body(Struct, frozen=True):
    to: str
    text: str


class Outbox:
    """Takes messages in and shows them in demo mode."""

    def __init__(self, parts: Parts) -> None:
        """Args: parts: the shared parts."""
        self._parts = parts

    @property
    def delivers(self) -> bool:
        """Whether a message reaches anybody."""
        return self._parts.config.mode is Mode.DEMO

    async def post(self, tx: Db, kind: ContactKind, to: str, text: str) -> None:
        """Writes a message, with the transaction that it belongs to."""
        now_ms = self._parts.now_ms()
        sealed = self._parts.seal("outbox", str(now_ms), msgspec.json.encode(_Body(to, text)))
        await store_flows.post(tx, kind, sealed, now_ms)

    def opened(self, contact: store_accounts.StoredContact) -> str:
        """A contact's address."""
        return self._parts.seals.open("contact", contact.id, contact.sealed_value).decode()

    async def newest(self) -> list[Delivery]:
        """The newest messages, newest last."""
        shown = []
        for row in await store_flows.newest_posts(self._parts.store.reading, SHOWN):
            plain = self._parts.seals.open("outbox", str(row.at_ms), row.sealed_body)
            body = msgspec.json.decode(plain, type=_Body)
            kind: Literal["sms", "email"] = "email" if row.kind is ContactKind.EMAIL else "sms"
            shown.append(Delivery(kind=kind, to=body.to, text=body.text, at=row.at_ms))
        return shown
