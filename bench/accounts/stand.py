"""A stack with an auth service to be asked directly, and some accounts in it."""

import asyncio
import hashlib
import os
import re
import secrets
import struct
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import aiohttp
import msgspec

from bench.load.stand import NO_PICTURES
from garita_local.stack import Stack

PATIENCE_S = 30.0
FORM_S = 1.6
"""A registration's form is at least this old."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and after how long."""

    status: int
    body: Any
    took_s: float
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Owner:
    """An account of this bench, with its device."""

    name: str
    email: str
    password: str
    device: str


class Caller:
    """One connection to the auth service, kept open. Args: source: the loopback address it comes from."""

    def __init__(self, stack: Stack, source: str = "127.0.0.1") -> None:
        self._stack = stack
        connector = aiohttp.TCPConnector(local_addr=(source, 0), limit=1)
        self._http = aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=PATIENCE_S))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def post(self, path: str, body: Any) -> Answer:
        """POST below /v1/auth. Only what lies between the first byte out and the last byte in is timed."""
        data = msgspec.json.encode(body)
        url = f"http://127.0.0.1:{self._stack.addresses.auth_http}/v1/auth{path}"
        begun_s = time.perf_counter()
        async with self._http.post(url, data=data, headers={"Content-Type": "application/json"}) as response:
            raw = await response.read()
            took_s = time.perf_counter() - begun_s
            return Answer(response.status, msgspec.json.decode(raw), took_s, response.headers)

    async def challenge(self, action: str) -> Any:
        """A challenge to solve."""
        return (await self.post("/challenges", {"action": action})).body["params"]

    async def register(self, name: str) -> Owner:
        """A whole registration.

        Raises:
            AssertionError: it was refused.
        """
        email, password = f"{name}@example.org", secrets.token_urlsafe(18)
        challenge = await self.challenge("register")
        await asyncio.sleep(FORM_S)
        captcha = await asyncio.to_thread(solved, challenge)
        flow = await self.post("/registrations", {"email": email, "password": password, "captcha": captcha})
        assert flow.status == 202, flow
        flow_id, secret = flow.body["flow_id"], flow.body["flow_secret"]
        verify = {"flow_secret": secret, "code": await self._code(email)}
        verified = await self.post(f"/registrations/{flow_id}/verify", verify)
        assert verified.status == 200, verified
        ticket = verified.body["registration_ticket"]
        done = await self.post(f"/registrations/{flow_id}/complete", {"ticket": ticket, "username": name})
        assert done.status == 201, done
        return Owner(name, email, password, done.body["tokens"]["device"])

    async def _code(self, email: str) -> str:
        while True:
            async with self._http.get(self._stack.outbox) as response:
                texts = [message["text"] for message in await response.json() if message["to"] == email]
            if texts:
                return re.findall(r"\b\d{6}\b", texts[-1])[0]
            await asyncio.sleep(0.1)


def solved(params: Any) -> Any:
    """The field `captcha`."""
    wanted = params["parameters"]
    nonce, salt, prefix = (bytes.fromhex(wanted[name]) for name in ("nonce", "salt", "keyPrefix"))
    for counter in range(1000):
        key = hashlib.pbkdf2_hmac(
            "sha256", nonce + struct.pack(">I", counter), salt, wanted["cost"], wanted["keyLength"]
        )
        if key.startswith(prefix):
            return {"challenge": params, "solution": {"counter": counter, "derivedKey": key.hex()}}
    raise ValueError("no counter fits")


@asynccontextmanager
async def stand(settings: Mapping[str, str], *, loopback: str = "private") -> AsyncIterator[Stack]:
    """A stack of its own, gone with its data at the end. Args: loopback: `public` where addresses are to count."""
    kept = {name: value for name, value in os.environ.items() if name != "REDIS_URL" and not name.startswith("GARITA_")}
    with tempfile.TemporaryDirectory(prefix="garita-bench-") as folder:
        env = {**NO_PICTURES, **settings}
        async with Stack(state=Path(folder) / "var", loopback=loopback, env=env, environment=kept) as stack:
            yield stack
