"""Delivers what the outbox holds: at least once, never lost, and nothing hammered.

Each kind of message and each queue has a lane of its own, so that a receiver that hangs, or codes that pile up, never hold a warning back. A lane takes what is
due, and first moves the time of its next try on (`claim`); then it hands the message over, and only then deletes it. A process killed before the hand-over
repeats it a minute later; one killed between hand-over and deletion sends it once more under the same Message-ID, by which mail programs know it. A disk that is full
stops sending instead of sending again and again.
"""

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Protocol

import structlog

from garita_common.config import Mode

from . import store_contacts, store_outbox
from .changes import Changes
from .core.events import Kind
from .core.identifiers import ContactKind
from .core.parcels import Outcome, Parcel
from .core.retrying import Queue, wait_ms
from .core.sealing import SealBroken
from .outbox import Outbox, country_of
from .parts import Parts
from .store import Db
from .store_outbox import Posted

log = structlog.get_logger()

EVERY_S = 0.25
"""How late a message may be looked at: below what a person who waits for a code notices, and four look-ups a second cost nothing."""
AT_ONCE = 4
"""Tries of one lane in progress. One hop takes a few connections gladly, and a single one that hangs must not hold the others up."""
GIVEN_UP = "given_up"
SHOWN_ON_MS = 86_400_000


class Carrier(Protocol):
    """Hands messages of one kind to the next hop."""

    async def carry(self, parcel: Parcel) -> Outcome:
        """Tries once, within a deadline of its own, and raises nothing of its hop's."""
        ...


class Courier:
    """The task that delivers."""

    def __init__(self, parts: Parts, outbox: Outbox, carriers: Mapping[ContactKind, Carrier], changes: Changes) -> None:
        """Args: carriers: by the kinds that are delivered here; changes: tells people of a number that is in doubt."""
        self._parts = parts
        self._outbox = outbox
        self._carriers = carriers
        self._changes = changes

    async def run(self) -> None:
        """Delivers, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch(), name="outbox-watch")
            for kind, carrier in self._carriers.items():
                for queue in Queue:
                    tasks.create_task(self._lane(kind, queue, carrier), name=f"outbox-{kind.value}-{queue.value}")

    async def _lane(self, kind: ContactKind, queue: Queue, carrier: Carrier) -> None:
        while True:
            rows: list[Posted] = []
            try:
                rows = await self._claimed(kind, queue)
                if rows:
                    async with asyncio.TaskGroup() as tries:
                        for row in rows:
                            tries.create_task(self._try(row, carrier), name="outbox-try")
            except* sqlite3.Error as group:  # what is not marked is tried again when its next time comes
                log.error("outbox_failed", error=type(group.exceptions[0]).__name__)
                rows = []
            if not rows:
                await asyncio.sleep(EVERY_S)

    async def _claimed(self, kind: ContactKind, queue: Queue) -> list[Posted]:
        store, now_ms = self._parts.store, self._parts.now_ms()
        if not await store_outbox.due(store.reading, kind, queue, now_ms, 1):
            return []
        async with store.writing() as tx:
            rows = await store_outbox.due(tx, kind, queue, now_ms, AT_ONCE)
            await store_outbox.claim(tx, [(row.id, now_ms + wait_ms(row.tries + 1)) for row in rows])
        return rows

    async def _try(self, row: Posted, carrier: Carrier) -> None:
        country = ""
        try:
            parcel = self._outbox.parcel(row)
            country = country_of(parcel.to) if row.kind is ContactKind.PHONE else ""
            outcome = await carrier.carry(parcel)
        except SealBroken:
            log.error("outbox_unreadable")  # a row of a foreign database: no try will ever open it
            outcome = Outcome.UNKNOWN
        self._count(row.kind, outcome.value, country)
        if outcome is Outcome.LATER:
            return
        async with self._parts.store.writing() as tx:
            await store_outbox.drop(tx, row.id)
            if outcome is not Outcome.SENT and row.queue is Queue.NOTICES:
                await self._changes.audit.write(tx, "notice.failed", channel=row.kind.value, reason=outcome.value)
            if outcome is not Outcome.SENT:
                await store_outbox.add_failure(tx, row.contact_mark, outcome.value, self._parts.now_ms())
            if outcome is Outcome.STOPPED:
                await self._doubt(tx, row.contact_mark)
        if outcome is not Outcome.SENT and row.queue is Queue.NOTICES:
            log.warning("notice_refused", kind=row.kind.value, reason=outcome.value)

    async def _doubt(self, tx: Db, mark: bytes) -> None:
        """Whoever has the number wants nothing from us, so it may be somebody else's by now: it counts for nothing until it is proved again."""
        for contact in await store_contacts.with_mark(tx, mark):
            if not contact.suspect:
                await store_contacts.doubt(tx, contact.id)
                await self._changes.note(tx, contact.user, Kind.NUMBER_SUSPECT, contact.id)

    async def _watch(self) -> None:
        """Gives up what is of no use any more, and measures."""
        while True:
            try:
                await self._give_up()
                await self._measure()
            except sqlite3.Error as exc:
                log.error("outbox_failed", error=type(exc).__name__)
            await asyncio.sleep(EVERY_S * 4)

    async def _give_up(self) -> None:
        store, now_ms = self._parts.store, self._parts.now_ms()
        is_demo = self._parts.config.mode is Mode.DEMO
        if is_demo:  # where messages are only looked at, yesterday's are still of use
            now_ms -= SHOWN_ON_MS
        if not await store_outbox.is_stale(store.reading, now_ms):
            return
        async with store.writing() as tx:
            stale = await store_outbox.drop_stale(tx, now_ms)
        if is_demo:
            return
        for kind, queue, tries in stale:
            self._count(kind, GIVEN_UP, "")
            if queue is Queue.NOTICES:
                log.error("notice_given_up", kind=kind.value, tries=tries)
                self._changes.audit.later("notice.failed", channel=kind.value, reason="given_up")

    async def _measure(self) -> None:
        metrics, reading, now_ms = self._parts.metrics, self._parts.store.reading, self._parts.now_ms()
        notices, oldest_ms = await store_outbox.waiting(reading, Queue.NOTICES)
        metrics.notice_queue.set(notices)
        metrics.notice_lag.set(0 if oldest_ms is None else max(0, now_ms - oldest_ms) / 1000)
        spending = self._parts.config.spending()
        by_country = await store_outbox.texts_by_country(reading, now_ms)
        metrics.sms_share.labels("all").set(sum(by_country.values()) / max(1, spending.per_day))
        for country in spending.countries:
            metrics.sms_share.labels(country).set(by_country.get(country, 0) / max(1, spending.per_country))
            ripe, confirmed = await store_outbox.answered(reading, country, now_ms)
            if ripe:
                metrics.sms_confirm_ratio.labels(country).set(confirmed / ripe)

    def _count(self, kind: ContactKind, result: str, country: str) -> None:
        if kind is ContactKind.EMAIL:
            self._parts.metrics.mails.labels(result).inc()
            return
        known = country if country in self._parts.config.spending().countries else "other"
        self._parts.metrics.texts.labels(known, result).inc()
