"""The service as a process: killed, stopped and started again at any time, nothing acknowledged is lost or doubled."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
import uuid
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from garita_common.core import frames
from garita_common.core.records import Answered
from tests.fakes.chat_gateway import ChatGateway, chat_gateway, stamped, user_id

from .conftest import OPERATOR_TOKEN, RedisServer, Service, ok, send, until

KILLS = int(os.environ.get("GARITA_TEST_KILLS", "8"))


async def persist(gateway: ChatGateway, user: str, op: frames.RoomOp, every_s: float = 1.0) -> Answered:
    """Repeats a request, as clients do, until it is answered for good."""
    while True:
        try:
            async with asyncio.timeout(every_s):
                reply = await gateway.say(user, op)
        except TimeoutError:
            continue
        if reply.code not in {"internal", "busy"}:
            return reply


async def new_room(gateway: ChatGateway, user: str) -> str:
    """A public room."""
    op = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="public", title="Plaza")
    return str(ok(await persist(gateway, user, op))["room"]["id"])


class Load:
    """Senders that go on until told to stop; `acknowledged` is cmid → seq."""

    def __init__(self, gateway: ChatGateway, rooms: list[str], every_s: float = 1.0) -> None:
        self.acknowledged: dict[str, tuple[str, int]] = {}
        self.acts = 0
        self.is_over = False
        self._gateway = gateway
        self._rooms = rooms
        self._every_s = every_s

    async def sender(self, number: int) -> None:
        """One user, who waits for each answer."""
        while not self.is_over:
            room = self._rooms[number % len(self._rooms)]
            op = send(room, f"de {number}")
            answer = ok(await persist(self._gateway, f"user{number}", op, self._every_s))
            self.acknowledged[str(op.cmid)] = (room, answer["seq"])

    async def moderator(self) -> None:
        """The rooms' owner, who describes the first of them and bans somebody from it, and lets them in again; waits for each answer."""
        room, far, cmid = self._rooms[0], user_id("user20"), uuid.uuid4
        await persist(self._gateway, "user20", frames.ListRooms(id=1))
        while not self.is_over:
            for op in (
                frames.SetRoom(id=1, cmid=cmid(), room=room, topic=f"tras {self.acts}"),
                frames.BanMember(id=1, cmid=cmid(), room=room, user=far),
                frames.BanMember(id=1, cmid=cmid(), room=room, user=far, banned=False),
            ):
                ok(await persist(self._gateway, "user0", op, self._every_s))
                self.acts += 1


def check(service: Service, gateway: ChatGateway, load: Load, rooms: list[str]) -> None:
    """Acknowledged = stored, once, under the answered seq; no gaps; everything stored was said, first sayings in order."""
    stored: dict[str, tuple[str, int]] = {}
    seqs: dict[str, list[int]] = {room: [] for room in rooms}
    cmids: Counter[str] = Counter()
    for room, seq, frame in service.rows("SELECT room, seq, frame FROM events ORDER BY room, seq"):
        push = msgspec.json.decode(frame)
        assert (push["room"], push["seq"]) == (room, seq)
        seqs[room].append(seq)
        if push["op"] == "message":
            cmids[push["cmid"]] += 1
            stored[push["cmid"]] = (room, seq)
    assert max(cmids.values()) == 1
    assert load.acknowledged.items() <= stored.items()
    for room in rooms:
        assert seqs[room] == list(range(1, len(seqs[room]) + 1))
        heard = [event.seq for event in gateway.events[room]]
        fresh = [seq for n, seq in enumerate(heard) if n == 0 or seq > max(heard[:n])]
        assert fresh == seqs[room][-len(fresh) :]
        assert len(fresh) >= len(seqs[room]) - 1  # the first one came before the room was watched


def last_heard(gateway: ChatGateway, room: str) -> int:
    """The newest seq of a room that the gateway heard."""
    return max((event.seq for event in gateway.events.get(room, [])), default=0)


async def all_said(service: Service, gateway: ChatGateway, rooms: list[str]) -> None:
    """Waits until every stored event was heard."""
    heads = dict(service.rows("SELECT id, head FROM rooms"))
    await until(lambda: all(last_heard(gateway, room) == heads[room] for room in rooms))


@pytest.mark.slow
@pytest.mark.timeout(400)
async def test_killed_again_and_again_under_load(service: Service, redis_url: str) -> None:
    """kill -9 at random moments: every acknowledged message is stored once and said, in order; every act of moderation is done and noted once."""
    pauses = random.Random(5)
    service.start()
    await service.ready()
    async with chat_gateway(redis_url) as gateway:
        rooms = [await new_room(gateway, "user0") for _ in range(3)]
        await gateway.watch(*rooms)
        for number in range(1, 20):
            await persist(gateway, f"user{number}", frames.Join(id=1, cmid=uuid.uuid4(), room=rooms[number % 3]))
        load = Load(gateway, rooms)
        async with asyncio.TaskGroup() as tasks:
            for number in range(1, 20):
                tasks.create_task(load.sender(number))
            tasks.create_task(load.moderator())
            for _ in range(KILLS):
                before = len(load.acknowledged)
                await until(lambda n=before: len(load.acknowledged) > n + 20)  # type: ignore[misc]  # bound at once
                await asyncio.sleep(pauses.random() * 0.1)
                service.kill()
                service.start()
            load.is_over = True
        await service.ready()
        await all_said(service, gateway, rooms)

    assert len(load.acknowledged) > 20 * KILLS
    check(service, gateway, load, rooms)
    assert load.acts > KILLS
    assert [n for (n,) in service.rows("SELECT n FROM audit ORDER BY n")] == list(range(1, load.acts + 1))
    assert service.rows("SELECT * FROM banned") == []
    assert "Traceback" not in service.log()


@pytest.mark.slow
async def test_redis_killed_and_stopped_under_load(redis_server: RedisServer, tmp_path: Path) -> None:
    """The service stays; clients' repeats are answered once Redis is back; gateways then compare heads for what they missed."""
    service = Service(redis_server.url, tmp_path)
    service.start()
    try:
        await service.ready()
        async with chat_gateway(redis_server.url) as gateway:
            room = await new_room(gateway, "user1")
            load = Load(gateway, [room])
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load.sender(1))
                for number in (signal.SIGKILL, signal.SIGSTOP):
                    before = len(load.acknowledged)
                    await until(lambda n=before: len(load.acknowledged) > n + 20)  # type: ignore[misc]  # bound at once
                    redis_server.signal(number)
                    await asyncio.sleep(1.0)
                    if number == signal.SIGKILL:
                        redis_server.start()
                    else:
                        redis_server.signal(signal.SIGCONT)
                before = len(load.acknowledged)
                await until(lambda n=before: len(load.acknowledged) > n + 20, timeout_s=60)  # type: ignore[misc]  # bound at once
                load.is_over = True
            await service.ready()
        heads = service.rows("SELECT head, (SELECT count(*) FROM events) FROM rooms")
        assert heads == [(heads[0][0], heads[0][0])]
        cmids = [msgspec.json.decode(row[0]).get("cmid") for row in service.rows("SELECT frame FROM events")]
        assert set(load.acknowledged) <= set(cmids)
        assert len(cmids) == len(set(cmids))
        assert service.process is not None
        assert service.process.poll() is None
    finally:
        service.stop()


@pytest.mark.slow
async def test_stopped_and_continued(service: Service, redis_url: str) -> None:
    """SIGSTOP longer than commands live: what expired meanwhile is not carried out, what comes after is."""
    service.start()
    await service.ready()
    async with chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        service.signal(signal.SIGSTOP)
        late = stamped("ana", send(room, "tarde"), connection=77, expires_ms=time.time_ns() // 1_000_000 + 500)
        assert await gateway.publish(late) == 1
        await asyncio.sleep(1.0)
        service.signal(signal.SIGCONT)

        answer = ok(await persist(gateway, "ana", send(room, "a tiempo")))

    assert answer["seq"] == 2
    texts = [msgspec.json.decode(row[0]).get("text") for row in service.rows("SELECT frame FROM events")]
    assert texts == [None, "a tiempo"]


async def test_sigterm_ends_it_within_three_seconds(service: Service, redis_url: str) -> None:
    """With exit code 0, everything that was read answered, and every mark written; its inner listener tells its state before."""
    service.start()
    await service.ready()
    status, metrics = await service.get("/metrics")
    assert status == 200
    assert "chat_fence 1.0" in metrics
    assert (await service.get("/v1/reports", "not the token"))[0] == 401
    assert await service.get("/v1/reports", OPERATOR_TOKEN) == (200, '{"reports":[]}')
    async with chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        assert await gateway.publish(*[stamped("ana", send(room), connection=n) for n in range(500, 600)]) == 1
        began_s = time.monotonic()
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
        took_s = time.monotonic() - began_s
        await until(lambda: len(gateway.replies) == 101)

    assert took_s < 3.0
    assert service.rows("SELECT head, published FROM rooms") == [(101, 101)]
    assert "hola" not in service.log()


async def test_sigterm_ends_it_while_redis_is_away(redis_server: RedisServer, tmp_path: Path) -> None:
    """It is not ready then, and still goes in order."""
    service = Service(redis_server.url, tmp_path)
    service.start()
    try:
        await service.ready()
        redis_server.signal(signal.SIGKILL)
        async with asyncio.timeout(20):
            while (await service.get("/readyz"))[0] != 503:
                await asyncio.sleep(0.05)
        assert (await service.get("/healthz"))[0] == 200
        began_s = time.monotonic()
        service.signal(signal.SIGTERM)
        assert service.wait() == 0
        assert time.monotonic() - began_s < 3.0
    finally:
        service.stop()


async def role(service: Service) -> str:
    """What a copy says of itself; empty while it says nothing."""
    status, text = await service.get("/readyz")
    return str(msgspec.json.decode(text)["role"]) if status == 200 else ""


async def until_role(service: Service, wanted: str) -> None:
    """Waits until a copy is ready in that role."""
    async with asyncio.timeout(30):
        while await role(service) != wanted:
            await asyncio.sleep(0.02)


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_two_copies_hand_over_under_load(redis_url: str, tmp_path: Path) -> None:
    """The active one is killed, stopped for longer than a standby waits, and ended in order; no copy dies of it, and nothing is lost or doubled."""
    copies = [Service(redis_url, tmp_path, name, GARITA_CHAT_TAKEOVER_S="1.5") for name in ("one", "two")]
    try:
        for copy in copies:
            copy.start()
        for copy in copies:
            await copy.ready()
        active, other = copies if await role(copies[0]) == "active" else copies[::-1]
        await until_role(other, "standby")
        async with chat_gateway(redis_url) as gateway:
            rooms = [await new_room(gateway, "user0") for _ in range(3)]
            await gateway.watch(*rooms)
            for number in range(1, 20):
                await persist(gateway, f"user{number}", frames.Join(id=1, cmid=uuid.uuid4(), room=rooms[number % 3]))
            load = Load(gateway, rooms)
            async with asyncio.TaskGroup() as tasks:
                for number in range(1, 20):
                    tasks.create_task(load.sender(number))
                for blow in (signal.SIGKILL, signal.SIGSTOP, signal.SIGTERM, signal.SIGSTOP, signal.SIGKILL):
                    before = len(load.acknowledged)
                    await until(lambda n=before: len(load.acknowledged) > n + 100)  # type: ignore[misc]  # bound at once
                    active.signal(blow)
                    await until_role(other, "active")
                    if blow is signal.SIGSTOP:
                        active.signal(signal.SIGCONT)
                    if blow is not signal.SIGSTOP or await died(active):
                        active.wait()
                        active.start()
                    await until_role(active, "standby")
                    active, other = other, active
                load.is_over = True
            await all_said(active, gateway, rooms)
            check(active, gateway, load, rooms)
        assert all("Traceback" not in copy.log() for copy in copies)
    finally:
        for copy in copies:
            copy.stop()


async def died(service: Service) -> bool:
    """Whether a copy that was stopped has been ended: it was in the middle of a transaction. Waits until it has either ended or gone on."""
    assert service.process
    while service.process.poll() is None:
        if await role(service):
            return False
        await asyncio.sleep(0.02)
    return True


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"GARITA_CHAT_NONSENSE": "1"}, "GARITA_CHAT_NONSENSE"),
        ({"GARITA_CHAT_BLOB_URL": "nonsense"}, "GARITA_CHAT_BLOB_URL"),
        ({"GARITA_SECRETS_DIR": "/nonexistent"}, "simhash_key"),
    ],
)
async def test_a_bad_configuration_is_one_sentence(service: Service, change: dict[str, str], sentence: str) -> None:
    """Exit code 78, nothing else on standard error."""
    service.environment.update(change)

    service.start()

    assert service.wait() == os.EX_CONFIG
    assert sentence in service.log()
    assert "Traceback" not in service.log()
    assert len(service.log().splitlines()) == 1
