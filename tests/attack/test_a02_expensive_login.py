"""A-02: logins as a weapon, for each one costs the server a password hash."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests.attack import people, raw
from tests.attack.conftest import Target

LOGINS = 500
WORKERS, HASH_KIB = 4, 19 * 1024
POOL_KIB = WORKERS * HASH_KIB + 50 * 1024
PLACES = WORKERS + 32
"""Threads at most, and how many hashes may wait for one."""


@asynccontextmanager
async def watched(target: Target) -> AsyncIterator[list[float]]:
    """Asks for the auth service's health and its line of hashes until the block ends; gives how long the line was."""
    inner = target.facts["processes"]["auth"]["inner"]
    lines: list[float] = []
    over = asyncio.Event()

    async def watch() -> None:
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=raw.PATIENCE_S)) as http:
            while not over.is_set():
                async with http.get(f"{inner}/healthz") as answer:
                    assert answer.status == 200
                lines.append(await raw.metric(inner, "auth_hash_queue "))
                await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(watch())
        yield lines
        over.set()


async def test_abuse_08_a_burst_of_logins_is_shed_and_the_service_answers_on(
    target: Target, no_traceback: None
) -> None:
    """Memory is bounded by the pool; what is too much gets 503 or 429 with Retry-After, or has to work first (428); nothing gets a 500."""
    origin = "http://{}:{}".format(*target.accounts())
    before_kib = target.resident_kib("auth")
    answers: list[people.Answer] = []

    async def log_in(number: int) -> None:
        async with people.Api(origin, raw.fresh_address()) as api:
            answers.append(
                await api.post("login", {"identifier": f"nobody{number}", "password": f"wrong wrong wrong {number}"})
            )

    async with watched(target) as lines:
        async with asyncio.TaskGroup() as tasks:
            for number in range(LOGINS):
                tasks.create_task(log_in(number))

    statuses = [answer.status for answer in answers]
    assert set(statuses) <= {401, 428, 429, 503}
    assert {401, 503} <= set(statuses)
    assert all(int(answer.headers["retry-after"]) > 0 for answer in answers if answer.status in (429, 503))
    assert target.resident_kib("auth") - before_kib < POOL_KIB
    assert 0 < max(lines) <= PLACES


async def test_abuse_09_who_hangs_up_frees_no_thread(target: Target, no_traceback: None) -> None:
    """A thousand clients send a login and are gone: the line never gets longer than it may, and is empty at the end."""
    inner = target.facts["processes"]["auth"]["inner"]
    before_kib = target.resident_kib("auth")
    hashed = await raw.metric(inner, "auth_hash_seconds_count")
    host, port = target.accounts()

    async def send(number: int) -> asyncio.StreamWriter:
        body = json.dumps({"identifier": f"gone{number}", "password": f"wrong wrong wrong {number}"}).encode()
        head = f"POST /v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        _, writer = await asyncio.open_connection(host, port, local_addr=(raw.fresh_address(), 0))
        writer.write(head.encode() + body)
        await writer.drain()
        return writer

    async with watched(target) as lines:
        for start in range(0, 1000, 50):
            seen = len(lines)
            async with asyncio.TaskGroup() as tasks:
                sent = [tasks.create_task(send(number)) for number in range(start, start + 50)]
            for task in sent[::2]:
                task.result().close()  # before it was read
            async with asyncio.timeout(raw.PATIENCE_S):
                while max(lines[seen:], default=0) == 0 and len(lines) < seen + 50:
                    await asyncio.sleep(0.01)
            for task in sent[1::2]:
                task.result().close()  # while it is hashed, or waits for it
        async with asyncio.timeout(raw.PATIENCE_S):
            while lines[-1] > 0:
                await asyncio.sleep(0.05)

    assert 0 < max(lines) <= PLACES
    assert await raw.metric(inner, "auth_hash_seconds_count") > hashed
    assert target.resident_kib("auth") - before_kib < POOL_KIB


async def test_abuse_10_huge_and_malformed_bodies_cost_nothing(target: Target, no_traceback: None) -> None:
    """Refused with a 4xx before a hash is thought of; one that trickles in is given up after five seconds; memory stays as it was."""
    inner = target.facts["processes"]["auth"]["inner"]
    url = "http://{}:{}/v1/auth/login".format(*target.accounts())
    before_kib = target.resident_kib("auth")
    hashed = await raw.metric(inner, "auth_hash_seconds_count")
    keys = ",".join(f'"k{number}":0' for number in range(100_000))
    bodies: list[tuple[bytes, int, dict[str, str]]] = [
        (json.dumps({"identifier": "ana", "password": "x" * 1_000_000}).encode(), 413, {}),
        (b"[" * 10_000, 400, {}),
        (b'{"captcha":' * 1_400, 400, {}),
        (b'{"identifier":"ana","identifier":"bo","password":"x"}', 400, {}),
        (f"{{{keys}}}".encode(), 413, {}),
        (gzip.compress(b"x" * 10_000_000), 415, {"Content-Encoding": "gzip"}),
        (b'{"identifier":"ana"}', 400, {}),
        (b'{"identifier":"ana","password":"x","admin":true}', 400, {}),
        (b"[]", 400, {}),
    ]
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(local_addr=(raw.fresh_address(), 0)),
        timeout=aiohttp.ClientTimeout(total=raw.PATIENCE_S),
    ) as http:

        async def send(data: Any, headers: dict[str, str]) -> tuple[int, str]:
            headers = {"Content-Type": "application/json", **headers}
            async with http.post(url, data=data, headers=headers) as answer:
                return answer.status, answer.content_type

        async with asyncio.TaskGroup() as tasks:
            slow = tasks.create_task(send(_trickle(), {}))
            for data, status, headers in bodies * 3:
                assert await send(data, headers) == (status, "application/problem+json"), data[:40]
        assert slow.result()[0] in range(400, 500)

    assert await raw.metric(inner, "auth_hash_seconds_count") == hashed
    assert target.resident_kib("auth") - before_kib < 8 * 1024


async def _trickle() -> AsyncIterator[bytes]:
    """A body that never ends and never grows much."""
    yield b'{"identifier":"'
    while True:
        await asyncio.sleep(0.2)
        yield b"a"
