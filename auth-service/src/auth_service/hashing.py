"""Password hashing on a budget: a few threads, a short line, and refusal beyond it.

A hash costs 18 ms and 19 MiB whether anybody still waits for it or not. So its place in the line is held by the thread that works, and given up when
that thread is done: a client that disconnects frees nothing early, and the number of hashes in memory never passes the number of threads.
"""

import asyncio
import base64
import hashlib
import hmac
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

import argon2
import structlog
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from .config import AuthConfig
from .core import passwords
from .core.problems import Overloaded
from .metrics import Metrics

log = structlog.get_logger()

MAX_MEMORY_KIB: Final = 262_144
MAX_PASSES: Final = 16
MAX_LANES: Final = 8
ANSWER_S: Final = 15.0
"""The last resort should a thread hang: far above the line's own wait and any hash of ours."""


Result = TypeVar("Result")


class _Waited(Exception):
    """The line was too long for too long."""


class HashPool:
    """Hashes and checks passwords. The pepper is mixed in first, so that a stolen database alone cannot be guessed against."""

    def __init__(self, config: AuthConfig, pepper: bytes, metrics: Metrics) -> None:
        """Args: pepper: the secret `auth_pepper`."""
        workers = config.hash_workers or min(4, os.cpu_count() or 1)
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="hash")
        self._capacity = workers + config.hash_waiting
        self._wait_s = config.hash_wait_s
        self._pepper = pepper
        self._metrics = metrics
        self._held = self._coming = 0
        self._hasher = argon2.PasswordHasher(
            time_cost=config.hash_passes, memory_cost=config.hash_memory_kib, parallelism=1, hash_len=32, salt_len=16
        )
        # Checked for names of nobody, so that they cost what an account costs.
        self._dummy = self._hasher.hash(os.urandom(32))

    def close(self) -> None:
        """Lets running hashes end and takes no more."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    async def hash(self, password: str) -> str:
        """The password's hash. The password is one that `core.passwords` accepted.

        Raises:
            Overloaded: no room in the line, or no thread in time.
        """
        peppered = self._peppered(password)
        return await self._work(lambda: self._hasher.hash(peppered))

    async def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one that `stored` was made of. None, or a hash that is not to be trusted, costs the same and is False.

        Raises:
            Overloaded: no room in the line, or no thread in time.
        """
        usable = stored is not None and passwords.is_possible(password) and self._is_bounded(stored)
        against = stored if usable and stored is not None else self._dummy
        peppered = self._peppered(password if passwords.is_possible(password) else "")
        return await self._work(lambda: self._check(against, peppered)) and usable

    @contextmanager
    def coming(self) -> Iterator[None]:
        """While the block runs, somebody is on the way with a password: what it has to bring is looked at. Whom the line would refuse is refused before that work.

        Raises:
            Overloaded: those in the line and those on the way fill it.
        """
        if self._held + self._coming >= self._capacity:
            self._metrics.hash_shed.inc()
            raise Overloaded
        self._coming += 1
        try:
            yield
        finally:
            self._coming -= 1

    def is_outdated(self, stored: str) -> bool:
        """Whether a hash was made with other parameters than the present ones."""
        return self._hasher.check_needs_rehash(stored)

    def _is_bounded(self, stored: str) -> bool:
        """Whether a stored hash's own parameters are ones we would use: a tampered row must not allocate gigabytes."""
        try:
            found = argon2.extract_parameters(stored)
        except InvalidHashError:
            log.error("stored_hash_unreadable")
            return False
        if found.memory_cost > MAX_MEMORY_KIB or found.time_cost > MAX_PASSES or found.parallelism > MAX_LANES:
            log.error("stored_hash_out_of_bounds")
            return False
        return True

    def _peppered(self, password: str) -> bytes:
        mac = hmac.new(self._pepper, passwords.normal(password).encode(), hashlib.sha256)
        return base64.b64encode(mac.digest())

    def _check(self, stored: str, peppered: bytes) -> bool:
        try:
            return self._hasher.verify(stored, peppered)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    async def _work(self, job: Callable[[], Result]) -> Result:
        if self._held >= self._capacity:
            self._metrics.hash_shed.inc()
            raise Overloaded
        loop = asyncio.get_running_loop()
        self._held += 1
        self._metrics.hash_queue.set(self._held)
        future = self._pool.submit(self._timed, job, time.monotonic() + self._wait_s)
        future.add_done_callback(lambda _: loop.call_soon_threadsafe(self._give_up_place))
        try:
            async with asyncio.timeout(ANSWER_S):
                # Shielded: giving up on the answer must not look like giving up the place, which the thread holds.
                return await asyncio.shield(asyncio.wrap_future(future))
        except (_Waited, TimeoutError) as exc:
            self._metrics.hash_shed.inc()
            raise Overloaded from exc

    def _timed(self, job: Callable[[], Result], start_before_s: float) -> Result:
        """In the thread: does the job, unless it has waited for too long already."""
        started_s = time.monotonic()
        if started_s > start_before_s:
            raise _Waited
        result = job()
        self._metrics.hash_seconds.observe(time.monotonic() - started_s)
        return result

    def _give_up_place(self) -> None:
        self._held -= 1
        self._metrics.hash_queue.set(self._held)
