"""A real detector process for the tests: its settings, its start and end, what it stored, what operators ask."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from garita_common.core import activity, bans
from garita_common.core.channels import ACTIVITY_GROUP, ACTIVITY_KEY_STREAM, ACTIVITY_STREAM, BANS_HASH

DEADLINE_S = 30.0


def until(holds: Callable[[], Any], what: str, deadline_s: float = DEADLINE_S) -> Any:
    """The first true answer of `holds`."""
    end_s = time.monotonic() + deadline_s
    while not (answer := holds()):
        assert time.monotonic() < end_s, f"not within {deadline_s:g} s: {what}"
        time.sleep(0.01)
    return answer


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Detector:
    """One detector: a folder, a Redis, and a process that can be started and killed again and again."""

    folder: Path
    redis_url: str
    loopback: str = "public"
    token: str = field(default_factory=lambda: secrets.token_hex(32))
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.operator_port, self.inner_port = free_port(), free_port()
        self.redis = redis.Redis.from_url(self.redis_url)
        folder = self.folder / "secrets"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "operator_token").write_text(self.token)

    @property
    def database(self) -> Path:
        return self.folder / "detector.sqlite3"

    def start(self, *, ready: bool = True) -> None:
        """Starts the process; waits until it is ready."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("GARITA_")} | {
            "GARITA_REDIS_URL": self.redis_url,
            "GARITA_LOOPBACK": self.loopback,
            "GARITA_SECRETS_DIR": str(self.folder / "secrets"),
            "GARITA_DETECTOR_DATABASE": str(self.database),
            "GARITA_DETECTOR_OPERATOR_PORT": str(self.operator_port),
            "GARITA_DETECTOR_INNER_PORT": str(self.inner_port),
        }
        with (self.folder / "detector.log").open("ab") as log:
            words = [sys.executable, "-m", "detector_service"]
            self.process = subprocess.Popen(words, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        if ready:
            until(self.is_ready, f"the detector is ready; {self.log()}")

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()
        self.process = None

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(10)
        self.process = None
        return code

    def log(self) -> str:
        path = self.folder / "detector.log"
        return path.read_text(errors="replace")[-4000:] if path.exists() else ""

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.inner_port}/readyz", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            assert self.process is None or self.process.poll() is None, f"the detector ended: {self.log()}"
            return False

    def metrics(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.inner_port}/metrics", timeout=5) as answer:
            return str(answer.read().decode())

    def ask(self, path: str, *, method: str = "GET", body: Any = None, token: str | None = None) -> tuple[int, Any]:
        """An operator's request: status and JSON."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.operator_port}{path}", method=method)
        request.add_header("Authorization", f"Bearer {self.token if token is None else token}")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=15) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as exc:
            return exc.code, json.load(exc)

    def emit(self, *events: activity.Event) -> None:
        """Writes events to their streams, in one go."""
        with self.redis.pipeline(transaction=False) as pipe:
            for event in events:
                stream = ACTIVITY_KEY_STREAM if activity.is_key(event) else ACTIVITY_STREAM
                pipe.xadd(stream, {activity.FIELD: activity.encode(event)})
            pipe.execute()

    def settled(self) -> None:
        """Waits until every entry is read and acknowledged."""
        until(self.is_settled, f"all entries are taken; {self.log()}")

    def is_settled(self) -> bool:
        for stream in (ACTIVITY_KEY_STREAM, ACTIVITY_STREAM):
            if not self.redis.exists(stream):
                continue
            groups: Any = self.redis.xinfo_groups(stream)
            last: Any = self.redis.xinfo_stream(stream)["last-generated-id"]
            if not any(group["last-delivered-id"] == last and group["pending"] == 0 for group in groups):
                return False
        return True

    def bans(self) -> dict[str, bans.Ban]:
        """What gateways would read."""
        rows: Any = self.redis.hgetall(BANS_HASH)
        return {subject.decode(): bans.decode(data) for subject, data in rows.items()}

    def rows(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """What the database holds, read from outside."""
        with contextlib.closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=10)) as db:
            return db.execute(sql, parameters).fetchall()

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self.redis.close()


@contextlib.contextmanager
def detector(folder: Path, redis_url: str, *, loopback: str = "public", start: bool = True) -> Iterator[Detector]:
    """A detector for the length of the block."""
    it = Detector(folder, redis_url, loopback)
    try:
        if start:
            it.start()
        yield it
    finally:
        it.close()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def violation(ip: str, number: int, **more: Any) -> activity.ProtocolViolated:
    """A 0x52 on the TCP port, on a connection of its own."""
    fields: dict[str, Any] = {
        "ts_ms": now_ms(), "src": "gateway", "connection": f"g/{number}", "ip": ip, "kind": "tcp_kind", "byte": 0x52,
        "state": "new", "before_frames": True,
    }  # fmt: skip
    return activity.ProtocolViolated(**(fields | more))


__all__ = ["ACTIVITY_GROUP", "Detector", "detector", "now_ms", "until", "violation"]
