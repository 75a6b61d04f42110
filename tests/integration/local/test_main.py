"""The command behind `make run`, as a process: its one line, its sentences, its exit codes, what it leaves."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from garita_local import ports
from tests.integration.local.conftest import Standins
from tests.integration.local.test_child import alive, until

DEADLINE_S = 60.0
READY = re.compile(
    r"garita ready: http://127\.0\.0\.1:(\d+)  tcp 127\.0\.0\.1:(\d+)  "
    r"outbox http://127\.0\.0\.1:\1/dev/outbox\?key=[\w-]{43}\n"
)


@asynccontextmanager
async def launcher(state: Path, standins: Standins, *words: str, **more: str) -> AsyncIterator[Process]:
    """The command on free ports; killed after the block if it still runs."""
    http_port, tcp_port = ports.free_ports(2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "garita_local", "--state", str(state),
        "--http-port", str(http_port), "--tcp-port", str(tcp_port), *words,
        env=standins.environment | more, stdout=PIPE, stderr=PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def ready(process: Process) -> str:
    """The first line on stdout."""
    assert process.stdout is not None
    async with asyncio.timeout(DEADLINE_S):
        return (await process.stdout.readline()).decode()


async def ended(process: Process) -> tuple[int, str, str]:
    """Exit code, what else was printed, and what was said on stderr."""
    async with asyncio.timeout(DEADLINE_S):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def started(standins: Standins) -> list[int]:
    """The ids of all service processes so far."""
    return [int(line.split()[1]) for line in standins.lines("start")]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_one_line_when_ready_and_an_orderly_stop(
    tmp_path: Path, standins: Standins, number: signal.Signals
) -> None:
    """The line has its promised form, nothing else is on stdout, and the exit code is 0."""
    async with launcher(tmp_path / "var", standins) as process:
        line = await ready(process)
        process.send_signal(number)
        process.send_signal(number)
        code, rest, _ = await ended(process)

    assert READY.fullmatch(line)
    assert (code, rest) == (0, "")
    assert standins.lines("end") == ["gateway", "chat", "auth", "detector"]


async def test_a_killed_launcher_leaves_nothing(tmp_path: Path, standins: Standins) -> None:
    """kill -9: the kernel ends every child, and the state folder can be used at once."""
    async with launcher(tmp_path / "var", standins) as process:
        await ready(process)
        pids = started(standins)
        process.kill()
        await process.wait()
        await until(lambda: not any(alive(pid) for pid in pids))

    async with launcher(tmp_path / "var", standins) as process:
        assert READY.fullmatch(await ready(process))
        process.terminate()
        await ended(process)


async def test_trouble_is_one_sentence_and_exit_1(tmp_path: Path, standins: Standins) -> None:
    """A port in use: no line on stdout, no traceback, nothing started."""
    with socket.socket() as other:
        other.bind((ports.HOST, 0))
        other.listen(1)
        port = other.getsockname()[1]
        async with launcher(tmp_path / "var", standins, "--tcp-port", str(port)) as process:
            code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"garita: port {port} is in use by another program; stop that program or choose another port with TCP_PORT=."
    ]
    assert started(standins) == []


@pytest.mark.parametrize(("option", "value"), [("--tcp-port", "many"), ("--gateways", "1.5"), ("--loopback", "open")])
async def test_a_wrong_choice_is_one_line(tmp_path: Path, standins: Standins, option: str, value: str) -> None:
    """The option and the value are named, and nothing is made."""
    async with launcher(tmp_path / "var", standins, option, value) as process:
        code, out, err = await ended(process)

    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1
    assert option in err
    assert value in err
    assert not (tmp_path / "var").exists()


async def test_a_services_sentence_reaches_the_terminal(tmp_path: Path, standins: Standins) -> None:
    """What a service says about its configuration is the last line."""
    async with launcher(tmp_path / "var", standins, STANDIN_AUTH="config") as process:
        code, out, err = await ended(process)

    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == "garita: auth does not start: The quota is not a number."
    assert not any(alive(pid) for pid in started(standins))


async def test_a_stop_during_the_start_is_not_a_success(tmp_path: Path, standins: Standins) -> None:
    """Exit code 128 + signal, and nothing left."""
    async with launcher(tmp_path / "var", standins, STANDIN_DETECTOR="unready") as process:
        await until(lambda: len(started(standins)) == 4)
        process.terminate()
        code, out, _ = await ended(process)

    assert (code, out) == (128 + signal.SIGTERM, "")
    assert not any(alive(pid) for pid in started(standins))


async def test_what_it_writes_is_private(tmp_path: Path, standins: Standins) -> None:
    """No file or folder of the state is open to others."""
    async with launcher(tmp_path / "var", standins) as process:
        await ready(process)
        modes = {path: path.stat().st_mode & 0o077 for path in (tmp_path / "var").rglob("*") if not path.is_socket()}
        process.terminate()
        await ended(process)

    assert [str(path) for path, mode in modes.items() if mode] == []
    assert os.listdir(tmp_path / "var" / "secrets")  # noqa: PTH208  there were secrets to look at
