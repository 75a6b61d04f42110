"""garita_common.runtime: a real process."""

import os
import signal
import subprocess
import sys
from pathlib import Path

SERVICE = """
import asyncio, sys
from garita_common import runtime
from garita_common.config import ServiceConfig

class Config(ServiceConfig):
    service_prefix = "GARITA_TOY_"

async def run(config, stop):
    from aiohttp import web
    async with runtime.listening(web.Application(), config.inner_host, config.inner_port) as port:
        print(port, flush=True)
        await stop.wait()

sys.exit(runtime.main("toy", Config, run))
"""


def start(folder: Path, **environment: str) -> "subprocess.Popen[str]":
    """The service as a process with these variables."""
    return subprocess.Popen(
        [sys.executable, "-c", SERVICE],
        env={"PATH": os.environ["PATH"], "GARITA_REDIS_URL": "redis://127.0.0.1:1", "GARITA_SECRETS_DIR": str(folder)}
        | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_sigterm_ends_a_service_with_0(tmp_path: Path) -> None:
    """It serves until then."""
    with start(tmp_path) as process:
        assert process.stdout is not None
        assert int(process.stdout.readline()) > 0
        process.send_signal(signal.SIGTERM)

        assert process.wait(15) == 0


def test_a_bad_setting_is_one_sentence_and_78(tmp_path: Path) -> None:
    """All problems are named, no traceback."""
    with start(tmp_path, GARITA_TOY_INNER_PORT="many", GARITA_TOY_COLOUR="red") as process:
        _, said = process.communicate(timeout=15)

    assert process.returncode == os.EX_CONFIG
    assert len(said.splitlines()) == 1
    assert "GARITA_TOY_COLOUR" in said
    assert "GARITA_TOY_INNER_PORT" in said
    assert "many" not in said


def test_a_port_in_use_is_one_sentence_and_78(tmp_path: Path) -> None:
    """The second one of two on a port."""
    with start(tmp_path) as first:
        assert first.stdout is not None
        port = first.stdout.readline().strip()
        with start(tmp_path, GARITA_TOY_INNER_PORT=port) as second:
            _, said = second.communicate(timeout=15)
        first.send_signal(signal.SIGTERM)

    assert second.returncode == os.EX_CONFIG
    assert said.count("\n") == 1
    assert port in said
