"""Invites: tickets that the operator makes on the host, each good for one account without a contact.

They are the way in where no mail and no SMS is sent, and the first administrator's. A ticket is 256 random bits of which only the hash is kept; whoever reads the
database cannot register with it.
"""

import base64

from . import store_invites
from .audit import Audit
from .core import inner_messages
from .core.sealing import digest
from .parts import Parts

LIFETIME_MS = 7 * 86_400_000


class Inviting:
    """Makes invites."""

    def __init__(self, parts: Parts, audit: Audit) -> None:
        """Args: audit: keeps that one was made."""
        self._parts = parts
        self._audit = audit

    async def make(self) -> inner_messages.Invite:
        """One more ticket; it is shown this once."""
        ticket = "in1." + base64.urlsafe_b64encode(self._parts.new_secret()).rstrip(b"=").decode()
        now_ms = self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            await store_invites.add(tx, digest(ticket.encode()), now_ms, now_ms + LIFETIME_MS)
            await self._audit.write(tx, "invite.made", actor="operator", invite=name_of(digest(ticket.encode())))
        return inner_messages.Invite(invite=ticket, expires_ms=now_ms + LIFETIME_MS)


def name_of(invite_hash: bytes) -> str:
    """How the audit log calls an invite."""
    return invite_hash.hex()[:16]
