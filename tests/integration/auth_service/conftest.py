"""A whole auth service in this process: real SQLite, Redis and HTTP, a clock that the test moves."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import itertools
import re
import struct
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import redis.asyncio as redis

from auth_service.app import running
from auth_service.carriers import MakesOutside
from auth_service.config import AuthConfig
from auth_service.core import totp
from auth_service.outside import Outside
from garita_common import bus
from garita_common.core import activity, revocations
from garita_common.core.channels import ACTIVITY_KEY_STREAM, BANS_GENERATION, REVOKED_SET
from garita_common.core.revocations import Revocation
from tests.fakes.picture_maker import ReadableMaker

ORIGIN = "http://127.0.0.1:8080"
OUTBOX_KEY = "outbox-key-of-the-tests-0123456789abcdef"
SERVICE_TOKEN = "service-token-of-the-tests-0123456789ab"
OPERATOR_TOKEN = "operator-token-of-the-tests-0123456789a"
AUDIT_KEY = "audit-key-of-the-tests-0123456789abcdef"
PROOF_COST = 50
"""Rounds; the usual 5000 would only make the tests slow."""
PASSWORD = "cangrejo sin reloj"
PATIENCE_S = 30.0


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self, now_s: float = 1_800_000_000.0) -> None:
        """Args: now_s: where it begins."""
        self.now_s = now_s

    def __call__(self) -> float:
        """The time."""
        return self.now_s

    def pass_s(self, seconds: float) -> None:
        """Lets time pass."""
        self.now_s += seconds


@dataclass
class Answer:
    """What the API said."""

    status: int
    body: Any
    raw: bytes
    headers: dict[str, str]
    cookies: dict[str, str]

    @property
    def code(self) -> str | None:
        """The refusal's code."""
        return self.body.get("code") if isinstance(self.body, dict) else None


@dataclass
class Person:
    """An account, and what its device holds."""

    name: str
    email: str
    id: str
    tokens: dict[str, Any]
    seed: bytes = b""

    @property
    def access(self) -> str:
        """The access token for this API."""
        return str(self.tokens["access_token"])

    @property
    def device(self) -> str:
        """The device's secret."""
        return str(self.tokens["device"])


@dataclass
class World:
    """A running service and a way to talk to it."""

    http: aiohttp.ClientSession
    url: str
    inner: str
    clock: Clock
    config: AuthConfig
    redis: redis.Redis
    office: str
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        token: str | None = None,
        headers: dict[str, str] | None = None,
        data: bytes | None = None,
        absolute: bool = False,
        office: bool = False,
    ) -> Answer:
        """One request; `data` instead of `body` for bytes that are no JSON of ours; `office`: to the listener of administrators."""
        sent = dict(headers or {})
        if token is not None:
            sent["Authorization"] = f"Bearer {token}"
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        url = self.url + path if absolute else f"{self.office if office else self.url}/v1/auth{path}"
        kwargs: dict[str, Any] = {"data": data} if data is not None else {} if body is None else {"json": body}
        async with self.http.request(method, url, headers=sent, **kwargs) as response:
            raw = await response.read()
            parsed = await response.json(content_type=None) if raw else None
            cookies = {name: morsel.value for name, morsel in response.cookies.items()}
            return Answer(response.status, parsed, raw, dict(response.headers), cookies)

    async def post(self, path: str, body: Any, **more: Any) -> Answer:
        """POST with a JSON body."""
        return await self.ask("POST", path, body, **more)

    async def get(self, path: str, **more: Any) -> Answer:
        """GET."""
        return await self.ask("GET", path, **more)

    async def outbox(self) -> list[dict[str, Any]]:
        """The messages that were not sent."""
        answer = await self.get(f"/dev/outbox?key={OUTBOX_KEY}", absolute=True)
        assert answer.status == 200, answer
        messages: list[dict[str, Any]] = answer.body
        return messages

    async def newer(self, before: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages that were not there before. Not by their number: after a leap of the clock old ones are swept at any moment."""
        return [message for message in await self.outbox() if message not in before]

    async def code_for(self, to: str) -> str:
        """The newest code sent to an address."""
        texts = [message["text"] for message in await self.outbox() if message["to"] == to]
        return next(found[0] for text in reversed(texts) if (found := re.findall(r"\b\d{6}\b", text)))

    async def proof(self, action: str) -> dict[str, Any]:
        """A solved challenge that is old enough for a form."""
        answer = await self.post("/challenges", {"action": action})
        assert answer.status == 201, answer
        self.clock.pass_s(1.5)
        return await asyncio.to_thread(solve, answer.body["params"])

    async def picture(self, action: str, flow: str = "", kind: str = "image", **more: Any) -> dict[str, Any]:
        """The field `picture` with the right answer, as somebody without cookies gives it."""
        asked = await self.post("/challenges", {"action": action, "kinds": [kind], "flow": flow, **more})
        assert asked.status == 201, asked
        async with self.http.get(self.url + asked.body["media_url"]) as response:
            answer = await response.text()
        return {"id": asked.body["id"], "answer": answer, "browser": asked.body["browser"]}

    async def pay(self, path: str, body: dict[str, Any], action: str, flow: str = "", **more: Any) -> Answer:
        """POST that brings the work, and the picture, that it is asked for."""
        answer = await self.post(path, body, **more)
        if answer.code != "challenge_required":
            return answer
        paid = {"captcha": await asyncio.to_thread(solve, answer.body["challenge"]["params"])}
        if "kinds" in answer.body:
            paid["picture"] = await self.picture(action, flow)
        self.clock.pass_s(1.5)
        return await self.post(path, body | paid, **more)

    async def start(self, **contact: str) -> Answer:
        """POST /registrations with a proof."""
        body = {"password": PASSWORD, "captcha": await self.proof("register"), **contact}
        return await self.post("/registrations", body)

    async def register(self, name: str | None = None, **more: Any) -> Person:
        """A whole registration."""
        number = next(self.numbers)
        name, email = name or f"person-{number}", f"p{number}@example.org"
        started = await self.start(email=email)
        assert started.status == 202, started
        flow = started.body["flow_id"]
        code = await self.code_for(email)
        verified = await self.post(
            f"/registrations/{flow}/verify", {"flow_secret": started.body["flow_secret"], "code": code}
        )
        assert verified.status == 200, verified
        done = await self.post(
            f"/registrations/{flow}/complete",
            {"ticket": verified.body["registration_ticket"], "username": name},
            **more,
        )
        assert done.status == 201, done
        return Person(name, email, done.body["user"]["id"], done.body["tokens"])

    async def enrol(self, person: Person) -> None:
        """Turns TOTP on; the confirming code is used up, and time goes on so that the next one is good."""
        offer = await self.post("/me/totp", {}, token=person.access)
        assert offer.status == 200, offer
        person.seed = base64.b32decode(offer.body["secret"])
        answer = await self.post("/me/totp/confirm", {"code": self.totp(person)}, token=person.access)
        assert answer.status == 204, answer
        self.clock.pass_s(30)

    def totp(self, person: Person, steps: int = 0) -> str:
        """The code of the present step, or of one near it."""
        return totp.code_at(person.seed, int(self.clock()) // 30 + steps)

    async def log_in(self, person: Person, password: str = PASSWORD, *, device: bool = True, **more: Any) -> Answer:
        """POST /login."""
        body = {"identifier": person.name, "password": password}
        return await self.post("/login", body | ({"device_hint": person.device} if device else {}), **more)

    async def refresh(self, token: str, device: str | None = None, audience: str = "auth") -> Answer:
        """POST /token/refresh."""
        body = {"refresh_token": token, "audience": audience}
        return await self.post("/token/refresh", body | ({"device_hint": device} if device else {}))

    async def inside(self, path: str, body: Any, token: str = OPERATOR_TOKEN) -> Answer:
        """POST to the inner listener."""
        headers = {"Authorization": f"Bearer {token}"}
        async with self.http.post(f"{self.inner}{path}", json=body, headers=headers) as response:
            raw = await response.read()
            return Answer(response.status, await response.json(content_type=None), raw, dict(response.headers), {})

    async def revoked(self) -> list[Revocation]:
        """What the gateways can read about ended sessions."""
        rows = await self.redis.zrange(REVOKED_SET, 0, -1)
        return [revocations.decode(row) for row in rows if isinstance(row, bytes)]

    async def events(self) -> list[activity.Event]:
        """The key activity written so far."""
        entries: Any = await self.redis.xrange(ACTIVITY_KEY_STREAM)
        return [activity.decode(fields[activity.FIELD.encode()]) for _, fields in entries]

    async def metric(self, line: str) -> float:
        """A value of /metrics, 0 where there is none yet."""
        async with self.http.get(f"{self.inner}/metrics") as response:
            for found in (await response.text()).splitlines():
                if found.startswith(line + " "):
                    return float(found.split()[-1])
        return 0.0


def solve(params: dict[str, Any]) -> dict[str, Any]:
    """The proof, as docs/auth-api.md §3 says."""
    wanted = params["parameters"]
    nonce, salt = bytes.fromhex(wanted["nonce"]), bytes.fromhex(wanted["salt"])
    prefix = bytes.fromhex(wanted["keyPrefix"])
    for counter in range(1000):
        password = nonce + struct.pack(">I", counter)
        key = hashlib.pbkdf2_hmac("sha256", password, salt, wanted["cost"], wanted["keyLength"])
        if key.startswith(prefix):
            return {"challenge": params, "solution": {"counter": counter, "derivedKey": key.hex()}}
    raise ValueError("no counter fits")


async def eventually(check: Callable[[], Any]) -> None:
    """Waits until a check (plain or asynchronous) holds."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        found = check()
        if asyncio.iscoroutine(found):
            found = await found
        if found:
            return
        assert time.monotonic() < deadline, "it did not come true"
        await asyncio.sleep(0.02)


def write_secrets(folder: Path) -> Path:
    """A folder with every secret that the service reads."""
    folder.mkdir(exist_ok=True)
    (folder / "auth_pepper").write_text("pepper-of-the-tests-0123456789abcdef")
    (folder / "auth_data_key").write_text(base64.b64encode(bytes(range(32))).decode())
    (folder / "audit_key").write_text(AUDIT_KEY)
    (folder / "service_token").write_text(SERVICE_TOKEN)
    (folder / "operator_token").write_text(OPERATOR_TOKEN)
    (folder / "outbox_key").write_text(OUTBOX_KEY)
    return folder


def environment(folder: Path, redis_url: str, **settings: str) -> dict[str, str]:
    """What the service is started with; `settings` without their prefix."""
    base = {
        "GARITA_MODE": "demo",
        "GARITA_REDIS_URL": redis_url,
        "GARITA_SECRETS_DIR": str(write_secrets(folder / "secrets")),
        "GARITA_AUTH_DATABASE": str(folder / "auth.sqlite3"),
        "GARITA_AUTH_HTTP_PORT": "0",
        "GARITA_AUTH_INNER_PORT": "0",
        "GARITA_AUTH_ADMIN_PORT": "0",
        "GARITA_AUTH_PUBLIC_ORIGIN": ORIGIN,
        "GARITA_AUTH_HASH_MEMORY_KIB": "256",
        "GARITA_AUTH_HASH_PASSES": "1",
        "GARITA_AUTH_PROOF_COST": str(PROOF_COST),
    }
    named = {(name if name.startswith("GARITA_") else f"GARITA_AUTH_{name}"): value for name, value in settings.items()}
    return base | named


Worlds = Callable[..., AbstractAsyncContextManager[World]]


@pytest.fixture
def worlds(tmp_path: Path, redis_url: str) -> Worlds:
    """Makes services on one folder and one Redis; arguments are settings."""
    clock = Clock()

    @asynccontextmanager
    async def make(
        *, bans_known: bool = True, outside: MakesOutside = Outside, clock: Clock = clock, **settings: str
    ) -> AsyncIterator[World]:
        async with AsyncExitStack() as stack:
            client = bus.connect(redis_url)
            stack.push_async_callback(client.aclose)
            if bans_known:
                await client.set(BANS_GENERATION, 1)
            config = AuthConfig.load(environment(tmp_path, redis_url, **settings))
            ports = await stack.enter_async_context(
                running(config, clock=clock, maker=ReadableMaker(), outside=outside)
            )
            http = await stack.enter_async_context(
                aiohttp.ClientSession(
                    cookie_jar=aiohttp.DummyCookieJar(), timeout=aiohttp.ClientTimeout(total=PATIENCE_S)
                )
            )
            inner = f"http://127.0.0.1:{ports.inner_port}"
            office = f"http://127.0.0.1:{ports.admin_port}"
            world = World(http, f"http://127.0.0.1:{ports.port}", inner, clock, config, client, office)
            if bans_known:
                await eventually(lambda: _is_ready(world))
            yield world

    return make


async def _is_ready(world: World) -> bool:
    async with world.http.get(f"{world.inner}/readyz") as response:
        return response.status == 200


@pytest.fixture
async def world(worlds: Worlds) -> AsyncIterator[World]:
    """A running service with default settings."""
    async with worlds() as made:
        yield made
