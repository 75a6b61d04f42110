"""Which Redis-protocol server is used, and how a private one is set up."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_local import redis_server, state_folder
from garita_local.layout import Layout
from garita_local.redis_server import PATH_SERVERS, WHEEL_SERVER, ServerProgram
from garita_local.troubles import CannotStart

ON_PATH = ServerProgram("redis-server", Path("/usr/bin/redis-server"))
WHEEL = ServerProgram(WHEEL_SERVER, Path("/wheel/valkey-server"))


def program(folder: Path, name: str, version: str) -> None:
    """A program that answers --version as a Redis server does."""
    path = folder / name
    path.write_text(f"#!/bin/sh\necho 'Redis server v={version} sha=00000000:0 malloc=libc bits=64'\n")
    path.chmod(0o755)


def test_a_server_of_the_machine_comes_before_the_wheel(tmp_path: Path) -> None:
    """redis-server first, then valkey-server, then the wheel's."""
    program(tmp_path, "valkey-server", "8.1.0")
    program(tmp_path, "redis-server", "7.0.15")

    names = [found.name for found in redis_server.find_programs(str(tmp_path))]

    assert names == [*PATH_SERVERS, WHEEL_SERVER]


@pytest.mark.parametrize(("version", "used"), [("6.2.14", False), ("7.0.0", True), ("10.1.2", True)])
def test_an_old_server_is_passed_over(tmp_path: Path, version: str, used: bool) -> None:
    """Sharded pub/sub needs version 7."""
    program(tmp_path, "redis-server", version)

    names = [found.name for found in redis_server.find_programs(str(tmp_path))]

    assert ("redis-server" in names) is used


def test_a_program_that_does_not_run_has_no_version(tmp_path: Path) -> None:
    """Neither a missing program nor one that says something else is an error."""
    broken = tmp_path / "redis-server"
    broken.write_text("#!/bin/sh\necho hello\n")
    broken.chmod(0o755)

    assert redis_server.major_version(str(broken)) is None
    assert redis_server.major_version(str(tmp_path / "none")) is None


@pytest.mark.parametrize(
    ("made_by", "chosen"), [(None, ON_PATH), ("redis-server", ON_PATH), (WHEEL_SERVER, WHEEL), ("gone", ON_PATH)]
)
def test_a_state_folder_stays_with_its_server(made_by: str | None, chosen: ServerProgram) -> None:
    """An older server could not read a newer one's files."""
    assert redis_server.choose([ON_PATH, WHEEL], made_by) == chosen


def test_no_server_at_all_is_said_in_one_sentence() -> None:
    """The sentence names what to install."""
    with pytest.raises(CannotStart, match="install redis-server"):
        redis_server.choose([], None)


def test_the_configuration_is_durable_and_private(tmp_path: Path) -> None:
    """Every write is on disk before it is answered, nothing is evicted, and no TCP port is open."""
    layout = Layout(tmp_path / 'a "quoted" var')
    state_folder.make_folders(layout)

    server = redis_server.set_up(layout, "")

    lines = server.config.read_text().splitlines()
    assert {"port 0", "appendonly yes", "appendfsync always", "maxmemory-policy noeviction"} <= set(lines)
    assert "client-output-buffer-limit pubsub 32mb 8mb 60" in lines
    assert f'dir "{str(layout.redis).replace(chr(34), chr(92) + chr(34))}"' in lines
    assert (layout.redis / "made-by").read_text().strip() == WHEEL_SERVER


def test_a_long_path_gets_a_short_private_socket_folder(tmp_path: Path) -> None:
    """A socket's name has little room; the folder made for it is private, found again, and removed."""
    layout = Layout(tmp_path / ("long" * 30))
    state_folder.make_folders(layout)

    server = redis_server.set_up(layout, "")

    assert len(str(server.socket)) <= redis_server.MAX_SOCKET_PATH_BYTES
    assert server.socket.parent.stat().st_mode & 0o777 == 0o700
    assert redis_server.socket_path(layout) == server.socket
    redis_server.remove_socket_folder(server, layout)
    assert not server.socket.parent.exists()


def test_a_short_path_keeps_its_socket_in_the_state_folder() -> None:
    """Removing does nothing to it."""
    layout = Layout(Path("/srv/garita"))

    assert redis_server.socket_path(layout) == Path("/srv/garita/redis/redis.sock")


async def test_a_named_server_must_answer_and_its_password_is_not_repeated(tmp_path: Path) -> None:
    """The sentence says where, never with what password."""
    with pytest.raises(CannotStart, match=r"127\.0\.0\.1:1 ") as caught:
        await redis_server.require_answer("redis://user:hidden-word@127.0.0.1:1/0")
    assert "hidden-word" not in str(caught.value)

    with pytest.raises(CannotStart, match="not an address"):
        await redis_server.require_answer("http://127.0.0.1:1/")


async def test_a_named_server_that_answers_is_taken(redis_url: str) -> None:
    """No sentence, no trouble."""
    await redis_server.require_answer(redis_url)
