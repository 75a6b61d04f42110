"""The outbox: whatever becomes of Redis, each log is said in order, and nothing stored is left out."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from prometheus_client import CollectorRegistry

from chat_service import store_outbox
from chat_service.activity_records import ActivityRecords
from chat_service.batch import Committed
from chat_service.core.texttags import TextTags
from chat_service.metrics import Metrics
from chat_service.publisher import MAX_READY, Publisher
from chat_service.store_outbox import Log, LogKind
from garita_common import bus
from garita_common.core import frames
from garita_common.core.records import Answered, Attach, Attached
from garita_common.emitter import Emitter
from tests.fakes.chat_gateway import ChatGateway, chat_gateway, stamped, user_id

from .conftest import Desk, RedisServer, send, until


class Voice:
    """A running publisher on a desk."""

    def __init__(self, publisher: Publisher, registry: CollectorRegistry) -> None:
        self.publisher = publisher
        self.registry = registry

    def behind(self) -> float:
        """How many logs are behind."""
        return self.registry.get_sample_value("chat_logs_behind") or 0.0


def make(desk: Desk, url: str, behind: list[Log] | None = None) -> Voice:
    """A publisher on a desk, not running yet."""
    registry = CollectorRegistry()
    client = bus.connect(url, timeout_s=2.0)
    emitter = Emitter(bus.connect(url), registry, "chat")
    records = ActivityRecords(TextTags(b"k" * 32))
    return Voice(Publisher(client, desk.database, emitter, records, Metrics(registry), behind or []), registry)


@asynccontextmanager
async def speaking(voice: Voice) -> AsyncIterator[None]:
    """Runs the publisher while the block runs, then lets it say what is left."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(voice.publisher.run())
        try:
            yield
        finally:
            voice.publisher.close()


def seqs(gateway: ChatGateway, room: str) -> list[int]:
    """What a gateway heard of a room."""
    return [event.seq for event in gateway.events.get(room, [])]


async def commit(desk: Desk, gateway: ChatGateway, room: str, count: int = 1) -> Committed:
    """One transaction with so many messages."""
    return await desk.batch(*[(gateway.id, stamped("ana", send(room), connection=1)) for _ in range(count)])


async def test_what_is_committed_is_said(desk: Desk, redis_url: str) -> None:
    """Room events, personal events and replies, each where it belongs; then the marks move."""
    room = await desk.room("ana")
    voice = make(desk, redis_url)
    async with chat_gateway(redis_url) as gateway, speaking(voice):
        await gateway.watch(room)
        await gateway.watch_users("ana")
        await voice.publisher.put(desk.said[-1])
        await voice.publisher.put(await commit(desk, gateway, room, 3))
        await until(lambda: len(gateway.replies) == 3)

        assert seqs(gateway, room) == [1, 2, 3, 4]
        assert [event.seq for event in gateway.personal[user_id("ana")]] == [1]
    assert voice.publisher.take_marks() == {Log(LogKind.ROOM, room): 4, Log(LogKind.USER, user_id("ana")): 1}


async def test_what_was_stored_before_the_start_is_said_first(desk: Desk, redis_url: str) -> None:
    """In seq order, before anything newer, in as many pieces as it takes."""
    room = await desk.room("ana")
    for _ in range(3):
        await desk.batch(*[("old", stamped("ana", send(room))) for _ in range(60)])
    behind = await desk.run(store_outbox.logs_behind)
    voice = make(desk, redis_url, behind)
    async with chat_gateway(redis_url) as gateway:
        await gateway.watch(room)
        await gateway.watch_users("ana")
        newer = await commit(desk, gateway, room, 2)
        async with speaking(voice):
            await voice.publisher.put(newer)
            await until(lambda: len(gateway.replies) == 2)
            await voice.publisher.put(await commit(desk, gateway, room))
            await until(lambda: len(gateway.replies) == 3)
        await until(lambda: len(seqs(gateway, room)) >= 184)

    assert seqs(gateway, room) == list(range(1, 185))
    assert [event.seq for event in gateway.personal[user_id("ana")]] == [1]
    assert voice.behind() == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
async def test_nothing_is_left_out_when_redis_goes_away(desk: Desk, redis_server: RedisServer, number: int) -> None:
    """Killed or stopped: what was stored meanwhile is said once it is back, in order, before what is newer."""
    room = await desk.room("ana")
    voice = make(desk, redis_server.url)
    async with chat_gateway(redis_server.url) as gateway, speaking(voice):
        await gateway.watch(room)
        await voice.publisher.put(await commit(desk, gateway, room))
        await until(lambda: seqs(gateway, room) == [2])

        redis_server.signal(number)
        await voice.publisher.put(await commit(desk, gateway, room, 2))
        await voice.publisher.put(await commit(desk, gateway, room))
        await until(lambda: voice.behind() == 1)
        if number == signal.SIGKILL:
            redis_server.start()
            await until(lambda: gateway.listener.linked)
        else:
            redis_server.signal(signal.SIGCONT)
        await voice.publisher.on_linked()
        await voice.publisher.put(await commit(desk, gateway, room))
        await until(lambda: bool(seqs(gateway, room)) and seqs(gateway, room)[-1] == 6 and voice.behind() == 0)

    heard = seqs(gateway, room)
    fresh = [seq for n, seq in enumerate(heard) if seq > max(heard[:n], default=0)]
    assert voice.publisher.take_marks()[Log(LogKind.ROOM, room)] == 6
    if number == signal.SIGSTOP:
        assert fresh == [2, 3, 4, 5, 6]
    else:  # what is said before the gateway has subscribed again is its to repair, by comparing heads
        assert fresh == sorted(fresh)


async def test_a_publisher_that_cannot_read_the_store_goes_on(desk: Desk, redis_url: str) -> None:
    """Replies are said all the same, and the marks are not forgotten."""
    room = await desk.room("ana")
    voice = make(desk, redis_url, await desk.run(store_outbox.logs_behind))
    async with chat_gateway(redis_url) as gateway:
        await gateway.watch(room)
        await desk.database.run(lambda db: db.execute("ALTER TABLE notices RENAME TO elsewhere"))
        async with speaking(voice):
            done = Committed(replies=[(gateway.id, Answered(1, "ua", 1, b"{}"))])
            await voice.publisher.put(done)
            await until(lambda: len(gateway.replies) == 1)
            await desk.database.run(lambda db: db.execute("ALTER TABLE elsewhere RENAME TO notices"))
            await until(lambda: seqs(gateway, room) == [1])


async def test_the_committer_waits_while_too_much_is_waiting(desk: Desk, redis_url: str) -> None:
    """The queue is bounded."""
    voice = make(desk, redis_url)
    attached = Attached(1, "ua", [], 0)
    for _ in range(MAX_READY):
        await voice.publisher.put(Committed(replies=[("g1", attached)]))

    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await voice.publisher.put(Committed(replies=[("g1", attached)]))
    async with speaking(voice), asyncio.timeout(20):
        await voice.publisher.put(Committed(replies=[("g1", attached)]))


async def test_large_replies_are_said_in_pieces(desk: Desk, redis_url: str) -> None:
    """All of them arrive, in order."""
    await desk.ask("ana", Attach(), Attached)
    voice = make(desk, redis_url)
    async with chat_gateway(redis_url) as gateway, speaking(voice):
        replies = [(gateway.id, Answered(n, "ua", 1, b"x" * 100_000)) for n in range(12)]
        await voice.publisher.put(Committed(replies=list(replies)))
        await until(lambda: len(gateway.replies) == 12)

    assert [reply.connection for reply in gateway.replies if isinstance(reply, Answered)] == list(range(12))


async def test_what_is_said_in_passing_goes_with_the_events_of_its_turn(desk: Desk, redis_url: str) -> None:
    """After them; by itself where there are none; to the user's own connections where the room is too large."""
    room = await desk.room("ana")
    mark = stamped("ana", frames.Read(room=room, seq=2))
    voice = make(desk, redis_url)
    async with chat_gateway(redis_url) as gateway, speaking(voice):
        await gateway.watch(room)
        await gateway.watch_users("ana")
        await voice.publisher.put(await desk.batch((gateway.id, mark), (gateway.id, stamped("ana", send(room)))))
        await voice.publisher.put(await desk.hint("ana", frames.Typing(room=room)))
        await desk.run(lambda db: db.execute("UPDATE rooms SET members = 101"))
        await voice.publisher.put(await desk.hint("ana", frames.Read(room=room, seq=3)))
        await until(lambda: len(gateway.passing) == 3)

    assert [(to, after, frame[:12]) for to, after, frame in gateway.passing] == [
        (room, 1, b'{"op":"read"'),
        (room, 1, b'{"op":"typin'),
        (user_id("ana"), 0, b'{"op":"read"'),
    ]
    assert voice.registry.get_sample_value("chat_passing_published_total") == 3


async def test_what_is_said_in_passing_is_lost_without_regret(desk: Desk) -> None:
    """With Redis away no log is behind for it; and nothing is passed on in a log that is."""
    room = await desk.room("ana")
    voice = make(desk, "unix:///nowhere")
    async with speaking(voice):
        await voice.publisher.put(await desk.hint("ana", frames.Typing(room=room)))
        await until(lambda: bool(voice.registry.get_sample_value("chat_publishes_failed_total")))
        assert voice.behind() == 0
        await voice.publisher.put(await desk.batch(("g1", stamped("ana", send(room)))))
        await until(lambda: voice.behind() == 1)
        await voice.publisher.put(await desk.hint("ana", frames.Typing(room=room)))

    assert voice.registry.get_sample_value("chat_passing_published_total") == 1
