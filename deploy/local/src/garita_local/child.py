"""One child process: started, started again whenever it ends, and stopped for good.

A child is the head of a session of its own, so that Ctrl-C in the terminal reaches only the launcher, which then stops
the children in order, and so that what a child leaves behind can be ended with it. On Linux the kernel kills it when
the launcher dies by whatever means; elsewhere a killed launcher leaves its children.
"""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import sys
import time
from asyncio.subprocess import DEVNULL
from asyncio.subprocess import Process as RunningProcess
from collections.abc import Callable

from garita_local import logs
from garita_local.backoff import Backoff
from garita_local.plan import Process

EX_CONFIG = 78  # sysexits.h: a bad configuration, which trying again does not mend
NOT_STARTED = 127  # what a shell says when there is no such program
MAX_STARTS_BEFORE_READY = 5  # deaths before the first readiness: a start that fails this often fails
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


class Child:
    """Keeps one process alive. `trouble` is the sentence of a start that is hopeless, else None."""

    def __init__(self, plan: Process, *, changed: Callable[[], None]) -> None:
        self.plan = plan
        self.pid: int | None = None
        self.starts = 0
        self.trouble: str | None = None
        self._changed = changed
        self._settled = False
        self._stopping = asyncio.Event()
        self._ended = asyncio.Event()
        self._log_start = 0
        self._refusal = ""

    def settle(self) -> None:
        """The stack was ready once: from now on every death is answered with another start."""
        self._settled = True

    async def run(self) -> None:
        """Start the process again and again until `stop`, or until the start proves hopeless."""
        backoff = Backoff()
        try:
            while not self._stopping.is_set():
                began = time.monotonic()
                code = await self._live()
                if self._stopping.is_set() or self._hopeless(code):
                    return
                await self._pause(backoff.after_exit(time.monotonic() - began))
        finally:
            self._kill_group()
            self._ended.set()

    async def stop(self, within_s: float) -> None:
        """End the process and start no other: SIGTERM first, SIGKILL to all its kin after `within_s`."""
        self._stopping.set()
        if self.pid is not None:
            _send(self.pid, signal.SIGTERM)
            _send(self.pid, signal.SIGCONT)  # a stopped process would never see the SIGTERM
        try:
            async with asyncio.timeout(within_s):
                await self._ended.wait()
        except TimeoutError:
            self._kill_group()
            await self._ended.wait()

    async def _live(self) -> int:
        """One life of the process: its exit code, negative for a signal; NOT_STARTED when the system refused it."""
        self.starts += 1
        try:
            process = await self._spawn()
        except OSError as exc:
            self._refusal = f"{exc.strerror or exc}."
            return NOT_STARTED
        self.pid = process.pid
        self._changed()
        try:
            if self._stopping.is_set():  # stop() came while the process was being made and could not reach it
                _send(process.pid, signal.SIGTERM)
            return await process.wait()
        finally:
            self._kill_group()
            self.pid = None

    async def _spawn(self) -> RunningProcess:
        """Start the process with its output at the end of its log."""
        launcher = os.getpid()
        with self.plan.log.open("ab") as log:
            self._log_start = log.seek(0, os.SEEK_END)
            return await asyncio.create_subprocess_exec(
                *self.plan.words,
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.plan.folder,
                env=dict(self.plan.environment),
                start_new_session=True,
                pass_fds=self.plan.files,
                preexec_fn=lambda: _die_with(launcher),
            )

    def _hopeless(self, code: int) -> bool:
        """Whether this exit ends the attempt to start; says why in `trouble`."""
        if self._settled:
            return False
        words = self._refusal or logs.last_words(self.plan.log, self._log_start)
        if code == EX_CONFIG:
            self.trouble = f"{self.plan.name} does not start: {words or 'its configuration is wrong.'}"
        elif self.starts >= MAX_STARTS_BEFORE_READY:
            reason = words or f"exit code {code}"
            self.trouble = (
                f"{self.plan.name} ended {self.starts} times before it was ready; see {self.plan.log}: {reason}"
            )
        return self.trouble is not None

    async def _pause(self, delay_s: float) -> None:
        """Wait before the next start, unless stopped meanwhile."""
        try:
            async with asyncio.timeout(delay_s):
                await self._stopping.wait()
        except TimeoutError:
            pass

    def _kill_group(self) -> None:
        """End the process and whatever it started, now."""
        if self.pid is not None:
            try:
                os.killpg(self.pid, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                pass  # nobody is left in it; macOS says so with EPERM


def _send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may just have ended."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        pass


def _die_with(launcher: int) -> None:
    """Runs in the new process before the program: ask the kernel to end us with the launcher.

    The launcher may have died before the kernel was asked; then our parent is already another.
    """
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != launcher:
        os._exit(1)
