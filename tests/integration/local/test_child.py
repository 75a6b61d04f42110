"""One child process: kept alive, ended with its kin, given up only while the stack starts."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from garita_local.child import Child
from garita_local.plan import Process

DEADLINE_S = 20.0
SLEEPER = "import time; print('up', flush=True); time.sleep(600)"


def process(tmp_path: Path, code: str, *words: str) -> Process:
    """A plan for a Python process that runs `code`."""
    return Process("worker", (sys.executable, "-c", code, *words), dict(os.environ), tmp_path, tmp_path / "worker.log")


@asynccontextmanager
async def kept(plan: Process, *, settled: bool = True) -> AsyncIterator[Child]:
    """A child that is kept alive during the block and stopped after it."""
    child = Child(plan, changed=lambda: None)
    if settled:
        child.settle()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(child.run(), name="keep-worker")
        try:
            yield child
        finally:
            await child.stop(5.0)


async def until(holds: Callable[[], bool]) -> None:
    """Wait until that is so."""
    async with asyncio.timeout(DEADLINE_S):
        while not holds():
            await asyncio.sleep(0.02)


def alive(pid: int) -> bool:
    """Whether a process of that id runs; one that only waits to be buried does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state not in "ZX"


def wrote(plan: Process, text: str) -> bool:
    """Whether the process has said that."""
    return plan.log.exists() and text in plan.log.read_text()


async def test_a_killed_process_gets_a_new_life(tmp_path: Path) -> None:
    """kill -9 is answered with another start, and another."""
    async with kept(process(tmp_path, SLEEPER)) as child:
        for life in (1, 2, 3):
            await until(lambda life=life: child.starts == life and child.pid is not None)  # type: ignore[misc]
            pid = child.pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await until(lambda pid=pid: child.pid != pid)  # type: ignore[misc]
        await until(lambda: child.starts == 4)

        assert child.trouble is None


async def test_a_socket_that_is_inherited_outlives_its_processes(tmp_path: Path) -> None:
    """Whoever connects between two lives waits, and is served by the second."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = (
            "import os, socket, sys; held = socket.socket(fileno=int(sys.argv[1]))\n"
            "while True: one = held.accept()[0]; one.sendall(str(os.getpid()).encode()); one.close()"
        )
        plan = replace(process(tmp_path, code, str(server.fileno())), files=(server.fileno(),))
        async with kept(plan) as child:
            await until(lambda: child.pid is not None)
            assert await told(server) == child.pid
            first = child.pid
            assert first is not None

            os.kill(first, signal.SIGKILL)
            second = await told(server)

            assert second not in (0, first)
            assert second == child.pid


async def told(server: socket.socket) -> int:
    """The process that serves a new connection; 0 for one that took the connection with it."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            reader, writer = await asyncio.open_connection(*server.getsockname())
            try:
                text = await reader.read()
            except ConnectionError:
                text = b""
            finally:
                writer.close()
            if text:
                return int(text)


async def test_a_stopped_process_is_not_started_again(tmp_path: Path) -> None:
    """After stop() there is no process and no further start."""
    async with kept(process(tmp_path, SLEEPER)) as child:
        await until(lambda: child.pid is not None)
        pid = child.pid
        assert pid is not None

    assert child.pid is None
    assert child.starts == 1
    assert not alive(pid)


async def test_one_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    """SIGKILL is the last resort."""
    plan = process(tmp_path, "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + SLEEPER)
    async with kept(plan) as child:
        await until(lambda: wrote(plan, "up"))
        pid = child.pid
        assert pid is not None

        await child.stop(0.3)

        assert not alive(pid)


async def test_a_frozen_process_can_still_end_by_itself(tmp_path: Path) -> None:
    """SIGSTOP does not keep it from the SIGTERM: it is woken to see it."""
    plan = process(
        tmp_path,
        "import signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: (print('bye', flush=True), sys.exit(0))); "
        + SLEEPER,
    )
    async with kept(plan) as child:
        await until(lambda: wrote(plan, "up"))
        assert child.pid is not None
        os.kill(child.pid, signal.SIGSTOP)

    assert wrote(plan, "bye")


async def test_what_a_process_started_ends_with_it(tmp_path: Path) -> None:
    """Its kin does not outlive a kill -9 of the head."""
    plan = process(
        tmp_path,
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']); "
        "print('kin', p.pid, flush=True); time.sleep(600)",
    )
    async with kept(plan) as child:
        await until(lambda: wrote(plan, "kin") and plan.log.read_text().endswith("\n"))
        kin = int(plan.log.read_text().split()[1])
        assert alive(kin)
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)

        await until(lambda: not alive(kin))


async def test_a_bad_configuration_ends_the_start_with_its_sentence(tmp_path: Path) -> None:
    """Exit code 78 is not tried again."""
    plan = process(tmp_path, "import sys; sys.stderr.write('The quota is not a number.\\n'); sys.exit(78)")
    async with kept(plan, settled=False) as child:
        await until(lambda: child.trouble is not None)

        assert child.trouble == "worker does not start: The quota is not a number."
        assert child.starts == 1


async def test_a_bad_configuration_after_the_start_is_tried_again(tmp_path: Path) -> None:
    """Once the stack was ready, nothing makes it give up."""
    async with kept(process(tmp_path, "import sys; sys.exit(78)")) as child:
        await until(lambda: child.starts >= 3)

        assert child.trouble is None


async def test_dying_again_and_again_ends_the_start(tmp_path: Path) -> None:
    """The sentence says how often, where to look, and the last words."""
    async with kept(process(tmp_path, "import sys; sys.exit('out of order')"), settled=False) as child:
        await until(lambda: child.trouble is not None)

        assert child.trouble is not None
        assert "5 times" in child.trouble
        assert child.trouble.endswith("out of order")


async def test_a_program_that_is_not_there_ends_the_start(tmp_path: Path) -> None:
    """The system's reason becomes the sentence."""
    plan = Process("worker", (str(tmp_path / "none"),), {}, tmp_path, tmp_path / "worker.log")
    async with kept(plan, settled=False) as child:
        await until(lambda: child.trouble is not None)

        assert child.trouble is not None
        assert "No such file or directory" in child.trouble
