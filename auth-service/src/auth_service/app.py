"""Where the parts meet: `running` is the whole service while its block runs, `run` what `python -m auth_service` does until its end."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

import redis.asyncio as redis
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry
from redis.exceptions import RedisError

from garita_common import bus, inner
from garita_common.config import Mode, Secret
from garita_common.emitter import Emitter
from garita_common.runtime import listening

from . import (
    admin_routes,
    appeal_routes,
    carriers,
    challenge_routes,
    factor_routes,
    leaving_routes,
    own_routes,
    recovery_routes,
    session_routes,
)
from .account import Profile
from .admin_routes import AdminHandlers
from .administering import Administering
from .admitting import Admitting
from .answering import Answering
from .appeal_routes import AppealHandlers
from .appealing import Appealing
from .audit import Audit
from .ban_watch import BanWatch
from .banned_contacts import BannedContacts
from .ceremonies import Ceremonies
from .challenge_routes import ChallengeHandlers
from .challenges import Challenges
from .changes import Changes
from .clears import Clears
from .completing import Completing
from .config import AuthConfig
from .contact_codes import ContactCodes
from .contacts import Contacts
from .core.credentials import RelyingParty
from .core.identifiers import ContactKind
from .core.sealing import Seals
from .courier import Carrier, Courier
from .describing import Describing
from .devices import Devices
from .edge import Edge
from .ending import Ending
from .exporting import Exporting
from .factor_routes import FactorHandlers
from .freezing import Freezing
from .geo import GeoFiles
from .granting import Granting
from .hashing import HashPool
from .inside import Inside, attach
from .introspecting import Introspecting
from .inviting import Inviting
from .keys import Signer
from .leaving import Leaving
from .leaving_routes import LeavingHandlers
from .limits import Limiter
from .login import Login
from .login_codes import LoginCodes
from .looking import Looking
from .metrics import Metrics
from .objecting import Objecting
from .opening import database, signer_of
from .origins import Cookies, Origins
from .outbox import Outbox
from .outcomes import Outcomes
from .outside import Outside
from .own_devices import OwnDevices
from .own_events import OwnEvents
from .own_routes import OwnHandlers
from .parts import Parts, entropy_of_system
from .passkey_login import PasskeyLogin
from .passkeys import Passkeys
from .picture_maker import Maker, ProcessMaker
from .picture_pool import PicturePool
from .pictures import Pictures
from .places import Places
from .proofs import Proofs
from .recovering import Recovering
from .recovery_routes import RecoveryHandlers
from .recovery_work import RecoveryWork
from .refreshing import Refreshing
from .registration import Registration
from .removing import Removing
from .revoking import Revoking
from .routes import Handlers, table
from .saved_codes import SavedCodes
from .second_factors import SecondFactors
from .secret_question import SecretQuestion
from .session_routes import SessionHandlers
from .sessions import Sessions
from .stepping_up import SteppingUp
from .store import one
from .strangers import Strangers
from .sweeping import sweep
from .tending import Tending
from .text_price import TextPrice
from .ticket_codes import TicketCodes
from .totp_life import TotpLife
from .weighing import Weighing

log = structlog.get_logger()

REDIS_S = 1.0
"""Limits and challenges are asked on the way of a request: a Redis that takes longer counts as away."""


OWN_LINKS = 16
"""Connections to Redis for the service's own tasks and checks."""


class _Stopping(Exception):
    """Ends the service's tasks together."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where the service listens."""

    port: int
    inner_port: int
    admin_port: int


@dataclass(frozen=True, slots=True)
class Service:
    """The parts that have a task or a listener of their own."""

    api: web.Application
    admin: web.Application
    inside: web.Application
    emitter: Emitter
    bans: BanWatch
    revoking: Revoking
    tending: Tending
    audit: Audit
    recovery: RecoveryWork
    login_codes: LoginCodes
    pool: PicturePool
    courier: Courier
    geo: GeoFiles


async def run(config: AuthConfig, stop: asyncio.Event) -> None:
    """Serves until `stop` is set."""
    async with running(config, clock=time.time) as ports:
        log.info("listening", port=ports.port, inner_port=ports.inner_port, admin_port=ports.admin_port)
        await stop.wait()
        log.info("stopping")


@asynccontextmanager
async def running(
    config: AuthConfig,
    *,
    clock: Callable[[], float],
    entropy: Callable[[int], bytes] = entropy_of_system,
    maker: Maker | None = None,
    outside: carriers.MakesOutside = Outside,
) -> AsyncIterator[Running]:
    """The service, listening and working, while the block runs.

    Args: clock: Unix seconds; entropy: random bytes; maker: of pictures, None for the real one; outside: makes the guarded client.

    Raises:
        ConfigError: settings, secrets or the database are not usable.
    """
    seals, pepper, outbox_key = Seals(config.data_key()), config.secret("auth_pepper").bytes(), config.outbox_key()
    registry = CollectorRegistry()
    metrics = Metrics(registry)
    # Every request in progress may wait for one answer of Redis: a request without a connection would have to be judged without Redis.
    client = bus.connect(config.redis_url, timeout_s=REDIS_S, max_connections=config.open_requests + OWN_LINKS)
    hashes = HashPool(config, pepper, metrics)
    try:
        async with database(config) as store:
            parts = Parts(config, store, seals, metrics, clock, entropy)
            audit = Audit(parts, config.secret("audit_key").bytes())
            signer = await signer_of(parts, audit)
            ways, geo = carriers.of(config, outside), GeoFiles(config, metrics, clock)
            service = build(
                parts, audit, signer, hashes, client, registry, outbox_key, maker or ProcessMaker(), ways, geo
            )
            async with _working(parts, signer, service):
                async with (
                    listening(service.inside, config.inner_host, config.inner_port) as inner_port,
                    listening(service.admin, config.admin_host, config.admin_port) as admin_port,
                    listening(service.api, config.http_host, config.http_port) as port,
                ):
                    yield Running(port, inner_port, admin_port)
    finally:
        hashes.close()
        await client.aclose()


def build(
    parts: Parts,
    audit: Audit,
    signer: Signer,
    hashes: HashPool,
    client: "redis.Redis",
    registry: CollectorRegistry,
    outbox_key: Secret | None,
    maker: Maker,
    ways: Mapping[ContactKind, Carrier],
    geo: GeoFiles,
) -> Service:
    """The service's objects, put together; nothing runs or listens yet."""
    config = parts.config
    demo = config.mode is Mode.DEMO
    emitter = Emitter(client, registry, "auth")
    bans = BanWatch(client, config.redis_url, parts.now_ms)
    limiter = Limiter(client, parts.metrics, parts.clock)
    revoking = Revoking(parts, client)
    outbox = Outbox(parts, ways)
    challenges = Challenges(parts, client, emitter, audit)
    pool = PicturePool(parts, maker)
    pictures = Pictures(parts, client, pool)
    clears = Clears(parts, client, pictures, emitter, audit)
    changes = Changes(parts, outbox, audit)
    devices = Devices(parts, changes)
    places = Places(parts, geo)
    sessions = Sessions(parts, signer, revoking, changes, devices, places)
    ceremonies = Ceremonies(parts, client, RelyingParty.of(config.origins_in_order(), demo=demo))
    factors = SecondFactors(parts, hashes, ceremonies, changes)
    weighing = Weighing(parts, places, changes)
    objecting = Objecting(parts, weighing, devices, limiter)
    freezing = Freezing(parts, sessions, devices, changes, limiter, objecting)
    looking = Looking(challenges, pictures)
    price = TextPrice(limiter, challenges, looking)
    contact_codes = ContactCodes(parts, limiter, outbox, price)
    stepping_up = SteppingUp(parts, sessions, limiter, hashes, factors, devices, contact_codes, freezing)
    strangers = Strangers(parts, limiter, outbox)
    admitting = Admitting(parts, limiter, challenges, looking, strangers)
    outcomes = Outcomes(parts, sessions, strangers, emitter, audit)
    login_codes = LoginCodes(parts, contact_codes)
    login = Login(
        parts,
        sessions,
        limiter,
        admitting,
        strangers,
        hashes,
        factors,
        changes,
        bans,
        outcomes,
        contact_codes,
        login_codes,
        devices,
    )
    ending = Ending(parts, sessions, hashes, outbox, changes, devices, stepping_up)
    profile = Profile(parts, outbox)
    banned = BannedContacts(parts, bans)
    leaving = Leaving(parts, sessions, changes, factors, banned, audit)
    exporting = Exporting(parts, limiter, changes, factors)
    cookies = Cookies.of(demo=demo)
    answering = Answering(parts, profile, cookies)
    removing = Removing(parts, factors, changes)
    work = RecoveryWork(parts, weighing, changes, outbox)
    proofs = Proofs(parts, weighing, factors, hashes, outbox)
    recovery_handlers = RecoveryHandlers(
        recovering=Recovering(parts, weighing, proofs, places, limiter, challenges, changes, bans, work, outbox, price),
        objecting=objecting,
        completing=Completing(parts, weighing, sessions, hashes, changes, strangers),
        question=SecretQuestion(parts, factors, hashes, removing, changes),
    )
    factor_handlers = FactorHandlers(
        totp=TotpLife(parts, limiter, factors, stepping_up, removing, changes),
        codes=SavedCodes(parts, factors, removing, changes),
        passkeys=Passkeys(parts, ceremonies, factors, removing, changes),
        stepping_up=stepping_up,
        passkey_login=PasskeyLogin(parts, sessions, limiter, factors, bans, outcomes),
        ticket_codes=TicketCodes(parts, limiter, bans, factors, contact_codes, price),
        answering=answering,
    )
    own_handlers = OwnHandlers(
        Contacts(parts, sessions, limiter, challenges, outbox, changes, factors, price),
        OwnDevices(parts, sessions, devices, changes, factors, ending),
        OwnEvents(parts, sessions, changes, ending, leaving),
        contact_codes,
        freezing,
    )
    challenge_handlers = ChallengeHandlers(parts, challenges, pictures, bans, limiter, cookies, sessions, clears)
    handlers = Handlers(
        parts=parts,
        challenges=challenges,
        registration=Registration(
            parts, sessions, limiter, challenges, hashes, outbox, bans, factors, banned, audit, price
        ),
        login=login,
        refreshing=Refreshing(parts, sessions, limiter, changes, bans, places, audit),
        profile=profile,
        outbox=outbox,
        bans=bans,
        limiter=limiter,
        signer=signer,
        cookies=cookies,
        outbox_key=outbox_key,
        answering=answering,
        describing=Describing(cookies),
        further=(
            *challenge_routes.table(challenge_handlers),
            *session_routes.table(SessionHandlers(ending, cookies)),
            *factor_routes.table(factor_handlers),
            *own_routes.table(own_handlers),
            *recovery_routes.table(recovery_handlers),
            *appeal_routes.table(AppealHandlers(Appealing(parts, challenges, limiter, bans, audit))),
            *leaving_routes.table(LeavingHandlers(leaving, exporting)),
        ),
    )
    edge = Edge(parts, sessions, limiter, emitter, Origins(config.origins(), demo=demo), handlers.cookies, audit)

    async def redis_answers() -> bool:
        try:
            is_up = bool(await client.ping())
        except (RedisError, OSError, TimeoutError):
            is_up = False
        parts.metrics.redis_up.set(is_up)
        return is_up

    async def database_answers() -> bool:
        return await one(parts.store.reading, "SELECT 1") is not None

    async def bans_known() -> bool:
        return bans.book.loaded

    checks = {"redis": redis_answers, "database": database_answers, "bans": bans_known}
    inside = inner.application(registry, checks)
    attach(
        inside,
        Inside(
            parts,
            Introspecting(parts, signer, bans),
            clears,
            sessions,
            signer,
            audit,
            Inviting(parts, audit),
            Granting(parts, changes, audit),
        ),
        config.secret("service_token"),
        config.secret("operator_token"),
        parts.metrics.inner_refused,
    )
    administering = Administering(parts, sessions, changes, audit, factors, work)
    return Service(
        edge.application(table(handlers)),
        edge.application(admin_routes.table(AdminHandlers(administering, cookies))),
        inside,
        emitter,
        bans,
        revoking,
        Tending(parts, changes, sessions, ending, signer, audit, banned, leaving, exporting),
        audit,
        work,
        login_codes,
        pool,
        Courier(parts, outbox, ways, changes),
        geo,
    )


@asynccontextmanager
async def _working(parts: Parts, signer: Signer, service: Service) -> AsyncIterator[None]:
    """The service's tasks while the block runs."""
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.emitter.run(), name="activity")
            tasks.create_task(service.bans.listener.run(), name="bans-heard")
            tasks.create_task(service.bans.run(), name="bans")
            tasks.create_task(service.revoking.run(), name="revocations")
            tasks.create_task(service.tending.run(), name="tending")
            tasks.create_task(service.recovery.run(), name="recovery")
            tasks.create_task(service.login_codes.run(), name="login-codes")
            tasks.create_task(service.pool.run(), name="pictures")
            tasks.create_task(service.courier.run(), name="courier")
            tasks.create_task(service.geo.run(), name="geo")
            tasks.create_task(sweep(parts, signer, service.audit), name="sweep")
            yield
            raise _Stopping
    except* _Stopping:
        pass
