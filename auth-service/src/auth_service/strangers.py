"""Guessing from unknown devices, beyond the tries of the last hour: rows of failures that shut a name, and what goes on around one name.

A row is counted before a password is looked at and taken back if it was right. It is ended only by the owner: a login from a known device, one with a code to an old
contact, or a recovery. Rows of names that nobody has are counted alike.
"""

import structlog

from . import store_accounts
from .core import weather
from .core.identifiers import parse_identifier
from .core.weather import Signs, Storm
from .limits import Limiter
from .outbox import Outbox
from .parts import Caller, Parts
from .store_accounts import Account

log = structlog.get_logger()


class Strangers:
    """Counts what unknown devices try."""

    def __init__(self, parts: Parts, limiter: Limiter, outbox: Outbox) -> None:
        """Args: outbox: opens contacts, which are names of their account too."""
        self._parts = parts
        self._limiter = limiter
        self._outbox = outbox
        self._storm = Storm()
        self._alarm_until_s = 0.0

    def tag_of(self, identifier: str) -> str:
        """The keyed mark of a name that somebody types."""
        return self._parts.seals.mark("identifier", parse_identifier(identifier).key).hex()

    async def work(self, tag: str, password: str, caller: Caller) -> int:
        """How many times the usual work a try is asked for, by what goes on around it; 0: none."""
        limiter, now_s = self._limiter, self._parts.clock()
        mark = self._parts.seals.mark("spray", password).hex()
        names = await limiter.gather(f"names:{caller.unit}", tag, weather.WINDOW_S) if caller.counted else 0
        sprayed = await limiter.gather(f"spray:{mark}", tag, weather.WINDOW_S)
        if weather.is_spray(sprayed):
            if now_s >= self._alarm_until_s:
                log.warning("password_sprayed", names=sprayed)
                self._parts.metrics.alarms.labels("spray").inc()
            self._alarm_until_s = now_s + weather.ALARM_S
        storm = self._storm.rages(now_s)
        self._parts.metrics.login_storm.set(storm)
        return weather.work(Signs(names, sprayed, now_s < self._alarm_until_s, storm))

    def outcome(self, *, failed: bool) -> None:
        """A login has ended, from whatever device."""
        self._storm.count(self._parts.clock(), failed=failed)

    async def count(self, tag: str, account: Account | None) -> tuple[int, int]:
        """Counts a try; returns how many there are in a row, for this name and for its account under all its names."""
        row = await self._limiter.row(self._keys(tag, account), 1)
        return row[0], row[1]

    async def was_right(self, tag: str, account: Account | None) -> None:
        """The try was no failure; the row goes on as it was."""
        await self._limiter.row(self._keys(tag, account), -1)

    async def owner_came(self, account: Account) -> None:
        """Whoever it was has given more than a password: rows of all names of the account end."""
        contacts = await store_accounts.contacts_of(self._parts.store.reading, account.id)
        names = [account.username, *(self._outbox.opened(contact) for contact in contacts)]
        keys = [self._name(self.tag_of(name)) for name in names]
        await self._limiter.end_rows([*keys, self._account(account.id)])

    def _keys(self, tag: str, account: Account | None) -> list[str]:
        # A name of nobody has a second row too, so that it costs the same.
        return [self._name(tag), self._account(account.id if account else f"nobody:{tag}")]

    def _name(self, tag: str) -> str:
        return f"name:{tag}"

    def _account(self, user: str) -> str:
        return f"account:{user}"
