"""The whole stack for end-to-end tests: real services, real Redis, free ports, a state folder of its own.

A stack runs in a thread with a loop of its own, so that it is kept alive whatever loop a test uses; a test asks it for
addresses, pids and readiness from its own.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from garita_local.stack import Stack

START_TIMEOUT_S = 150.0


class StackMaker:
    """Makes stacks for one test, and stops them: each when told, the rest when the test ends."""

    def __init__(self, state: Path) -> None:
        self._state = state
        self._runners: dict[Stack, _Runner] = {}

    def __call__(
        self,
        *,
        state: Path | None = None,
        gateways: int = 1,
        loopback: str = "private",
        env: Mapping[str, str] | None = None,
    ) -> Stack:
        """A stack that is ready, with its data in `state` (a folder of this test's unless given)."""
        stack = _plain_stack(state or self._state, gateways=gateways, loopback=loopback, env=env)
        runner = _Runner(stack)
        runner.start()
        self._runners[stack] = runner
        return stack

    def stop(self, stack: Stack) -> None:
        """Stop one of them in order."""
        self._runners.pop(stack).stop()

    def stop_all(self) -> None:
        """Stop those that still run."""
        for stack in list(self._runners):
            self.stop(stack)


def _plain_stack(state: Path, *, gateways: int, loopback: str, env: Mapping[str, str] | None) -> Stack:
    """A stack with a Redis of its own: a REDIS_URL of the machine is not used."""
    kept = {key: value for key, value in os.environ.items() if key != "REDIS_URL"}
    return Stack(state=state, gateways=gateways, loopback=loopback, env=env, environment=kept)


class _Runner:
    """Runs one stack in a thread until told to stop."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._settled = threading.Event()
        self._error: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._work, name="stack")

    def start(self) -> None:
        """Wait until the stack is ready.

        Raises: what the start raised.
        """
        self._thread.start()
        assert self._settled.wait(START_TIMEOUT_S), "the stack neither started nor failed"
        if self._error is not None:
            self._thread.join()
            raise self._error

    def stop(self) -> None:
        """Stop the stack in order and wait for its end."""
        if self._loop is not None and self._stop is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as exc:  # noqa: BLE001  carried over to the thread that asked, and raised there
            self._error = exc
        finally:
            self._settled.set()

    async def _live(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        async with self._stack:
            self._settled.set()
            await self._stop.wait()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One stack for all tests that leave it as they found it: one gateway, loopback addresses not limited."""
    maker = StackMaker(tmp_path_factory.mktemp("stack") / "var")
    try:
        yield maker()
    finally:
        maker.stop_all()


@pytest.fixture
def make_stack(tmp_path: Path) -> Iterator[StackMaker]:
    """Makes stacks for this test alone: `make_stack(gateways=2, loopback="public", env={…}, state=…)`."""
    maker = StackMaker(tmp_path / "var")
    try:
        yield maker
    finally:
        maker.stop_all()
