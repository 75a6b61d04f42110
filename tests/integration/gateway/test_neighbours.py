"""Several gateways of one host on one port: limits per address hold for all of them together, also after one was killed."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from garita_common.config import ConfigError, Secret
from gateway.app import Gateway
from gateway.neighbours import HostCounts
from tests.fakes.wire_clients import Closed, TcpClient

from .rig import Rig, eventually, gateway_of, key_server, rig, settings, token

KEY = Secret("0123456789abcdefghijklmnopqrstuvwxyz")
HOLDER = """
import sys
from pathlib import Path
from garita_common.config import Secret
from gateway.app import Gateway
from gateway.neighbours import HostCounts
it = HostCounts(Path(sys.argv[1]), Secret(sys.argv[2]), 100)
with it.running():
    it.publish("203.0.113.7/32", 5)
    print("there", flush=True)
    sys.stdin.read()
"""


def host_counts(folder: Path, key: Secret = KEY) -> HostCounts:
    """A process's part."""
    return HostCounts(folder, key, 100)


def test_processes_see_each_other_s_counts(tmp_path: Path) -> None:
    """As they change, without a look in between; who leaves takes its counts along."""
    folder = tmp_path / "counts"
    with host_counts(folder).running():
        with ExitStack() as stack:
            ana, ben, eva = host_counts(folder), host_counts(folder), host_counts(folder)
            for each in (ana, ben, eva):
                stack.enter_context(each.running())
            ana.publish("a", 3)
            ben.publish("a", 4)
            ben.publish("b", 1)
            assert [each.elsewhere("a") for each in (ana, ben, eva)] == [4, 3, 7]
            ben.publish("a", 0)
            assert [each.elsewhere("a") for each in (ana, ben, eva)] == [0, 3, 3]
            assert eva.elsewhere("b") == 1
            assert [each.processes for each in (ana, ben, eva)] == [4, 4, 4]

        assert len(list(folder.iterdir())) == 1
    assert list(folder.iterdir()) == []


def test_a_killed_process_leaves_no_counts_behind(tmp_path: Path) -> None:
    """The kernel lets go of its lock; a process that is only stopped still holds its connections."""
    it = host_counts(tmp_path)
    with it.running():
        words = [sys.executable, "-c", HOLDER, str(tmp_path), KEY.reveal()]
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == b"there\n"
            it.look()
            assert it.elsewhere("203.0.113.7/32") == 5

            holder.send_signal(signal.SIGSTOP)
            it.look()
            assert (it.processes, it.elsewhere("203.0.113.7/32")) == (2, 5)

            holder.kill()
            holder.wait()
        it.look()
        assert (it.processes, it.elsewhere("203.0.113.7/32")) == (1, 0)
        assert len(list(tmp_path.iterdir())) == 1


def test_a_file_of_another_kind_is_no_neighbour(tmp_path: Path) -> None:
    """Neither one that nobody holds, nor one that another program does."""
    (tmp_path / "1-aa.counts").write_bytes(b"something else, of an odd length")
    with host_counts(tmp_path).running():
        assert not (tmp_path / "1-aa.counts").exists()


def test_without_the_folder_who_was_known_still_counts(tmp_path: Path) -> None:
    """A cleaner of temporary files takes no limit away and stops nobody from coming in."""
    folder = tmp_path / "counts"
    ana, eva = host_counts(folder), host_counts(folder)
    with ana.running(), eva.running():
        ana.publish("a", 3)
        assert eva.elsewhere("a") == 3

        shutil.rmtree(folder)
        ana.publish("a", 4)
        assert eva.elsewhere("a") == 4


def test_another_key_finds_nothing(tmp_path: Path) -> None:
    """Whoever cannot read the key cannot aim at a place."""
    ana, eva = host_counts(tmp_path), host_counts(tmp_path, Secret("another-key-of-thirty-two-characters!"))
    with ana.running(), eva.running():
        ana.publish("a", 3)

        assert eva.elsewhere("a") == 0


def test_a_folder_that_cannot_be_used_is_a_sentence(tmp_path: Path) -> None:
    """At the start."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match="GARITA_GATEWAY_SHARED_COUNTS"), host_counts(tmp_path / "file").running():
        pass


def test_a_shared_port_needs_shared_counts(tmp_path: Path) -> None:
    """Otherwise an address had its limits in every process anew."""
    with pytest.raises(ConfigError, match="GARITA_GATEWAY_SHARED_COUNTS"):
        settings(tmp_path, "unix:///none", "http://127.0.0.1", reuse_port=True)


async def comes_in(port: int, number: int, source: str = "127.0.0.9") -> TcpClient | None:
    """A client that got in as somebody, or None."""
    client = await TcpClient.open(port, source=source)
    try:
        answer = await client.connect(token(f"u{number}"))
    except (Closed, ConnectionError):
        client.abort()
        return None
    return client if answer["op"] == "ok" else None


async def test_two_gateways_on_one_port_have_one_limit(tmp_path: Path, redis_url: str) -> None:
    """The kernel spreads connections; six of an address come in on whichever, the seventh nowhere, until one leaves."""
    fields: dict[str, Any] = {
        "loopback": "public",
        "reuse_port": True,
        "shared_counts": tmp_path / "counts",
        "connections_per_address": 6,
        "attempts_per_address": 64,
    }
    async with rig(tmp_path, redis_url, **fields) as it, key_server() as auth_url:
        ports = {"http_port": it.gateway.http_port, "tcp_port": it.gateway.tcp_port}
        config = settings(tmp_path, redis_url, auth_url, **fields, **ports)
        async with gateway_of(config) as (second, _):
            await eventually(lambda: both_know(it, second))
            held = [await comes_in(it.gateway.tcp_port, number) for number in range(24)]
            inside = [client for client in held if client is not None]

            counts = [len(each.desk.connections) for each in (it.gateway, second)]
            assert (len(inside), sum(counts)) == (6, 6)
            other = await comes_in(it.gateway.tcp_port, 30, "127.0.0.10")
            assert other is not None

            inside[0].abort()
            await eventually(lambda: len(it.gateway.desk.connections) + len(second.desk.connections) == 6)
            assert await comes_in(it.gateway.tcp_port, 31) is not None
            for client in (*inside, other):
                client.abort()


def both_know(it: Rig, second: Gateway) -> bool:
    """Whether both gateways have found each other."""
    return all(each.neighbours is not None and each.neighbours.processes == 2 for each in (it.gateway, second))
