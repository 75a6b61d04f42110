"""auth_service.completing: killed with SIGKILL at any moment, a completion is whole or not there, and its notices with it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import shutil
import socket
import sqlite3
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from tests.integration.auth_service.conftest import PATIENCE_S, Worlds, environment, eventually
from tests.integration.auth_service.rescue import DAY_S, NEW_PASSWORD, P1, Rescue, begin, grown

ROUNDS = int(os.environ.get("GARITA_TEST_KILLS", "4"))
"""A round costs the start of a process, about a second; with 200 it is the whole case 53."""
SPREAD_S = 0.03
"""A completion takes about as long."""


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


def seen(database: Path) -> dict[str, object]:
    """All that a completion changes."""
    with contextlib.closing(sqlite3.connect(database, timeout=PATIENCE_S)) as db:

        def one(sql: str) -> object:
            return db.execute(sql).fetchone()[0]

        return {
            "phase": one("SELECT group_concat(phase) FROM recoveries"),
            "password": one("SELECT hash FROM passwords"),
            "sessions": one("SELECT count(*) FROM sessions WHERE ended_ms IS NULL"),
            "revoked": one("SELECT count(*) FROM revocations"),
            "guarded": one("SELECT guarded_until_ms > 0 FROM users"),
            "notices": one("SELECT count(*) FROM notices WHERE kind = 'recovery_completed'"),
            "unsaid": one(
                "SELECT count(*) FROM tellings t JOIN notices n ON n.id = t.notice WHERE n.kind = 'recovery_completed'"
            ),
            # Older ones are swept meanwhile.
            "messages": one("SELECT count(*) FROM outbox WHERE at_ms > (unixepoch() - 3600) * 1000"),
        }


@asynccontextmanager
async def service(settings: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """The service in a process of its own, which is dead afterwards."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth_service", env=os.environ | settings, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_abuse_53_a_killed_completion_is_whole_or_not_there(
    worlds: Worlds, tmp_path: Path, redis_url: str
) -> None:
    """What is left is what was before, or all of it: password, sessions, revocations, guard and the messages to everybody."""
    async with worlds() as world:
        world.clock.now_s = time.time() - 61 * DAY_S
        owner = await grown(world)
        rescue = await begin(world, owner.name)
        await rescue.prove("sms", P1)
        await rescue.prove("email", owner.email)
        assert await rescue.state() == "approved"
        world.clock.now_s = time.time()
    ready = seen(world.config.database)
    assert (ready["phase"], ready["sessions"]) == ("approved", 5)
    with contextlib.closing(sqlite3.connect(world.config.database)) as db:
        db.execute("UPDATE recoveries SET until_ms = ?", (int(time.time() * 1000) + 3_600_000,))
        db.commit()
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    chance, outcomes = random.Random(53), set()
    for number in range(ROUNDS):
        database = tmp_path / f"round-{number}.sqlite3"
        shutil.copy(world.config.database, database)
        delay_s = chance.uniform(0, SPREAD_S) if 0 < number < ROUNDS - 1 else (0 if number == 0 else PATIENCE_S)
        done = await complete_and_kill(
            environment(tmp_path, redis_url, DATABASE=str(database), HTTP_PORT=str(free_port())), rescue, delay_s
        )
        after = seen(database)
        is_whole = after["phase"] == "completed"
        outcomes.add(is_whole)
        assert is_whole or not done
        assert (after["password"] != ready["password"]) is is_whole
        assert after["sessions"] == (0 if is_whole else 5)
        assert after["revoked"] == (5 if is_whole else 0)
        assert after["guarded"] == int(is_whole)
        assert after["notices"] == int(is_whole)
        assert after["unsaid"] == 0
        assert int(str(after["messages"])) - int(str(ready["messages"])) == (2 if is_whole else 0)
    assert outcomes == {True, False}


async def complete_and_kill(settings: dict[str, str], rescue: Rescue, delay_s: float) -> bool:
    """Asks a service for the completion and kills it so much later; whether it had said that all is well."""
    base = f"http://127.0.0.1:{settings['GARITA_AUTH_HTTP_PORT']}"
    async with service(settings) as process, aiohttp.ClientSession() as http:

        async def answers() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.get(f"{base}/v1/auth/.well-known/jwks.json") as response:
                    return response.status == 200
            return False

        await eventually(answers)
        body = {"flow_secret": rescue.secret, "new_password": NEW_PASSWORD}
        async with asyncio.TaskGroup() as tasks:
            asked = tasks.create_task(_post(http, f"{base}/v1/auth/recoveries/{rescue.id}/complete", body))
            await asyncio.wait({asked}, timeout=delay_s)
            process.kill()
            await process.wait()
        return asked.result() == 204


async def _post(http: aiohttp.ClientSession, url: str, body: dict[str, str]) -> int | None:
    try:
        async with http.post(url, json=body) as response:
            return response.status
    except aiohttp.ClientError:
        return None
