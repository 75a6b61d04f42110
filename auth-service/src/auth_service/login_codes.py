"""Codes for logins of names that are shut, sent behind the answer.

Such a login is answered alike whether its password was right or not. Looking up where a code may go and writing it takes a millisecond or two, which a
stranger could measure over many tries: so it is done when the answer has gone. What waits is in memory alone: an answer promises no code, and whoever
gets none because the service ended in that moment logs in once more.
"""

import asyncio
import sqlite3
from collections import deque
from dataclasses import dataclass
from typing import Final

import structlog

from .contact_codes import ContactCodes
from .parts import Caller, Parts
from .store_accounts import Account

log = structlog.get_logger()

MOST: Final = 1000
"""Right passwords of shut names that may wait: far more than are answered while one code is written."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    owner: Account
    purpose: str
    caller: Caller


class LoginCodes:
    """Sends them, in order."""

    def __init__(self, parts: Parts, codes: ContactCodes) -> None:
        """Args: codes: knows where one may go."""
        self._parts = parts
        self._codes = codes
        self._wanted: deque[_Wanted] = deque()
        self._wake = asyncio.Event()

    def ask(self, owner: Account, purpose: str, caller: Caller) -> None:
        """Has a code sent to an old contact soon. Args: purpose: the ticket that it is for."""
        if len(self._wanted) >= MOST:
            log.warning("login_code_dropped")
            return
        self._wanted.append(_Wanted(owner, purpose, caller))
        self._parts.metrics.login_codes_waiting.set(len(self._wanted))
        self._wake.set()

    async def run(self) -> None:
        """Works, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._wanted:
                try:
                    await self._send(self._wanted[0])
                except sqlite3.Error as exc:  # a full disk must not end the process
                    log.error("login_code_failed", error=type(exc).__name__)
                self._wanted.popleft()
                self._parts.metrics.login_codes_waiting.set(len(self._wanted))

    async def _send(self, wanted: _Wanted) -> None:
        if await self._codes.may_send(wanted.owner.id):
            async with self._parts.store.writing() as tx:
                await self._codes.post_for_login(tx, wanted.owner, wanted.purpose, wanted.caller)
