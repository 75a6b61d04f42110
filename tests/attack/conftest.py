"""One running stack for all attack tests of a worker: two gateways, and 127.x addresses that count like any other (LOOPBACK=public)."""

from __future__ import annotations

import itertools
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.attack import people, raw

START_TIMEOUT_S = 120.0


@dataclass
class Target:
    """The stack under attack, as its `run.json` describes it."""

    state: Path
    facts: dict[str, Any]
    _persons: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def origin(self) -> str:
        """The first gateway's HTTP address."""
        return str(self.facts["http"])

    @property
    def outbox(self) -> str:
        """Where unsent codes are shown."""
        return str(self.facts["outbox"])

    def gateway(self, number: int = 1) -> dict[str, Any]:
        """A gateway's row of run.json."""
        row: dict[str, Any] = self.facts["processes"][f"gateway-{number}"]
        return row

    def tcp(self, number: int = 1) -> tuple[str, int]:
        """A gateway's TCP address."""
        return _pair(self.gateway(number)["tcp"])

    def http(self, number: int = 1) -> tuple[str, int]:
        """A gateway's HTTP address."""
        return _pair(self.gateway(number)["http"].removeprefix("http://"))

    def refresh(self) -> None:
        """Reads run.json again, after processes were restarted."""
        self.facts = json.loads((self.state / "run.json").read_text())

    def pid(self, name: str) -> int:
        """A process's id now."""
        self.refresh()
        return int(self.facts["processes"][name]["pid"])

    def log(self, name: str) -> str:
        """What a process has logged."""
        return (self.state / "log" / f"{name}.log").read_text(errors="replace")

    def accounts(self) -> tuple[str, int]:
        """Where the auth service itself listens: a gateway before it sheds floods of its own accord."""
        settings = Path(f"/proc/{self.pid('auth')}/environ").read_text().split("\0")
        return "127.0.0.1", int(
            next(line for line in settings if line.startswith("GARITA_AUTH_HTTP_PORT=")).partition("=")[2]
        )

    def resident_kib(self, name: str) -> int:
        """A process's resident memory."""
        status = Path(f"/proc/{self.pid(name)}/status").read_text()
        return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmRSS")))

    def operator_token(self) -> str:
        """The bearer token of the detector's operator routes."""
        return (Path(self.facts["secrets_dir"]) / "operator_token").read_text().strip()

    async def person(self) -> people.Person:
        """A new account from an address of its own."""
        return await people.register(self.origin, self.outbox, raw.fresh_address())

    @asynccontextmanager
    async def connected(
        self, person: people.Person, *, gateway: int = 1, websocket: bool = False, **fields: Any
    ) -> AsyncIterator[raw.RawConnection]:
        """A connection of `person` after `connect`. Args: fields: what else `connect` says."""
        async with people.Api(self.origin, person.source) as api:
            token = await person.chat_token(api)
        opened = (
            raw.websocket(self.http(gateway), person.source) if websocket else raw.tcp(self.tcp(gateway), person.source)
        )
        async with opened as connection:
            answer = await connection.connect(token, **fields)
            if answer["op"] != "ok":
                raise AssertionError(f"connect: {answer}")
            yield connection


def _pair(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    return host, int(port)


def free_port() -> int:
    """A port that nobody has now, with room for a second gateway ten further."""
    while True:
        with socket.socket() as probe, socket.socket() as second:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
            try:
                second.bind(("127.0.0.1", port + 10))
            except (OSError, OverflowError):
                continue
            return port


@pytest.fixture(scope="session")
def target() -> Iterator[Target]:
    """The stack, started by the launcher as `make run` starts it, stopped at the end."""
    with tempfile.TemporaryDirectory(prefix="garita-attack-") as folder:
        state = Path(folder) / "var"
        http, tcp = free_port(), free_port()
        words = [sys.executable, "-P", "-m", "garita_local", "--state", str(state)]
        words += ["--http-port", str(http), "--tcp-port", str(tcp)]
        with subprocess.Popen(
            [*words, "--loopback", "public", "--gateways", "2"], stdout=subprocess.PIPE, text=True
        ) as launcher:
            assert launcher.stdout is not None
            deadline = time.monotonic() + START_TIMEOUT_S
            line = launcher.stdout.readline()
            assert line.startswith("garita ready:"), f"the stack did not start: {line!r}"
            assert time.monotonic() < deadline
            yield Target(state, json.loads((state / "run.json").read_text()))
            launcher.send_signal(signal.SIGTERM)
            assert launcher.wait(15) == 0


@pytest.fixture
def no_traceback(target: Target) -> Iterator[None]:
    """Fails the test if a process wrote a traceback or ended meanwhile."""
    before = {name: target.pid(name) for name in target.facts["processes"]}
    yield
    assert {name: target.pid(name) for name in before} == before, "a process ended"
    for name in before:
        assert "Traceback" not in target.log(name), f"{name} wrote a traceback"
