"""The contacts of banned people: nobody registers anew with one while the ban lasts, also after the account is gone.

What is kept is the keyed mark of each proved contact, for as long as the book of bans has its user; whether that ban is in force is asked of the book, so that a lifted
ban frees its contacts at once.
"""

from garita_common.core.bans import Ban

from . import store_leaving
from .ban_watch import BanWatch
from .parts import Parts
from .store import Db

AGAIN_MS = 30_000
"""How late a contact that a banned user adds is known."""


class BannedContacts:
    """Keeps them, and knows them."""

    def __init__(self, parts: Parts, bans: BanWatch) -> None:
        """Args: bans: says who is banned."""
        self._parts = parts
        self._bans = bans
        self._known: frozenset[str] | None = None
        self._at_ms = 0

    async def ban_of(self, db: Db, mark: bytes) -> Ban | None:
        """The ban of whose contact this is or was."""
        now_ms = self._parts.now_ms()
        found = [self._bans.book.of_person(user, "", now_ms) for user in await store_leaving.banned_owners(db, mark)]
        return next((ban for ban in found if ban is not None), None)

    async def keep(self) -> None:
        """Follows the book. A book that is not there yet says nothing."""
        now_ms = self._parts.now_ms()
        if not self._bans.book.loaded:
            return
        banned = frozenset(self._bans.book.of_users(now_ms))
        if banned == self._known and (not banned or now_ms < self._at_ms + AGAIN_MS):
            return
        async with self._parts.store.writing() as tx:
            await store_leaving.keep_contacts(tx, banned)
        self._known, self._at_ms = banned, now_ms

    async def keep_of(self, tx: Db, user: str) -> None:
        """An account is about to go: its contacts stay, if it is banned."""
        banned = frozenset(self._bans.book.of_users(self._parts.now_ms()))
        if user in banned:
            await store_leaving.keep_contacts(tx, banned)
