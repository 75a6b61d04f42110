"""A-02: logins as a weapon, for each one costs the server a password hash."""

import asyncio
import time

from tests.attack import people, raw
from tests.attack.conftest import Target

LOGINS = 200
POOL_KIB = 4 * 19 * 1024 + 50 * 1024


async def test_a_burst_of_logins_is_shed_and_the_service_answers_on(target: Target, no_traceback: None) -> None:
    """Memory is bounded by the pool; what is too much gets 503 or 429 with Retry-After, or has to work first (428); nothing gets a 500."""
    before_kib = target.resident_kib("auth")
    answers: list[people.Answer] = []
    slowest_s = 0.0

    async def log_in(number: int) -> None:
        async with people.Api(target.origin, raw.fresh_address()) as api:
            answers.append(
                await api.post("login", {"identifier": f"nobody{number}", "password": "wrong wrong wrong 1"})
            )

    async def health() -> None:
        nonlocal slowest_s
        for _ in range(20):
            started_s = time.monotonic()
            assert await raw.metric(target.facts["processes"]["auth"]["inner"], "python_info") >= 0
            slowest_s = max(slowest_s, time.monotonic() - started_s)
            await asyncio.sleep(0.1)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(health())
        for number in range(LOGINS):
            tasks.create_task(log_in(number))

    assert {answer.status for answer in answers} <= {401, 428, 429, 503}
    assert any(answer.status == 401 for answer in answers)
    assert all("retry-after" in answer.headers for answer in answers if answer.status in (429, 503))
    assert target.resident_kib("auth") - before_kib < POOL_KIB
    assert slowest_s < raw.PATIENCE_S


async def test_huge_and_malformed_bodies_cost_nothing(target: Target, no_traceback: None) -> None:
    """Refused before a hash is thought of."""
    async with people.Api(target.origin, raw.fresh_address()) as api:
        for body, status in (
            ({"identifier": "ana", "password": "x" * 20_000}, 413),
            ({"identifier": "ana", "password": "x" * 300}, 401),
            ({"identifier": "ana"}, 400),
            ({"identifier": "ana", "password": "x" * 20, "admin": True}, 400),
            ([], 400),
        ):
            answer = await (api.log_in(body) if isinstance(body, dict) and status == 401 else api.post("login", body))
            assert answer.status == status, body
