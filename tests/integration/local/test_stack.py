"""The stack as an object, with stand-in services and a real Redis: start, stop, trouble, second start."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import time
from pathlib import Path

import pytest
from redis.asyncio import Redis

from garita_local import ports
from garita_local.stack import Stack
from garita_local.troubles import CannotStart
from tests.integration.local.conftest import Standins
from tests.integration.local.test_child import alive, until


async def test_every_process_runs_and_run_json_says_where(tmp_path: Path, standins: Standins) -> None:
    """Two gateways, three services and Redis; the note is private and gone after the stop."""
    async with Stack(state=tmp_path / "var", gateways=2, environment=standins.environment) as stack:
        note = stack.layout.run_file
        facts = json.loads(note.read_text())

        assert stack.names() == ["gateway-1", "gateway-2", "chat", "auth", "detector", "redis"]
        assert {name: p["pid"] for name, p in facts["processes"].items()} == {n: stack.pid(n) for n in stack.names()}
        assert facts["outbox"] == f"{stack.http}/dev/outbox?key={stack.secret('outbox_key')}"
        assert facts["tcp"] == f"127.0.0.1:{stack.tcp[1]}"
        assert facts["processes"]["gateway-2"]["http"] == f"http://127.0.0.1:{int(stack.http.split(':')[2]) + 10}"
        assert facts["processes"]["chat"]["inner"] == stack.inner("chat")
        assert note.stat().st_mode & 0o777 == 0o600
        pids = [stack.pid(name) for name in stack.names()]

    assert not note.exists()
    assert not any(alive(pid) for pid in pids)


async def test_it_stops_in_order(tmp_path: Path, standins: Standins) -> None:
    """Gateways end before chat, chat before auth, auth before the detector."""
    async with Stack(state=tmp_path / "var", gateways=2, environment=standins.environment):
        pass

    assert standins.lines("end") == ["gateway", "gateway", "chat", "auth", "detector"]


async def test_deaf_processes_do_not_hold_up_the_stop(tmp_path: Path, standins: Standins) -> None:
    """All services ignore SIGTERM: the stop still keeps its promise of ten seconds, and nothing is left."""
    deaf = {f"STANDIN_{name}": "deaf" for name in ("GATEWAY", "CHAT", "AUTH", "DETECTOR")}
    async with Stack(state=tmp_path / "var", environment=standins.environment, env=deaf) as stack:
        pids = [stack.pid(name) for name in stack.names()]
        began = time.monotonic()

    assert time.monotonic() - began < 10.0
    assert not any(alive(pid) for pid in pids)


async def test_any_killed_process_comes_back(tmp_path: Path, standins: Standins) -> None:
    """Redis too; run.json follows."""
    async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
        for name in stack.names():
            before = stack.pid(name)
            stack.kill(name)
            await stack.ready()

            assert stack.pid(name) != before
            noted = json.loads(stack.layout.run_file.read_text())["processes"][name]["pid"]
            assert noted == stack.pid(name)


async def test_a_second_start_finds_the_data_and_secrets(tmp_path: Path, standins: Standins) -> None:
    """What Redis acknowledged is there even though it was killed; tokens stay the same."""
    async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
        client = Redis.from_url(stack.redis_url)
        await client.set("kept", "yes")
        await client.aclose()
        token = stack.secret("service_token")
        stack.kill("redis")

    async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
        client = Redis.from_url(stack.redis_url)
        assert await client.get("kept") == b"yes"
        assert await client.config_get("appendfsync") == {"appendfsync": "always"}
        await client.aclose()
        assert stack.secret("service_token") == token


async def test_redis_is_reachable_for_this_user_only(tmp_path: Path, standins: Standins) -> None:
    """Socket and folder are closed to others, and no TCP port is open."""
    async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
        path = Path(stack.redis_url.removeprefix("unix://"))
        client = Redis.from_url(stack.redis_url)
        port = await client.config_get("port")
        await client.aclose()

        assert path.stat().st_mode & 0o777 == 0o700
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert port == {"port": "0"}


async def test_a_named_redis_is_used_and_left_running(tmp_path: Path, standins: Standins, redis_url: str) -> None:
    """REDIS_URL wins: no private server is started."""
    environment = standins.environment | {"REDIS_URL": redis_url}
    async with Stack(state=tmp_path / "var", environment=environment) as stack:
        assert "redis" not in stack.names()
        assert json.loads(stack.layout.run_file.read_text())["redis_url"] == redis_url

    client = Redis.from_url(redis_url)
    assert await client.ping()
    await client.aclose()


@pytest.mark.parametrize(
    ("manner", "words"),
    [
        ("config", "chat does not start: The quota is not a number."),
        ("crash", "chat ended 5 times before it was ready"),
    ],
)
async def test_a_service_that_cannot_start_ends_the_start(
    tmp_path: Path, standins: Standins, manner: str, words: str
) -> None:
    """One sentence, and nothing left running: every process that was started has ended."""
    stack = Stack(state=tmp_path / "var", environment=standins.environment, env={"STANDIN_CHAT": manner})

    with pytest.raises(CannotStart, match=words):
        async with stack:
            pass

    assert not any(alive(int(line.split()[1])) for line in standins.lines("start"))
    assert not (tmp_path / "var" / "redis" / "redis.sock").exists()


async def test_a_port_in_use_starts_nothing(tmp_path: Path, standins: Standins) -> None:
    """Said before any process is made; with the port free again the same stack starts."""
    http_port, tcp_port = ports.free_ports(2)
    with socket.socket() as other:
        other.bind((ports.HOST, tcp_port))
        other.listen(1)
        with pytest.raises(CannotStart, match=f"port {tcp_port} is in use.*TCP_PORT="):
            async with Stack(
                state=tmp_path / "var", http_port=http_port, tcp_port=tcp_port, environment=standins.environment
            ):
                pass
    assert standins.lines("start") == []

    async with Stack(state=tmp_path / "var", http_port=http_port, tcp_port=tcp_port, environment=standins.environment):
        pass


async def test_two_stacks_never_share_a_state_folder(tmp_path: Path, standins: Standins) -> None:
    """The second is refused and does not disturb the first."""
    async with Stack(state=tmp_path / "var", environment=standins.environment) as first:
        with pytest.raises(CannotStart, match="already runs"):
            async with Stack(state=tmp_path / "var", environment=standins.environment):
                pass

        await first.ready()
        assert first.layout.run_file.exists()


async def test_an_unknown_kind_of_loopback_is_refused(tmp_path: Path, standins: Standins) -> None:
    """Only private and public are known."""
    with pytest.raises(CannotStart, match="LOOPBACK=open"):
        async with Stack(state=tmp_path / "var", loopback="open", environment=standins.environment):
            pass


async def test_the_bodys_error_passes_unchanged(tmp_path: Path, standins: Standins) -> None:
    """A failing test inside the block is reported as itself, and the stack is stopped."""
    with pytest.raises(KeyError, match="mine"):
        async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
            pids = [stack.pid(name) for name in stack.names()]
            raise KeyError("mine")

    assert not any(alive(pid) for pid in pids)


async def test_a_cancelled_start_leaves_nothing(tmp_path: Path, standins: Standins) -> None:
    """Stopped while a service is not ready yet: everything that was started ends."""
    stack = Stack(state=tmp_path / "var", environment=standins.environment, env={"STANDIN_AUTH": "unready"})

    async def start() -> None:
        async with stack:
            pass

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(start(), name="start")
        await until(lambda: len(standins.lines("start")) == 4)
        task.cancel()

    assert not any(alive(int(line.split()[1])) for line in standins.lines("start"))


async def test_ready_names_who_is_not(tmp_path: Path, standins: Standins) -> None:
    """A frozen process is named in the error."""
    async with Stack(state=tmp_path / "var", environment=standins.environment) as stack:
        os.kill(stack.pid("detector"), signal.SIGSTOP)

        with pytest.raises(TimeoutError, match="detector"):
            await stack.ready(timeout_s=1.0)
