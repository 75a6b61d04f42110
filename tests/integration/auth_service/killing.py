"""The auth service, killed with SIGKILL at random points of one request, again and again (abuse case 53).

Every round begins with the same database and Redis, asks for the same thing, and kills the process that answers at a moment chosen by chance. What the database holds
then is what was before or all of it; a second process on that database then answers the same request again, and delivers what the first did not come to. Mail
goes to a real receiver.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from auth_service.core.audit_chain import Entry, first_flaw
from garita_common import bus
from garita_common.core import revocations
from garita_common.core.channels import BANS_GENERATION, REVOKED_SET
from tests.fakes.mail_receiver import Receiver, receiving
from tests.integration.auth_service.conftest import AUDIT_KEY, Answer, environment, eventually

ROUNDS = int(os.environ.get("GARITA_TEST_KILLS", "3"))
"""How often each request is killed; with 200 this is the whole of case 53, in about three minutes for each request."""
NARROWER, WIDER = 0.95, 1.05
"""After a kill that came too late the next ones come earlier, and the other way round: so half of them hit before the commit, however busy the machine is."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The request that is killed."""

    path: str
    body: dict[str, Any]


@dataclass
class Round:
    """What a killed process left, and the one that came after it. `told`: to whom mail came until now."""

    database: Path
    answered: Answer | None = None
    told: list[str] = field(default_factory=list)
    url: str = ""
    http: aiohttp.ClientSession | None = None

    def one(self, sql: str) -> Any:
        """The first value of a query."""
        with contextlib.closing(sqlite3.connect(self.database)) as db:
            return db.execute(sql).fetchone()[0]

    def audit_is_whole(self) -> bool:
        """Whether the audit log's chain holds."""
        rows = _rows(
            self.database, "SELECT seq, at_ms, event, actor, subject, ip_mark, data, mac FROM audit ORDER BY seq"
        )
        return first_flaw(AUDIT_KEY.encode(), ((Entry(*row[:-1]), row[-1]) for row in rows)) is None

    async def post(self, path: str, body: dict[str, Any]) -> Answer:
        """Asks the process that came after."""
        assert self.http is not None
        answer = await _post(self.http, self.url, Asked(path, body))
        assert answer is not None, "the service does not answer"
        return answer


class Afterwards(Protocol):
    """Asserts what the next process has to make of it."""

    async def __call__(self, left: Round, /, whole: bool) -> None:
        """Args: whole: whether it was all."""


IsWhole = Callable[[Round], bool]
"""Looks at what a killed process left; asserts that it is all or nothing, and says which."""


async def killed_again_and_again(
    folder: Path, redis_url: str, ready: Path, asked: Asked, is_whole: IsWhole, afterwards: Afterwards
) -> Counter[str]:
    """Kills, and returns how many kills came `before` and `after` the commit, and in how many the client had its answer. Args: ready: the database to begin with."""
    chance, counts = random.Random(53), Counter[str]()
    _settle(ready)
    async with receiving() as receiver, _nursery() as nursery:
        killer = _Killer(folder, redis_url, nursery, receiver)
        spread_s = await killer.time_of(ready, asked)
        for number in range(ROUNDS):
            delay_s: float | None = chance.uniform(0, spread_s)
            if number == 0:
                delay_s = 0
            elif number == ROUNDS - 1:
                delay_s = None
            round_ = await killer.killed(ready, asked, delay_s)
            whole = is_whole(round_)
            assert round_.audit_is_whole()
            assert whole or round_.answered is None, "what was acknowledged is not there"
            await killer.carried_on(round_, partial(afterwards, whole=whole))
            counts += Counter({"after" if whole else "before": 1, "answered": round_.answered is not None})
            spread_s *= NARROWER if whole else WIDER
    print(f"{asked.path}: {ROUNDS} kills, {dict(counts)}, no half state, nothing lost")
    assert counts["before"] and counts["after"], counts
    return counts


@dataclass
class _Nursery:
    process: asyncio.subprocess.Process
    living: int | None = None

    async def start(self, settings: dict[str, str]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(settings).encode() + b"\n")
        self.living = int(await self._line())

    async def kill(self) -> None:
        if self.living is not None:
            os.kill(self.living, signal.SIGKILL)
            self.living = None
            assert await self._line() == b"dead\n"

    async def _line(self) -> bytes:
        assert self.process.stdout is not None
        return await self.process.stdout.readline()


@asynccontextmanager
async def _nursery() -> AsyncIterator[_Nursery]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.integration.auth_service.nursery",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    nursery = _Nursery(process)
    try:
        yield nursery
    finally:
        await nursery.kill()
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


class _Killer:
    """Starts, asks and kills."""

    def __init__(self, folder: Path, redis_url: str, nursery: _Nursery, receiver: Receiver) -> None:
        self._folder = folder
        self._redis_url = redis_url
        self._nursery = nursery
        self._receiver = receiver

    async def time_of(self, ready: Path, asked: Asked) -> float:
        """How long the request takes when nobody kills, in seconds."""
        async with self._fresh(ready) as (database, http), self._served(database, http) as url:
            began = time.monotonic()
            answer = await _post(http, url, asked)
            assert answer is not None and answer.status < 500, answer
            return time.monotonic() - began

    async def killed(self, ready: Path, asked: Asked, delay_s: float | None) -> Round:
        """One kill so much later, or after the answer. The database stays for `carried_on`."""
        database = await self._begin(ready)
        async with aiohttp.ClientSession() as http, self._served(database, http) as url:
            async with asyncio.TaskGroup() as tasks:
                answer = tasks.create_task(_post(http, url, asked))
                await asyncio.wait({answer}, timeout=delay_s)
                await self._nursery.kill()
        return Round(database, answer.result(), self._receiver.recipients)

    async def carried_on(self, round_: Round, afterwards: Callable[[Round], Awaitable[None]]) -> None:
        """Another process goes on with what is there; its time to try what the dead one had in its hands has come."""
        with contextlib.closing(sqlite3.connect(round_.database)) as db:
            db.execute("UPDATE outbox SET due_ms = 0")
            db.commit()
        async with aiohttp.ClientSession() as http, self._served(round_.database, http) as url:
            round_.http, round_.url = http, url
            wanted = {sid for (sid,) in _rows(round_.database, "SELECT sid FROM revocations")}
            await eventually(lambda: self._are_revoked(wanted))
            await afterwards(round_)
        _remove(round_.database)

    @asynccontextmanager
    async def _fresh(self, ready: Path) -> AsyncIterator[tuple[Path, aiohttp.ClientSession]]:
        database = await self._begin(ready)
        async with aiohttp.ClientSession() as http:
            yield database, http
        _remove(database)

    async def _begin(self, ready: Path) -> Path:
        client = bus.connect(self._redis_url)
        try:
            await client.flushdb()
            await client.set(BANS_GENERATION, 1)
        finally:
            await client.aclose()
        self._receiver.mails.clear()
        self._receiver.recipients.clear()
        database = self._folder / "killed.sqlite3"
        shutil.copy(ready, database)
        return database

    async def _are_revoked(self, wanted: set[str]) -> bool:
        client = bus.connect(self._redis_url)
        try:
            rows = await client.zrange(REVOKED_SET, 0, -1)
        finally:
            await client.aclose()
        return wanted <= {revocations.decode(row).sid for row in rows if isinstance(row, bytes)}

    @asynccontextmanager
    async def _served(self, database: Path, http: aiohttp.ClientSession) -> AsyncIterator[str]:
        """The address of a service on a database, which is dead afterwards."""
        port, inner = _free_ports()
        settings = {
            "GARITA_MODE": "production",
            "DATABASE": str(database),
            "HTTP_PORT": str(port),
            "INNER_PORT": str(inner),
            "PUBLIC_ORIGIN": "https://chat.example",
            "SMTP_HOST": "127.0.0.1",
            "SMTP_PORT": str(self._receiver.port),
            "SMTP_SECURITY": "none",
            "MAIL_FROM": "garita@chat.example",
            "CAPTCHA_IMAGES": "0",
            "CAPTCHA_CLIPS": "0",
        }
        await self._nursery.start(environment(self._folder, self._redis_url, **settings))
        try:
            for address in (f"{inner}/readyz", f"{port}/v1/auth/.well-known/jwks.json"):
                await eventually(partial(_answers, http, f"http://127.0.0.1:{address}"))
            yield f"http://127.0.0.1:{port}/v1/auth"
        finally:
            await self._nursery.kill()


def _settle(database: Path) -> None:
    """One file with nothing on its way, and nothing that runs out while there is killing."""
    with contextlib.closing(sqlite3.connect(database)) as db:
        db.execute("DELETE FROM outbox")
        for table, column in (("recoveries", "until_ms"), ("flows", "expires_ms")):
            db.execute(f"UPDATE {table} SET {column} = ?", (int(time.time() * 1000) + 86_400_000,))  # noqa: S608 - constants alone
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _rows(database: Path, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(database)) as db:
        return db.execute(sql).fetchall()


def _remove(database: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        database.with_name(database.name + ending).unlink(missing_ok=True)


def _free_ports() -> tuple[int, int]:
    """Two ports that nobody listens on just now."""
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        two.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1]), int(two.getsockname()[1])


async def _answers(http: aiohttp.ClientSession, url: str) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with http.get(url) as response:
            return response.status == 200
    return False


async def _post(http: aiohttp.ClientSession, url: str, asked: Asked) -> Answer | None:
    """The answer, or None where there came none."""
    try:
        async with http.post(url + asked.path, json=asked.body) as response:
            raw = await response.read()
            body = json.loads(raw) if raw else None
            return Answer(response.status, body, raw, dict(response.headers), {})
    except aiohttp.ClientError:
        return None
