"""Who writes: taking the database over, standing by, giving it up.

The row `owner` holds the fence and the owner's sign of life; `core.ownership` judges. Beside the database lies one small file per fence, `…-owner-7`, which the
owner of fence 7 keeps locked (`flock`) as long as it lives. The kernel gives the lock back when the process ends, by whatever means, so a standby knows a dead
owner from a silent one at once. The file is made and locked before its fence is committed, so whoever reads a fence finds its file. Only files of one host
(and containers on it) can be judged so; SQLite in WAL mode works on one host only anyway.

An owner that was stopped in the middle of a transaction keeps SQLite's write lock, which nothing but its end gives back: it is ended (SIGKILL), but only
when it is silent, holds its file's lock, is seen as stopped by the kernel, and the database is locked. The same goes for a copy that was stopped while it took
the database over: it holds the file of the fence that comes next.
"""

import asyncio
import contextlib
import fcntl
import math
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import structlog
from prometheus_client import CollectorRegistry

from garita_common.config import ConfigError
from garita_common.logs import Sparingly

from .core.ownership import RELEASED_MS, Reason, Sign, Watch
from .database import Database, open_database, upgrade, version_of
from .metrics import Metrics

log = structlog.get_logger()

LOOK_S = 0.25
"""Between two looks at the owner: one read of one row."""
TAKE_BUSY_MS = 250
TOOL_TAKEOVER_S = 30.0
PID_NAMESPACE = Path("/proc/self/ns/pid")


class Ownership:
    """One copy's place: `take` stands by and takes; `is_owner` tells."""

    def __init__(
        self, database: Database, path: Path, metrics: Metrics, clock_ms: Callable[[], int], *, takeover_s: float
    ) -> None:
        """Args: path: of the database; clock_ms: Unix milliseconds; takeover_s: silence after which an owner is followed."""
        self._database = database
        self._path = path
        self._metrics = metrics
        self._clock_ms = clock_ms
        self._takeover_s = takeover_s
        self._sparingly = Sparingly(time.monotonic)
        self._claim: int | None = None
        self._watched_s = -math.inf
        self.is_owner = False

    async def take(self, stop: asyncio.Event) -> bool:
        """Stands by until this copy may own the database, and takes it; False when told to stop before.

        Raises:
            ConfigError: the database cannot be written, or is a later version's.
        """
        watch = Watch(self._takeover_s)
        is_told = False
        while not stop.is_set():
            if await self._try(watch):
                return True
            if not is_told:
                log.info("standing_by")
                is_told = True
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await stop.wait()
        return False

    async def release(self) -> None:
        """Says that nobody owns the database now; for an owner that has said and written everything.

        Raises:
            FenceLost: another copy has taken it over already.
        """
        try:
            await self._database.transact(
                lambda db: db.execute("UPDATE owner SET seen_ms = ? WHERE one = 1", (RELEASED_MS,))
            )
        finally:
            self.drop()

    def drop(self) -> None:
        """This copy is not the owner any more, or never was."""
        self.is_owner = False
        self._metrics.active.set(0)
        if self._claim is not None:
            os.close(self._claim)
            self._claim = None

    def is_watching(self) -> bool:
        """Whether there was lately another owner to be seen."""
        return time.monotonic() - self._watched_s < self._takeover_s

    async def _try(self, watch: Watch) -> bool:
        """One look, and the taking if it may be."""
        try:
            sign, lives = await self._database.run(self._look)
        except sqlite3.Error as exc:
            if self._sparingly.due("owner_unreadable", type(exc).__name__):
                log.warning("owner_unreadable", error=type(exc).__name__)
            return False
        now_s = time.monotonic()
        reason = watch.judge(sign, lives, now_s)
        if reason is None:
            self._watched_s = now_s
            return False
        try:
            fence = await self._database.run(lambda db: self._take(db, sign))
        except sqlite3.Error as exc:
            if not _is_locked(exc):
                raise ConfigError(f"The database of GARITA_CHAT_DATABASE cannot be written: {exc}.") from exc
            if self._sparingly.due("takeover_locked_out", reason.value):
                log.warning("takeover_locked_out", reason=reason.value)
            self._end_stopped(sign.fence + 1)
            if reason is Reason.SILENT:
                self._end_stopped(sign.fence)
            return False
        if fence == 0:
            return False
        self._database.fence = fence
        self.is_owner = True
        self._metrics.fence.set(fence)
        self._metrics.active.set(1)
        self._metrics.takeovers.labels(reason.value).inc()
        log.info("took_over", reason=reason.value, fence=fence)
        return True

    # On the database's thread

    def _look(self, db: sqlite3.Connection) -> tuple[Sign, bool]:
        """What the row says, and whether the process that took its fence lives."""
        if version_of(db) == 0:
            return Sign(0, RELEASED_MS), False
        sign = _read(db)
        return sign, self._lives(sign.fence)

    def _take(self, db: sqlite3.Connection, seen: Sign) -> int:
        """Upgrades the schema and takes the next fence, if the row still says what was seen; 0 if not.

        Raises:
            sqlite3.Error: the database is locked or cannot be written.
        """
        (usual_ms,) = db.execute("PRAGMA busy_timeout").fetchone()
        db.execute(f"PRAGMA busy_timeout = {TAKE_BUSY_MS:d}")
        try:
            db.execute("BEGIN IMMEDIATE")
            upgrade(db)
            if _read(db) != seen:
                db.execute("ROLLBACK")
                return 0
            fence = seen.fence + 1
            claim = self._make_claim(fence)
            db.execute("UPDATE owner SET fence = ?, seen_ms = ? WHERE one = 1", (fence, max(self._clock_ms(), 1)))
            db.execute("COMMIT")
        except BaseException:
            if db.in_transaction:
                db.execute("ROLLBACK")
            raise
        finally:
            db.execute(f"PRAGMA busy_timeout = {usual_ms:d}")
        self.drop()
        self._claim = claim
        self._remove_older(fence)
        return fence

    def _claim_file(self, fence: int) -> Path:
        return self._path.with_name(f"{self._path.name}-owner-{fence}")

    def _make_claim(self, fence: int) -> int:
        """The locked file of a fence that nobody has seen yet; a try that came to nothing may have left it."""
        claim = os.open(self._claim_file(fence), os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        fcntl.flock(claim, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(claim, f"{os.getpid()} {_pid_namespace()}".encode())
        return claim

    def _remove_older(self, fence: int) -> None:
        """Nobody asks for the files of earlier fences again."""
        kept = self._claim_file(fence)
        for path in self._path.parent.glob(f"{self._path.name}-owner-*"):
            if path != kept:
                path.unlink(missing_ok=True)

    def _lives(self, fence: int) -> bool:
        try:
            probe = os.open(self._claim_file(fence), os.O_RDONLY)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(probe, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(probe)
        return False

    def _end_stopped(self, fence: int) -> None:
        """Ends the process that holds a fence's file if it lives, and is stopped, and can be reached from here."""
        try:
            pid, namespace = self._claim_file(fence).read_text().split(" ", 1)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (OSError, ValueError, IndexError):
            return
        if namespace == _pid_namespace() and state in "Tt" and self._lives(fence):
            log.warning("stopped_owner_ended", fence=fence)
            self._metrics.owners_ended.inc()
            os.kill(int(pid), signal.SIGKILL)


async def open_owned(path: Path) -> tuple[Database, Ownership]:
    """Opens a database and takes it, for tools that work on it alone; waits while a service owns it.

    Raises:
        ConfigError: it cannot be opened or written.
    """
    database = await open_database(path)
    ownership = Ownership(database, path, Metrics(CollectorRegistry()), lambda: 1, takeover_s=TOOL_TAKEOVER_S)
    await ownership.take(asyncio.Event())
    return database, ownership


def _read(db: sqlite3.Connection) -> Sign:
    return Sign(*db.execute("SELECT fence, seen_ms FROM owner WHERE one = 1").fetchone())


def _is_locked(exc: sqlite3.Error) -> bool:
    """Whether another connection has the database at the moment."""
    return exc.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def _pid_namespace() -> str:
    """What makes a process id mean the same to two processes; empty where the system has nothing of the kind."""
    try:
        return str(PID_NAMESPACE.readlink())
    except OSError:
        return ""
