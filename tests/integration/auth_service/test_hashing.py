"""auth_service.hashing: the pool's bounds, and hashes that are not to be trusted."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from auth_service.config import AuthConfig
from auth_service.core.problems import Overloaded
from auth_service.hashing import HashPool
from auth_service.metrics import Metrics
from tests.integration.auth_service.conftest import environment, eventually

PASSWORD = "cangrejo sin reloj"


class Watched(HashPool):
    """A pool whose jobs stop until they are let go, and are counted."""

    def __init__(self, config: AuthConfig) -> None:
        """Args: config: its size."""
        super().__init__(config, b"pepper", Metrics(CollectorRegistry()))
        self.gate = threading.Event()
        self.running = 0
        self.most = 0
        self._count = threading.Lock()

    def _check(self, stored: str, peppered: bytes) -> bool:
        with self._count:
            self.running += 1
            self.most = max(self.most, self.running)
        self.gate.wait(30)
        with self._count:
            self.running -= 1
        return super()._check(stored, peppered)


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Watched]:
    """Two threads, three waiting."""
    config = AuthConfig.load(environment(tmp_path, "redis://127.0.0.1:1", HASH_WORKERS="2", HASH_WAITING="3"))
    made = Watched(config)
    yield made
    made.gate.set()
    made.close()


async def test_a_hash_is_verified_and_only_by_its_password(pool: Watched) -> None:
    """In whatever way the accents were typed."""
    pool.gate.set()
    stored = await pool.hash("ñandú brújula norte")

    assert stored.startswith("$argon2id$v=19$m=256,t=1,p=1$")
    assert await pool.verify(stored, "n\u0303andu\u0301 bru\u0301jula norte")
    assert not await pool.verify(stored, "ñandú brújula sur")
    assert not await pool.verify(None, PASSWORD)


async def test_no_more_than_the_threads_hash_at_once_and_the_line_is_short(pool: Watched) -> None:
    """Five have a place, the rest is refused at once; when they are done there is room again."""
    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(_outcome(pool)) for _ in range(20)]
        await eventually(lambda: sum(task.done() for task in asked) == 15 and pool.running == 2)
        pool.gate.set()

    outcomes = [task.result() for task in asked]
    assert outcomes.count("refused") == 15
    assert outcomes.count("wrong") == 5
    assert pool.most == 2
    assert await _outcome(pool) == "wrong"


async def test_a_caller_who_goes_away_frees_no_place(pool: Watched) -> None:
    """The thread works on, so the place is held until it is done."""
    for _ in range(5):
        task = asyncio.get_running_loop().create_task(_outcome(pool))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
    assert await _outcome(pool) == "refused"
    assert pool.most <= 2

    pool.gate.set()

    async def has_room() -> bool:
        return await _outcome(pool) == "wrong"

    await eventually(has_room)


async def test_a_hash_that_waited_too_long_is_not_begun(tmp_path: Path) -> None:
    """Its client has gone; the thread does something useful instead."""
    settings = {"HASH_WORKERS": "1", "HASH_WAITING": "3", "HASH_WAIT_S": "0.05"}
    made = Watched(AuthConfig.load(environment(tmp_path, "redis://127.0.0.1:1", **settings)))
    try:
        async with asyncio.TaskGroup() as tasks:
            first = tasks.create_task(_outcome(made))
            await eventually(lambda: made.running == 1)
            late = tasks.create_task(_outcome(made))
            await asyncio.sleep(0.2)
            made.gate.set()
        assert (first.result(), late.result()) == ("wrong", "refused")
    finally:
        made.close()


@pytest.mark.parametrize(
    "stored",
    [
        "$argon2id$v=19$m=4194304,t=2,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=256,t=4000000000,p=1$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=256,t=1,p=64$c29tZXNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$2b$12$abcdefghijklmnopqrstuv",
        "",
        "plain",
    ],
)
async def test_a_tampered_hash_is_refused_before_anything_is_allocated(pool: Watched, stored: str) -> None:
    """Gigabytes, billions of passes, another algorithm, rubbish: like a wrong password, and at its price."""
    pool.gate.set()

    assert await pool.verify(stored, PASSWORD) is False


@pytest.mark.parametrize("password", ["x" * 257, "x" * 100_000, "\ud800", ""])
async def test_an_impossible_password_costs_what_a_wrong_one_costs(pool: Watched, password: str) -> None:
    """And is never right."""
    pool.gate.set()
    stored = await pool.hash(PASSWORD)

    assert await pool.verify(stored, password) is False


async def test_other_parameters_are_noticed(pool: Watched) -> None:
    """So that a login can hash the password anew."""
    pool.gate.set()
    stored = await pool.hash(PASSWORD)

    assert pool.is_outdated(stored) is False
    assert pool.is_outdated(stored.replace("m=256", "m=512")) is True


async def _outcome(pool: HashPool) -> str:
    try:
        return "right" if await pool.verify(None, PASSWORD) else "wrong"
    except Overloaded:
        return "refused"


async def test_who_is_on_the_way_counts_for_the_line(pool: Watched) -> None:
    """Whom the line would refuse is refused before anything is asked about him; who leaves frees his place."""
    with ExitStack() as coming:
        for _ in range(5):
            coming.enter_context(pool.coming())
        with pytest.raises(Overloaded), pool.coming():
            raise AssertionError("there is no room")

    with pool.coming():
        pass
