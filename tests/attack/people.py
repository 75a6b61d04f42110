"""Accounts for attack tests, made through the real API from any loopback address."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import struct
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp

PASSWORD = "cangrejo sin reloj 47"
FORM_AGE_S = 1.6
_numbers = itertools.count(1)


@dataclass
class Answer:
    """What the API said."""

    status: int
    body: dict[str, Any]
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""


class Api:
    """The accounts API as seen from one source address."""

    def __init__(self, origin: str, source: str) -> None:
        """Args: origin: of the gateway; source: a loopback address."""
        self.origin = origin
        self._http = aiohttp.ClientSession(
            f"{origin}/v1/auth/",
            connector=aiohttp.TCPConnector(local_addr=(source, 0), limit=0),
            timeout=aiohttp.ClientTimeout(total=60),
        )

    async def __aenter__(self) -> Self:
        """Opens nothing yet."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Closes its connections."""
        await self._http.close()

    async def post(self, path: str, body: Any, token: str | None = None) -> Answer:
        """POST with a JSON body."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.post(path, json=body, headers=headers) as response:
            raw = await response.read()
            body = await response.json(content_type=None) if raw else {}
            return Answer(response.status, body, {name.lower(): value for name, value in response.headers.items()}, raw)

    async def get(self, path: str, token: str | None = None) -> Answer:
        """GET."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        async with self._http.get(path, headers=headers) as response:
            raw = await response.read()
            return Answer(response.status, await response.json(content_type=None) if raw else {}, {}, raw)

    async def proof(self, action: str) -> dict[str, Any]:
        """A solved proof of work, old enough for a form."""
        challenge = (await self.post("challenges", {"action": action})).body["params"]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(asyncio.sleep(FORM_AGE_S))
            solved = await asyncio.to_thread(solve, challenge)
        return {"challenge": challenge, "solution": solved}

    async def log_in(self, body: dict[str, Any]) -> Answer:
        """POST /login as a client does it: where work is asked (a burst of bad logins makes it so for every strange device), it is done."""
        answer = await self.post("login", body)
        if answer.status != 428:
            return answer
        challenge = answer.body["challenge"]["params"]
        solved = await asyncio.to_thread(solve, challenge)
        return await self.post("login", body | {"captcha": {"challenge": challenge, "solution": solved}})


def solve(params: dict[str, Any]) -> dict[str, Any]:
    """The counter that fits, as docs/auth-api.md §3 says."""
    wanted = params["parameters"]
    nonce, salt = bytes.fromhex(wanted["nonce"]), bytes.fromhex(wanted["salt"])
    prefix = bytes.fromhex(wanted["keyPrefix"])
    for counter in range(100_000):
        key = hashlib.pbkdf2_hmac(
            "sha256", nonce + struct.pack(">I", counter), salt, wanted["cost"], wanted["keyLength"]
        )
        if key.startswith(prefix):
            return {"counter": counter, "derivedKey": key.hex()}
    raise ValueError("no counter fits")


@dataclass
class Person:
    """An account and what its device holds."""

    name: str
    email: str
    id: str
    tokens: dict[str, Any]
    source: str

    async def chat_token(self, api: Api) -> str:
        """A fresh token for the chat."""
        answer = await api.post(
            "token/refresh",
            {"refresh_token": self.tokens["refresh_token"], "device_hint": self.tokens["device"], "audience": "chat"},
        )
        if answer.status != 200:
            raise AssertionError(f"no chat token: {answer.status} {answer.body}")
        self.tokens |= answer.body
        return str(answer.body["access_token"])


async def register(origin: str, outbox: str, source: str) -> Person:
    """A new account, made from `source`: proof of work, code from the outbox, name."""
    number = f"{os.getpid()}-{next(_numbers)}"
    email = f"p{number}@example.org"
    async with Api(origin, source) as api:
        started = await api.post(
            "registrations", {"email": email, "password": PASSWORD, "captcha": await api.proof("register")}
        )
        if started.status != 202:
            raise AssertionError(f"registration: {started.status} {started.body}")
        flow = started.body["flow_id"]
        code = await code_for(outbox, email)
        verified = await api.post(
            f"registrations/{flow}/verify", {"flow_secret": started.body["flow_secret"], "code": code}
        )
        done = await api.post(
            f"registrations/{flow}/complete",
            {"ticket": verified.body["registration_ticket"], "username": f"person-{number}"},
        )
        if done.status != 201:
            raise AssertionError(f"registration: {done.status} {done.body}")
    user = done.body["user"]
    return Person(user["username"], email, user["id"], done.body["tokens"], source)


async def code_for(outbox: str, to: str) -> str:
    """The newest code that was sent to an address."""
    async with aiohttp.ClientSession() as http:
        for _ in range(100):
            async with http.get(outbox) as response:
                mails = [mail for mail in await response.json() if mail["to"] == to]
            if mails:
                digits = "".join(c if c.isdigit() else " " for c in mails[-1]["text"]).split()
                return next(run for run in digits if len(run) == 6)
            await asyncio.sleep(0.1)
    raise AssertionError(f"no code for {to}")
