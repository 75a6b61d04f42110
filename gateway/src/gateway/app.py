"""Where the gateway's parts meet, and how it starts, runs and drains. The only place that builds anything."""

import asyncio
import os
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore
from prometheus_client import CollectorRegistry

from garita_common import bus, inner, runtime
from garita_common.config import ConfigError
from garita_common.core import channels
from garita_common.core.bans import Ban, BanBook
from garita_common.core.tokens import Keyring
from garita_common.emitter import Emitter
from garita_common.logs import AddressHash, Sparingly

from .alive import Alive
from .attach import Attacher, AttachLimits
from .bans_feed import BansFeed
from .blobs import open_store
from .challenges import Challenges
from .chat_link import ChatLink
from .clock import Clock
from .config import GatewayConfig
from .core.admission import Admission
from .core.allowance import Allowances
from .core.enforcement import Enforcement
from .core.transfers import TransferLimits
from .core.wheel import Wheel
from .desk import Desk, close_banned
from .doors import Doors
from .drain import Drain
from .entrance import Entrance
from .errands import Errands
from .files import Files
from .ground import Due, Ground
from .hints import Hints
from .hub import Hub
from .keys import KeyFeed
from .metrics import Metrics
from .neighbours import HostCounts
from .people import People
from .presence import Presence
from .renewing import Introspection, Renewing
from .revocations_feed import RevocationsFeed
from .shares import Shares
from .subscriptions import Subscriptions
from .sweeper import TICK_S, Chore, Sweeper
from .tables import Tables
from .transfers import Transfers

log = structlog.get_logger()


class Stopped(Exception):
    """The gateway has drained."""


class Gateway:
    """One gateway process, built but not started."""

    def __init__(self, config: GatewayConfig, clock: Clock, registry: CollectorRegistry) -> None:
        """Args: registry: for the metrics; a fresh one in tests.

        Raises:
            ConfigError: a secret is missing or a store cannot be had.
        """
        self.config = config
        self.clock = clock
        self.id = os.urandom(8).hex()
        self.draining = False
        self.started = asyncio.Event()
        self.inner_port = 0
        self.metrics = Metrics(registry)
        self._registry = registry
        self._sparingly = Sparingly(clock.monotonic)
        self._build()

    def _build(self) -> None:
        config, clock, metrics = self.config, self.clock, self.metrics
        self._hash_address = AddressHash(config.secret("address_key"))
        self._client = bus.connect(config.redis_url, timeout_s=config.request_timeout_s)
        self._emitter = Emitter(bus.connect(config.redis_url), self._registry, "gateway")
        self._listener = bus.Listener(config.redis_url, self._heard, self._linked)
        self._ban_book = BanBook()
        self.alive = Alive(self._client, self.id, clock, every_s=config.alive_every_s, gone_s=config.alive_gone_s)
        self._enforcement = Enforcement(config.on_trial)
        self._shares = Shares(
            self._client, self.id, clock, config.share_limits, self._enforcement, lambda: self.alive.ids
        )
        self.people = People(clock, self._ban_book, config.loopback, issuer=config.issuer)
        self._errands = Errands(clock, metrics, config.attaching)
        self._chat = ChatLink(
            self._client,
            self.id,
            clock,
            metrics,
            timeout_s=config.request_timeout_s,
            max_waiting=config.requests_waiting,
            batch_bytes=config.batch_bytes,
        )
        self._presence = Presence(
            self._client,
            self.id,
            self.alive,
            self._chat,
            clock,
            metrics,
            grace_s=config.presence_grace_s,
            lease_s=config.presence_lease_s,
        )
        self._subscriptions = Subscriptions(self._listener)
        self.hub = Hub(self._chat, self._subscriptions, self._errands, clock, metrics, keep_s=config.room_keep_s)
        self._transfers = Transfers(_store(config.blob_url), TransferLimits(window=config.transfer_window))
        now_s = clock.monotonic()
        self.neighbours = (
            HostCounts(config.shared_counts, config.secret("address_key"), config.connections)
            if config.shared_counts is not None
            else None
        )
        admission = Admission(
            replace(config.admission_limits, enforcement=self._enforcement),
            self._ban_book,
            config.loopback,
            now_s,
            self.neighbours,
        )
        self._entrance = Entrance(admission, config.trusted, clock, metrics, self._emitter, self._hash_address)
        allowances = Allowances(config.user_limits(config.limiter_keys))
        hints = Hints(self._chat, clock, metrics, typing_every_s=config.typing_every_s, max_keys=config.limiter_keys)
        self._tables = Tables(metrics, clock.monotonic, [admission.tables, allowances.tables, hints.tables])
        introspection = _introspection(config)
        self._challenges = Challenges(clock, metrics, self.people, self._ban_book, self._errands, introspection)
        self.desk = Desk(
            config,
            self.id,
            clock,
            metrics,
            self._emitter,
            entrance=self._entrance,
            people=self.people,
            chat=self._chat,
            hub=self.hub,
            attacher=Attacher(
                self._chat, self.hub, metrics, AttachLimits(config.rooms_per_connection, config.recovery_bytes)
            ),
            files=Files(self._transfers, self._chat, self._errands),
            presence=self._presence,
            hints=hints,
            errands=self._errands,
            shares=self._shares,
            allowances=allowances,
            enforcement=self._enforcement,
            renewing=Renewing(clock, metrics, self.people, self._shares, self._errands, introspection, self.missing),
            challenges=self._challenges,
            ready=lambda: not self.missing(),
        )
        self._drain = Drain(self.desk.connections, clock, config.drain_times, is_alone=lambda: len(self.alive.ids) == 1)
        self.desk.leaving = self._drain.leaving
        self._chat.on_reply = self._errands.desk = self.hub.on_personal = self.desk
        self._bans = BansFeed(self._client, self._ban_book, self._banned, clock, every_s=config.feeds_every_s)
        self._revocations = RevocationsFeed(self._client, self.people.revoke, clock, every_s=config.feeds_every_s)
        self._keys = KeyFeed(
            config.auth_url, self._take_keys, every_s=config.keys_every_s, timeout_s=config.request_timeout_s
        )
        wheel: Wheel[Due] = Wheel(TICK_S)
        numbers = count(1)
        self._ground = Ground(
            clock=clock,
            wheel=wheel,
            metrics=metrics,
            limits=replace(config.session_limits, enforcement=self._enforcement),
            queue_bytes=config.queue_bytes,
            sndbuf_bytes=config.sndbuf_bytes,
            close_s=config.close_s,
            write_timeout_s=config.write_timeout_s,
            draw_jitter=lambda: random.uniform(0.9, 1.1),  # noqa: S311 - spreads pings, hides nothing
            next_id=lambda: next(numbers),
        )
        self._doors = Doors(config, self._ground, self.desk, self._entrance, clock, metrics)
        self._sweeper = Sweeper(
            wheel,
            clock,
            [
                Chore("expire", TICK_S, lambda: self._chat.expire(clock.monotonic())),
                Chore("rooms", 5.0, self.hub.sweep),
                Chore("heads", config.heads_every_s, self.hub.compare_heads),
                Chore("challenges", 1.0, self._challenges.sweep),
                Chore("shares", 1.0, self._shares.report_alone),
                Chore("gauges", 1.0, self._measure),
                *([Chore("neighbours", 1.0, self.neighbours.look)] if self.neighbours is not None else []),
            ],
        )

    @property
    def http_port(self) -> int:
        """The HTTP port in use."""
        return self._doors.http_port

    @property
    def tcp_port(self) -> int:
        """The TCP port in use."""
        return self._doors.tcp_port

    @property
    def bans_held(self) -> int:
        """How many bans are known here."""
        return len(self._ban_book)

    async def serve(self, stop: asyncio.Event) -> None:
        """Runs until `stop` is set, then drains.

        Raises:
            ConfigError: an address cannot be had.
        """
        try:
            async with AsyncExitStack() as stack:
                if self.neighbours is not None:
                    stack.enter_context(self.neighbours.running())
                await self._doors.open(stack)
                await self._open_inner(stack)
                try:
                    async with asyncio.TaskGroup() as tasks:
                        for name, part in self._parts().items():
                            tasks.create_task(part, name=name)
                        self.started.set()
                        log.info("gateway_started", http=self.http_port, tcp=self.tcp_port, id=self.id)
                        await stop.wait()
                        self.draining = True
                        self._doors.close()
                        await self._drain.run()
                        await self._shares.finish(self.config.close_s)
                        raise Stopped
                except* Stopped:
                    pass
        finally:
            await self._client.aclose()

    async def _open_inner(self, stack: AsyncExitStack) -> None:
        checks = {name: self._check(name) for name in ("redis", "bans", "revocations", "keys", "draining")}
        self.inner_port = await stack.enter_async_context(
            runtime.listening(inner.application(self._registry, checks), self.config.inner_host, self.config.inner_port)
        )

    def _parts(self) -> dict[str, Coroutine[Any, Any, None]]:
        return {
            "bus": self._listener.run(),
            "subscriptions": self._subscriptions.run(),
            "chat-link": self._chat.run(),
            "alive": self.alive.run(),
            "presence": self._presence.run(),
            "shares": self._shares.run(),
            "activity": self._emitter.run(),
            "errands": self._errands.run(),
            "transfers": self._transfers.run(),
            "sweeper": self._sweeper.run(),
            "keys": self._keys.run(),
            "bans": self._bans.run(),
            "revocations": self._revocations.run(),
            "own-channels": self._own_channels(),
            **self._doors.parts(),
        }

    async def _own_channels(self) -> None:
        """What this gateway hears besides rooms and users; wanted from the first link on."""
        try:
            await self._listener.subscribe(
                [channels.gateway(self.id), channels.peer(self.id), channels.BAN_PUSH, channels.REVOKED_CHANNEL]
            )
        except (bus.Unlinked, TimeoutError):
            pass  # they are wanted now, and every link subscribes what is wanted before it counts as one

    # What comes from Redis

    def _heard(self, channel: str, data: bytes) -> None:
        """One message; a fault in it is logged and ends nothing."""
        try:
            if channel.startswith("room:"):
                self.hub.room_message(channel, data)
            elif channel.startswith("gw:"):
                self._chat.received(data)
            elif channel.startswith("user:"):
                self.hub.user_message(channel, data)
            elif channel.startswith("peer:"):
                self._shares.heard(data)
            elif channel == channels.BAN_PUSH:
                self._bans.pushed(data)
            elif channel == channels.REVOKED_CHANNEL:
                self._revocations.pushed(data)
        except Exception:
            self.metrics.faults.labels("bus").inc()
            if self._sparingly.due("bus", channel.split(":", 1)[0]):
                log.exception("bus_message_failed")

    async def _linked(self) -> None:
        """There is a new link: whatever was said in between was missed."""
        self._bans.reload()
        self._revocations.reload()
        self._shares.relinked()
        self.hub.compare_heads()
        await self.hub.check_users()

    def _banned(self, new: list[Ban]) -> None:
        for connection, ban in self.people.enforce(new, list(self.desk.connections.values())):
            close_banned(connection, ban)
        self._challenges.asked(new)

    def _take_keys(self, keyring: Keyring) -> None:
        self.people.keyring = keyring

    # Readiness and figures

    def missing(self) -> list[str]:
        """What keeps this gateway from letting anybody in."""
        state = {
            "redis": self._listener.linked,
            "bans": self._ban_book.loaded,
            "revocations": self._revocations.loaded,
            "keys": len(self.people.keyring) > 0,
            "draining": not self.draining,
        }
        return [name for name, holds in state.items() if not holds]

    def _check(self, name: str) -> inner.Check:
        async def check() -> bool:
            return name not in self.missing()

        return check

    def _measure(self) -> None:
        metrics = self.metrics
        metrics.ready.set(0 if self.missing() else 1)
        metrics.users.set(len(self.people))
        metrics.sessions.set(sum(1 for connection in self.desk.connections.values() if connection.claims is not None))
        metrics.feeds.set(len(self.hub))
        metrics.waiting.set(self._chat.waiting)
        self._tables.measure()
        metrics.count_trials(self._enforcement.would_refuse)


def _introspection(config: GatewayConfig) -> Introspection | None:
    if not config.auth_inner_url:
        return None
    token = config.secret("service_token")
    return Introspection(config.auth_inner_url, token, timeout_s=config.request_timeout_s)


def build(config: GatewayConfig, *, clock: Clock, registry: CollectorRegistry) -> Gateway:
    """A gateway of these settings."""
    return Gateway(config, clock, registry)


async def run(config: GatewayConfig, stop: asyncio.Event) -> None:
    """The process's whole life."""
    await build(config, clock=Clock(), registry=CollectorRegistry()).serve(stop)


def _store(url: str) -> ObjectStore:
    try:
        return open_store(url)
    except (BaseError, OSError, ValueError) as exc:
        raise ConfigError("GARITA_GATEWAY_BLOB_URL is not the address of a store that can be used.") from exc
