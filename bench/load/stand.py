"""A stack of its own to be loaded: the launcher's own, with accounts and rooms that are there before it starts, and tokens that the bench signs.

All four services and Redis run as with `make run`, on loopback addresses that count like any others (LOOPBACK=public), so every limit is on; a scenario that
needs more than the defaults says so by name. Only the keys are ours: the gateway fetches them from here, since ten thousand logins would measure
password hashing.
"""

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bench.load import processes, town
from bench.load.town import Town
from garita_common import runtime
from garita_common.core.tokens import LIFETIME_S, SKEW_S, Claims, Jwks, jwk_of, sign
from garita_local.stack import Stack

JWKS_PATH = "/v1/auth/.well-known/jwks.json"
AHEAD_S = SKEW_S - 10
"""Tokens are dated this far ahead, which the skew allows: they last six minutes instead of five."""

NO_PICTURES = {"GARITA_AUTH_CAPTCHA_IMAGES": "0", "GARITA_AUTH_CAPTCHA_CLIPS": "0"}
"""A fresh stack makes its pictures in its first minutes, which is no part of a steady state."""
FAST_ENTRY = {"GARITA_GATEWAY_ACCEPT_PER_S": "5000", "GARITA_GATEWAY_ACCEPT_BURST": "10000"}
FAST_SENDERS = {
    "GARITA_GATEWAY_SEND_PER_S": "1000000", "GARITA_GATEWAY_SEND_BURST": "1000000",
    "GARITA_GATEWAY_USER_SEND_PER_S": "1000000", "GARITA_GATEWAY_USER_SEND_BURST": "1000000",
    "GARITA_GATEWAY_DEVICE_SEND_PER_S": "1000000", "GARITA_GATEWAY_DEVICE_SEND_BURST": "1000000",
    "GARITA_GATEWAY_USER_BYTES_IN_PER_S": "1000000000", "GARITA_GATEWAY_USER_BYTES_IN_BURST": "1000000000",
    "GARITA_GATEWAY_BYTES_IN_PER_S": "1000000000", "GARITA_GATEWAY_BYTES_IN_BURST": "1000000000",
    "GARITA_CHAT_ROOM_SEND_PER_S": "1000000", "GARITA_CHAT_ROOM_SEND_BURST": "1000000",
}  # fmt: skip


class Stand:
    """A stack that runs."""

    def __init__(self, stack: Stack, key: Ed25519PrivateKey, people: Town) -> None:
        """Use `stand`."""
        self.stack = stack
        self.town = people
        self._key = key
        self._marks = 0
        gateway = stack.addresses.gateways[0]
        self.ports = (gateway.tcp, gateway.http)
        self.pids = {name: stack.pid(name) for name in stack.names()}

    @property
    def gateway(self) -> int:
        """The gateway's pid."""
        return self.pids["gateway-1"]

    def token(self, user: int) -> str:
        """An access token for the chat, as the auth service would make it."""
        now_s = int(time.time()) + AHEAD_S
        claims = Claims(
            iss="garita", sub=town.user_id(user), aud="chat", iat=now_s, nbf=now_s, exp=now_s + LIFETIME_S + SKEW_S,
            jti=f"j{user}", client_id="bench", sid=f"s{user}", did=f"d{user}", name=town.user_name(user),
        )  # fmt: skip
        return sign(claims, self._key)

    def seat(self, user: int, transport: int, **fields: Any) -> dict[str, Any]:
        """Where a user sits: on an address of their own."""
        self._marks += 1
        return {
            "mark": self._marks, "transport": transport, "host": "127.0.0.1", "port": self.ports[transport],
            "token": self.token(user), "source": source(user), **fields,
        }  # fmt: skip

    def cpu_s(self) -> dict[str, float]:
        """What each process has used so far."""
        return processes.all_cpu_s(self.pids)


def source(number: int, first: int = 1) -> str:
    """An address for every number, 250 to a /24. Args: first: second byte to begin with."""
    block, place = divmod(number, 250)
    return f"127.{first + block // 250}.{block % 250}.{place + 1}"


def bare_seat(group: str, transport: int, ports: list[int], number: int, **fields: Any) -> dict[str, Any]:
    """A place at the bare server. Args: group: who hears whom."""
    return {
        "mark": number, "transport": transport, "host": "127.0.0.1", "port": ports[transport], "token": group,
        "source": source(number, 100), "bare": True, **fields,
    }  # fmt: skip


@asynccontextmanager
async def stand(people: Town, settings: Mapping[str, str]) -> AsyncIterator[Stand]:
    """A stack with these people in it; gone with all its data at the end."""
    key = Ed25519PrivateKey.generate()
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith("GARITA_")}
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        state = Path(folder) / "var"
        state.mkdir(mode=0o700)
        await asyncio.to_thread(town.settle_in, people, state / "chat" / "chat.sqlite3")
        async with runtime.listening(_keys(key), "127.0.0.1", 0) as port:
            env = {"GARITA_GATEWAY_AUTH_URL": f"http://127.0.0.1:{port}", **NO_PICTURES, **settings}
            async with Stack(state=state, loopback="public", env=env, environment=kept) as stack:
                yield Stand(stack, key, people)


def _keys(key: Ed25519PrivateKey) -> web.Application:
    body = msgspec.json.encode(Jwks([jwk_of(key.public_key())]))

    async def answer(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type="application/json")

    app = web.Application()
    app.add_routes([web.get(JWKS_PATH, answer)])
    return app
