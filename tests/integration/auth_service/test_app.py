"""The whole service, from a stranger to a second factor and out again; and how its process starts and ends."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

import aiohttp
import pytest

from garita_common.core import tokens
from garita_common.core.channels import BANS_GENERATION
from tests.integration.auth_service.conftest import PATIENCE_S, World, Worlds, environment


async def test_the_whole_road(world: World) -> None:
    """Register, log in, turn TOTP on, log in with it, get a chat token that the JWKS verifies, log out: the token is revoked."""
    person = await world.register("Ana")
    me = await world.get("/me", token=person.access)
    assert me.body["username"] == "Ana"
    assert me.body["email"] == person.email
    assert me.body["totp"] is False

    await world.enrol(person)
    first = await world.log_in(person)
    assert first.status == 200
    assert first.body["methods"] == ["totp"]
    second = await world.post(
        "/login/mfa", {"mfa_ticket": first.body["mfa_ticket"], "method": "totp", "code": world.totp(person)}
    )
    assert second.status == 200, second
    assert second.body["user"]["totp"] is True
    assert "device" not in second.body["tokens"], "the device is known already"
    access = second.body["tokens"]["access_token"]

    chat = await world.refresh(second.body["tokens"]["refresh_token"], person.device, "chat")
    assert chat.status == 200, chat
    jwks = await world.get("/.well-known/jwks.json", absolute=True)
    ring = tokens.Keyring.parse(jwks.raw)
    claims = ring.verify(chat.body["access_token"], issuer="garita", audience="chat", now_s=world.clock())
    assert (claims.sub, claims.name, claims.aud) == (person.id, "Ana", "chat")
    assert (claims.acr, claims.amr) == ("mfa", ["pwd", "otp"])
    assert claims.sid == second.body["tokens"]["session_id"]
    assert (await world.get("/me", token=chat.body["access_token"])).code == "token_invalid"

    listed = await world.get("/sessions", token=access)
    assert sorted(session["current"] for session in listed.body["sessions"]) == [False, True]

    out = await world.post("/logout", {}, token=access)
    assert (out.status, out.raw) == (204, b"")
    assert [(row.sub, row.sid) for row in await world.revoked()] == [(person.id, claims.sid)]
    assert (await world.get("/me", token=access)).code == "token_invalid"
    assert (await world.refresh(chat.body["refresh_token"], person.device)).code == "session_ended"
    assert (await world.get("/me", token=person.access)).status == 200, "the other session goes on"


async def test_accounts_keys_and_sessions_are_there_after_a_restart(worlds: Worlds) -> None:
    """The same database, and tokens signed before are still good."""
    async with worlds() as world:
        person = await world.register()
    async with worlds() as world:
        assert (await world.get("/me", token=person.access)).status == 200
        assert (await world.log_in(person)).status == 200


async def _start(folder: Path, redis_url: str, **settings: str) -> asyncio.subprocess.Process:
    env = environment(folder, redis_url, **settings)
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "auth_service", env=dict(os.environ) | env, stderr=asyncio.subprocess.PIPE
    )


async def _ports(process: asyncio.subprocess.Process) -> tuple[int, int]:
    assert process.stderr is not None
    async with asyncio.timeout(PATIENCE_S):
        while line := await process.stderr.readline():
            record = json.loads(line)
            if record["event"] == "listening":
                return record["port"], record["inner_port"]
    raise AssertionError("it ended before it listened")


async def test_the_process_ends_by_sigterm_with_0(tmp_path: Path, redis_url: str) -> None:
    """And says on the way where it listens, as one JSON line."""
    process = await _start(tmp_path, redis_url)
    await _ports(process)

    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(PATIENCE_S):
        assert await process.wait() == 0


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"HTTP_HOST": "0.0.0.0"}, "loopback"),
        ({"TRUSTED_PROXIES": "nonsense"}, "TRUSTED_PROXIES"),
        ({"UNHEARD_OF": "1"}, "GARITA_AUTH_UNHEARD_OF"),
        ({"GARITA_SECRETS_DIR": "/nonexistent"}, "auth_data_key"),
        ({"DATABASE": "/dev/null/auth.sqlite3"}, "DATABASE"),
    ],
)
async def test_a_bad_configuration_is_one_sentence_and_78(
    tmp_path: Path, redis_url: str, settings: dict[str, str], word: str
) -> None:
    """Naming what is wrong, without a traceback."""
    process = await _start(tmp_path, redis_url, **settings)
    async with asyncio.timeout(PATIENCE_S):
        _, errors = await process.communicate()

    assert process.returncode == os.EX_CONFIG
    assert word in errors.decode()
    assert "Traceback" not in errors.decode()


async def test_kill_9_between_commit_and_answer_loses_no_session(
    tmp_path: Path, redis_url: str, worlds: Worlds
) -> None:
    """A process killed in the middle of refreshing: the old token still leads to a living session, by the same successor if it was used."""
    async with worlds() as world:
        world.clock.now_s = time.time()  # the processes below have the real clock
        person = await world.register()
    clock_env = {"HTTP_PORT": "0"}
    process = await _start(tmp_path, redis_url, **clock_env)
    port, _ = await _ports(process)
    body = {"refresh_token": person.tokens["refresh_token"], "device_hint": person.device}
    async with aiohttp.ClientSession() as http:
        send = http.post(f"http://127.0.0.1:{port}/v1/auth/token/refresh", json=body)
        async with asyncio.TaskGroup() as tasks:
            asking = tasks.create_task(_until_broken(send))
            await asyncio.sleep(0.002)
            process.kill()
            await asking
    await process.wait()

    process = await _start(tmp_path, redis_url, **clock_env)
    port, _ = await _ports(process)
    try:
        async with aiohttp.ClientSession() as http:
            async with http.post(f"http://127.0.0.1:{port}/v1/auth/token/refresh", json=body) as response:
                assert response.status == 200, await response.text()
    finally:
        process.kill()
        await process.wait()


async def _until_broken(send: object) -> None:
    try:
        async with send as response:  # type: ignore[attr-defined]  # aiohttp's request context has no public name
            await response.read()
    except (aiohttp.ClientError, OSError):
        pass


async def test_readiness_names_what_is_missing(worlds: Worlds) -> None:
    """Without the detector's generation nobody knows who is banned: alive, not ready."""
    async with worlds(bans_known=False) as world:
        async with world.http.get(f"{world.inner}/healthz") as response:
            assert response.status == 200
        async with world.http.get(f"{world.inner}/readyz") as response:
            assert (response.status, (await response.json())["missing"]) == (503, ["bans"])
        await world.redis.set(BANS_GENERATION, 1)
        async with asyncio.timeout(PATIENCE_S):
            while True:
                async with world.http.get(f"{world.inner}/readyz") as response:
                    if response.status == 200:
                        break
                await asyncio.sleep(0.05)
