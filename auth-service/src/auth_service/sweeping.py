"""The retention of everything: what is over is forgotten, once a minute."""

import asyncio
import sqlite3

import structlog

from . import (
    store_appeals,
    store_flows,
    store_freezes,
    store_invites,
    store_leaving,
    store_notices,
    store_outbox,
    store_places,
    store_recoveries,
    store_sessions,
)
from .audit import Audit
from .core.recovery.horizon import DISPUTE_MS
from .core.recovery.places import OLDEST_MS
from .keys import Signer
from .parts import Parts
from .sessions import DAY_MS

log = structlog.get_logger()

SWEEP_S = 60.0
GRACE_KEPT_MS = 120_000
"""Twice the grace: a successor's secret is emptied only when nobody may ask for it any more."""
ENDED_KEPT_MS = 7 * DAY_MS
EVENTS_KEPT_MS = 180 * DAY_MS
"""Half a year of an account's events, for its owner to look at."""


async def sweep(parts: Parts, signer: Signer, audit: Audit) -> None:
    """Forgets what is over, once a minute."""
    while True:
        now_ms = parts.now_ms()
        try:
            async with parts.store.writing() as tx:
                await store_sessions.sweep(tx, now_ms - GRACE_KEPT_MS, now_ms - ENDED_KEPT_MS)
                await store_appeals.sweep(tx, now_ms)
                await store_flows.sweep(tx, now_ms, now_ms - DAY_MS)
                if released := await store_leaving.sweep(tx, now_ms):
                    await audit.write(tx, "username.released", count=released)
                for user, dispute in await store_freezes.lapse(tx, now_ms - DISPUTE_MS):
                    await audit.write(tx, "dispute.lapsed", subject=user, id=dispute)
                await store_invites.sweep(tx, now_ms - DAY_MS)
                await store_outbox.sweep(tx, now_ms)
                await store_notices.sweep(tx, now_ms, now_ms - EVENTS_KEPT_MS)
                await store_recoveries.sweep(tx, now_ms - DAY_MS)
                await store_places.sweep(tx, now_ms - OLDEST_MS)
        except sqlite3.Error as exc:  # a full disk must not end the process: logins that only read go on
            log.error("sweep_failed", error=type(exc).__name__)
        await audit.say_head()
        await audit.look()
        parts.metrics.recovery_holds.set(await store_recoveries.holds_open(parts.store.reading))
        parts.metrics.appeals_open.set(await store_appeals.count_open(parts.store.reading))
        parts.metrics.key_age.set(max(0, now_ms - signer.signs_ms) / 1000)
        await asyncio.sleep(SWEEP_S)
