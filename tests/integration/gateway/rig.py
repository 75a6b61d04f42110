"""A whole gateway in this process, with real sockets and a real Redis; the chat service and the auth service's keys are stood in for."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis.asyncio as redis
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from prometheus_client import CollectorRegistry

from garita_common import bus
from garita_common.core import activity, bans, channels, tokens
from garita_common.core.bans import Ban
from gateway.app import Gateway, build
from gateway.clock import Clock
from gateway.config import GatewayConfig
from tests.fakes.memory_chat import MemoryChat
from tests.fakes.wire_clients import Client, TcpClient, WsClient

WAIT_S = 20.0
SERVICE_TOKEN = "service-token-of-the-tests-0123456789ab"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def user_id(name: str) -> str:
    """A made-up user's id."""
    return "u" + name.encode().hex().ljust(32, "0")[:32]


def token(name: str, *, lifetime_s: float = 300, **changes: Any) -> str:
    """An access token of the stand-in auth service."""
    now = int(time.time())
    fields: dict[str, Any] = {
        "iss": "garita",
        "sub": user_id(name),
        "aud": "chat",
        "iat": now,
        "nbf": now,
        "exp": int(now + lifetime_s),
        "jti": "j",
        "client_id": "test",
        "sid": f"s-{name}",
        "did": f"d-{name}",
        "name": name,
    }
    return tokens.sign(tokens.Claims(**fields | changes), KEY)


@asynccontextmanager
async def key_server() -> AsyncIterator[str]:
    """The auth service as far as a gateway needs it; its base address."""

    async def jwks(_: web.Request) -> web.Response:
        key_set = tokens.Jwks([tokens.jwk_of(KEY.public_key())])
        return web.json_response({"keys": [{f: getattr(k, f) for f in k.__struct_fields__} for k in key_set.keys]})

    app = web.Application()
    app.add_routes([web.get("/v1/auth/.well-known/jwks.json", jwks)])
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@dataclass
class Rig:
    """What a test has in its hands."""

    gateway: Gateway
    chat: MemoryChat
    redis: redis.Redis
    registry: CollectorRegistry
    stop: asyncio.Event
    over: asyncio.Event
    clients: list[Client] = field(default_factory=list)

    async def tcp(self, **fields: Any) -> TcpClient:
        """A TCP socket, not connected as anybody."""
        client = await TcpClient.open(self.gateway.tcp_port, **fields)
        self.clients.append(client)
        return client

    async def ws(self, **fields: Any) -> WsClient:
        """A WebSocket, not connected as anybody."""
        client = await WsClient.open(self.gateway.http_port, **fields)
        self.clients.append(client)
        return client

    async def either(self, transport: str, **fields: Any) -> Client:
        """A socket on a transport by name."""
        return await (self.tcp(**fields) if transport == "tcp" else self.ws(**fields))

    async def user(self, name: str, transport: str = "tcp", *, device: str = "", **fields: Any) -> Client:
        """A connected user, on a device of its own unless one is named, of whom the chat service has heard."""
        client = await self.either(transport)
        answer = await client.connect(token(name, did=device or f"d-{name}"), **fields)
        assert answer["op"] == "ok", answer
        await eventually(lambda: (user_id(name), True) in self.chat.here)
        return client

    def figure(self, name: str, **labels: str) -> float:
        """A metric's value."""
        return self.registry.get_sample_value(name, labels) or 0.0

    async def ban(self, subject: str, *, seconds: float = 60, push: bool = True) -> Ban:
        """Writes a ban as the detector does."""
        now_ms = int(time.time() * 1000)
        ban = Ban(subject, now_ms, now_ms + int(seconds * 1000), "flood", "You were banned for flooding.", "appeal-1")
        await self.redis.hset(channels.BANS_HASH, subject, bans.encode(ban))
        if push:
            await self.redis.publish(channels.BAN_PUSH, bans.encode_push([subject]))
        return ban

    async def server(self, *words: str) -> None:
        """A command to the Redis server itself."""
        ask: Any = self.redis.execute_command
        await ask(*words)

    async def events(self, stream: str, kind: type[activity.Activity]) -> list[Any]:
        """The activity records of a kind that are in a stream now."""
        rows: Any = await self.redis.xrange(stream)
        found = [activity.decode(fields[activity.FIELD.encode()]) for _, fields in rows]
        return [event for event in found if isinstance(event, kind)]


async def eventually(check: Callable[[], Awaitable[Any] | Any]) -> Any:
    """Waits until `check` gives something true."""
    deadline = time.monotonic() + WAIT_S
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


def settings(folder: Path, redis_url: str, auth_url: str, **changes: Any) -> GatewayConfig:
    """A gateway's settings, by field name."""
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "address_key").write_text("0123456789abcdefghijklmnopqrstuvwxyz")
    (secrets / "service_token").write_text(SERVICE_TOKEN)
    fields: dict[str, Any] = {
        "redis_url": redis_url,
        "secrets_dir": secrets,
        "auth_url": auth_url,
        "blob_url": (folder / "blobs").as_uri(),
        "http_port": 0,
        "tcp_port": 0,
        "inner_port": 0,
        "drain_s": 1,
    }
    named = {GatewayConfig.variable_of(name): str(value) for name, value in (fields | changes).items()}
    return GatewayConfig.load(named)


@asynccontextmanager
async def gateway_of(
    config: GatewayConfig,
    *,
    ready: bool = True,
    stop: asyncio.Event | None = None,
    over: asyncio.Event | None = None,
) -> AsyncIterator[tuple[Gateway, CollectorRegistry]]:
    """A gateway that runs, ready unless told that it cannot be. Args: stop: ends it early; over: set when it has ended."""
    registry = CollectorRegistry()
    gateway = build(config, clock=Clock(), registry=registry)
    stop = stop or asyncio.Event()

    async def serve() -> None:
        await gateway.serve(stop)
        if over is not None:
            over.set()

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(serve(), name="gateway")
        try:
            async with asyncio.timeout(WAIT_S):
                await gateway.started.wait()
            if ready:
                await eventually(lambda: not gateway.missing())
            yield gateway, registry
        finally:
            stop.set()


@asynccontextmanager
async def rig(
    folder: Path, redis_url: str, *, ready: bool = True, gateway_redis: str = "", **changes: Any
) -> AsyncIterator[Rig]:
    """Everything together. Args: gateway_redis: another way to the same Redis, for the gateway alone; changes: of settings, by field name."""
    client = bus.connect(redis_url)
    if ready:
        await client.set(channels.BANS_GENERATION, "1")
    chat = MemoryChat(redis_url)
    async with key_server() as auth_url, chat.running():
        config = settings(folder, gateway_redis or redis_url, auth_url, **{"loopback": "private", **changes})
        stop, over = asyncio.Event(), asyncio.Event()
        async with gateway_of(config, ready=ready, stop=stop, over=over) as (gateway, registry):
            held = Rig(gateway, chat, client, registry, stop, over)
            try:
                yield held
            finally:
                for each in held.clients:
                    each.abort()
    await client.aclose()
