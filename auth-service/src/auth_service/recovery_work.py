"""What a recovery causes behind its answers: its owner is told, codes are sent, and what is out of time goes on.

Everything here was written down by a request first, and is one transaction that does the thing and takes it off the list: a process killed at any point does it
once, later. A code goes to the one phone that the rules name, or to every address that counts, each its own, within the caps of the outbox.
"""

import asyncio
import sqlite3
from typing import Final

import structlog

from . import outbox, store_accounts, store_outbox, store_proofs, store_recoveries
from .changes import Changes
from .core import codes, texts
from .core.events import Kind
from .core.identifiers import ContactKind
from .core.recovery import flow as flows
from .core.recovery import life, phones
from .core.recovery.facts import FactorKind, Facts
from .core.recovery.flow import Phase
from .core.recovery.horizon import horizon_ms
from .core.requests import Locale
from .outbox import Outbox
from .parts import Parts
from .store import Db
from .store_proofs import Reached
from .store_recoveries import Asked, Recovery
from .weighing import NOBODY, Weighing

log = structlog.get_logger()

EVERY_S: Final = 1.0
APART_MS: Final = 60_000
"""Between two codes of one recovery to one number or address."""


class RecoveryWork:
    """Does what waits, at once when it is woken and every second."""

    def __init__(self, parts: Parts, weighing: Weighing, changes: Changes, messages: Outbox) -> None:
        """Args: changes: tells owners; messages: takes the codes."""
        self._parts = parts
        self._weighing = weighing
        self._changes = changes
        self._outbox = messages
        self._wake = asyncio.Event()

    def wake(self) -> None:
        """There is something to do."""
        self._wake.set()

    async def run(self) -> None:
        """Works, until cancelled."""
        while True:
            self._wake.clear()
            try:
                await self.once()
            except sqlite3.Error as exc:  # a full disk must not end the process; what waits stays
                log.error("recovery_work_failed", error=type(exc).__name__)
            try:
                async with asyncio.timeout(EVERY_S):
                    await self._wake.wait()
            except TimeoutError:
                pass

    async def once(self) -> None:
        """Does all that waits now."""
        store = self._parts.store
        for flow_id, user in await store_recoveries.unannounced(store.reading):
            async with store.writing() as tx:
                if await store_recoveries.announced(tx, flow_id):
                    await self._changes.note(tx, user, Kind.RECOVERY_STARTED, flow_id)
        for asked in await store_recoveries.codes_asked(store.reading):
            async with store.writing() as tx:
                if await store_recoveries.drop_asked(tx, asked.id):
                    await self._send(tx, asked)
        for flow_id in await store_recoveries.out_of_time(store.reading, self._parts.now_ms()):
            async with store.writing() as tx:
                recovery = await store_recoveries.by_id(tx, flow_id)
                if recovery is not None:
                    await self._weighing.time_out(tx, recovery)
        for flow_id in await store_recoveries.slow_with_owner(store.reading):
            await self._end_slow(flow_id)

    async def _end_slow(self, flow_id: str) -> None:
        """The owner is there: nobody needs the slow lane."""
        async with self._parts.store.writing() as tx:
            recovery = await store_recoveries.by_id(tx, flow_id)
            if recovery is None:
                return
            facts = await self._weighing.facts(tx, recovery)
            if await self._weighing.owner_is_active(tx, recovery, facts):
                await self._weighing.settle(tx, recovery, flows.owner_acts(recovery.flow))

    async def _send(self, tx: Db, asked: Asked) -> None:
        recovery = await store_recoveries.by_id(tx, asked.flow)
        if recovery is None or recovery.user is None or not self._may_send(recovery):
            return
        account = await store_accounts.by_id(tx, recovery.user)
        if account is None:
            return
        facts = await self._weighing.facts(tx, recovery)
        ids = await self._to_ask(tx, recovery, facts, asked.kind)
        for contact in await store_proofs.contacts_in(tx, recovery.user, ids):
            await self._send_code(tx, recovery, contact, account.locale, asked.prefix)

    def _may_send(self, recovery: Recovery) -> bool:
        flow = flows.expire(recovery.flow, self._parts.now_ms())
        is_back = flow.phase is Phase.HOLDING and self._parts.now_ms() >= flow.not_before_ms
        return flow.phase is Phase.COLLECTING or is_back

    async def _to_ask(self, tx: Db, recovery: Recovery, facts: Facts, kind: ContactKind) -> list[str]:
        """The oldest phone that is not given up, or all addresses that count."""
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        if kind is ContactKind.EMAIL:
            return [
                factor.id
                for factor in facts.factors
                if factor.kind is FactorKind.EMAIL and life.counts(factor, facts.policy, line_ms, now_ms)
            ]
        releases = await store_recoveries.releases_of(tx, recovery.flow.id)
        dead = await store_outbox.dead_phones(tx, recovery.user or NOBODY)
        phone = phones.to_ask(phones.in_order(facts, line_ms, now_ms), phones.given_up(releases, dead, now_ms))
        return [] if phone is None else [phone.id]

    async def _send_code(self, tx: Db, recovery: Recovery, contact: Reached, locale: Locale, prefix: bytes) -> None:
        parts = self._parts
        now_ms = parts.now_ms()
        if await self._went_just_now(tx, recovery, contact):
            return
        code = codes.code_from(parts.random_below(10**codes.CODE_DIGITS))
        mark = parts.seals.mark("recovery-code", recovery.flow.id, contact.id, code)
        to = parts.seals.open("contact", contact.id, contact.sealed_value).decode()
        who = outbox.Asked(user=recovery.user or NOBODY, known=recovery.known, prefix=prefix)
        text = texts.recovery_code(locale, code)
        # What a cap holds back leaves the code good that was sent before.
        if await self._outbox.post(
            tx, contact.kind, to, text, code=code, asked=who, good_for_ms=codes.CODE_LIFETIME_MS
        ):
            await store_recoveries.set_code(tx, recovery.flow.id, contact.id, mark, now_ms + codes.CODE_LIFETIME_MS)

    async def _went_just_now(self, tx: Db, recovery: Recovery, contact: Reached) -> bool:
        """Whether a code for it is on its way already: pressed twice, the button sends one."""
        now_ms = self._parts.now_ms()
        return any(
            sent.contact == contact.id and sent.expires_ms > now_ms + codes.CODE_LIFETIME_MS - APART_MS
            for sent in await store_recoveries.codes_of(tx, recovery.flow.id)
        )
