"""detector_service.app and __main__: a process's start, readiness and end, and what it says when it cannot start."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import _redis_binary

from .running import Detector, detector, until, violation


def test_a_stop_is_clean_and_quick(running: Detector) -> None:
    """Exit code 0 within 3 s of SIGTERM, and what was stored is there again."""
    running.emit(*(violation("127.0.0.5", number) for number in range(2)))
    running.settled()
    begun_s = time.monotonic()

    assert running.stop() == 0
    assert time.monotonic() - begun_s < 10

    running.start()
    running.emit(violation("127.0.0.5", 3))
    until(running.bans, "the third violation bans after the restart")


def test_a_stopped_process_catches_up(running: Detector) -> None:
    """SIGSTOP while events come, SIGCONT: everything is stored once."""
    assert running.process is not None
    running.process.send_signal(signal.SIGSTOP)
    running.emit(*(violation("127.0.0.5", number) for number in range(3)))
    time.sleep(0.5)
    assert running.bans() == {}

    running.process.send_signal(signal.SIGCONT)

    until(running.bans, "the ban is published")
    assert running.rows("SELECT count(*) FROM events") == [(3,)]


def test_it_waits_for_redis_and_outlives_it(tmp_path: Path) -> None:
    """Not ready without Redis, ready with it, not ready when it has gone, ready again; the ban is written into the new, empty one."""
    words = [
        _redis_binary(),
        "--port",
        "0",
        "--unixsocket",
        str(tmp_path / "r.sock"),
        "--dir",
        str(tmp_path),
        "--save",
        "",
    ]
    with detector(tmp_path, f"unix://{tmp_path}/r.sock", start=False) as it:
        it.start(ready=False)
        until(lambda: "intake_interrupted" in it.log(), "it looks for Redis")
        assert not it.is_ready()
        for round_number in range(2):
            with subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as server:
                try:
                    until(it.is_ready, f"ready with Redis; {it.log()}")
                    if round_number == 0:
                        it.emit(*(violation("127.0.0.5", number) for number in range(3)))
                    until(it.bans, "the ban is published")
                finally:
                    server.kill()
            until(lambda: not it.is_ready(), "not ready without Redis")
        assert it.rows("SELECT count(*) FROM decisions") == [(1,)]


def test_without_its_secret_it_says_so_and_ends_with_78(tmp_path: Path, redis_url: str) -> None:
    """One sentence on standard error."""
    with detector(tmp_path, redis_url, start=False) as it:
        (tmp_path / "secrets" / "operator_token").unlink()
        it.start(ready=False)
        assert it.process is not None

        assert it.process.wait(20) == os.EX_CONFIG
        assert "operator_token" in it.log()
        assert "Traceback" not in it.log()


@pytest.mark.parametrize("content", [b"this is no database, " * 100, None])
def test_a_database_that_cannot_be_opened_is_one_sentence_too(
    tmp_path: Path, redis_url: str, content: bytes | None
) -> None:
    """Another kind of file, or a folder."""
    with detector(tmp_path, redis_url, start=False) as it:
        if content is None:
            it.database.mkdir()
        else:
            it.database.write_bytes(content)
        it.start(ready=False)
        assert it.process is not None

        assert it.process.wait(20) == os.EX_CONFIG
        assert "cannot be opened" in it.log()
        assert "Traceback" not in it.log()


def test_its_metrics_tell_what_it_did(running: Detector) -> None:
    """Events by kind, decisions by rule and action, bans in force; no address anywhere."""
    running.emit(*(violation("127.0.0.5", number) for number in range(3)))
    until(running.bans, "the ban is published")

    told = running.metrics()

    assert 'detector_events_total{kind="proto.violation"} 3.0' in told
    assert 'detector_decisions_total{action="ban",scenario="protocol-violation"} 1.0' in told
    assert "detector_bans_active_count 1.0" in told
    assert "127.0.0" not in told
    assert "127.0.0.5" not in running.log()
