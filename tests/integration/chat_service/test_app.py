"""The whole service in one process, over real Redis: many senders, one order, and nothing blocks the loop."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from blockbuster import blockbuster_ctx

from chat_service import app
from chat_service.app import App
from chat_service.ownership import open_owned
from garita_common import bus
from garita_common.config import ConfigError
from garita_common.core import activity, channels, frames
from garita_common.core.records import Attach, Attached, AttachRoom
from tests.fakes.chat_gateway import ChatGateway, chat_gateway, stamped, user_id

from .conftest import RedisServer, config, ok, send, until


@asynccontextmanager
async def running(url: str, folder: Path, *, serving: bool = True, **settings: str) -> AsyncIterator[App]:
    """A service that serves (or, not `serving`, stands by) while the block runs, then drains."""
    service = await app.build(config(url, folder, **settings))
    stop = asyncio.Event()
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(service.run(stop, "127.0.0.1", 0))
            await until(lambda: service.is_serving or not serving)
            try:
                yield service
            finally:
                stop.set()
    finally:
        await service.database.close()


async def new_room(gateway: ChatGateway, user: str) -> str:
    """A public room."""
    op = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="public", title="Plaza")
    return str(ok(await gateway.say(user, op))["room"]["id"])


async def test_200_senders_share_one_gapless_order(redis_url: str, tmp_path: Path) -> None:
    """Each answer's seq is its push's; pushes come in order; two gateways hear the same."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as one, chat_gateway(redis_url) as other:
        room = await new_room(one, "ana")
        await one.watch(room)
        await other.watch(room)
        answers: dict[str, int] = {}

        async def sender(number: int) -> None:
            gateway, name = (one, other)[number % 2], f"user{number}"
            ok(await gateway.say(name, frames.Join(id=1, cmid=uuid.uuid4(), room=room)))
            for _ in range(3):
                op = send(room, f"de {name}")
                answers[str(op.cmid)] = ok(await gateway.say(name, op))["seq"]

        async with asyncio.TaskGroup() as tasks:
            for number in range(200):
                tasks.create_task(sender(number))
        total = 1 + 200 + 600
        await until(lambda: min(len(gateway.events.get(room, [])) for gateway in (one, other)) >= total - 1)
        history = ok(await one.say("ana", frames.History(id=1, room=room, limit=1)))

    assert history["head"] == total
    for gateway in (one, other):
        events = gateway.events[room]
        assert [event.seq for event in events] == list(range(2, total + 1))
        pushed = [msgspec.json.decode(event.frame) for event in events]
        assert {push["cmid"]: push["seq"] for push in pushed if push["op"] == "message"} == answers
        assert [push["seq"] for push in pushed] == [event.seq for event in events]


async def test_one_senders_order_holds(redis_url: str, tmp_path: Path) -> None:
    """Requests in one batch and in following ones keep their order."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        for start in range(0, 60, 20):
            said = [stamped("ana", send(room, str(start + n)), connection=99, request=start + n) for n in range(20)]
            assert await gateway.publish(*said, shard=channels.shard_of(room)) == 1
        await until(lambda: len(gateway.replies) >= 61)
        page = ok(await gateway.say("ana", frames.History(id=1, room=room, after=1, limit=100)))

    assert [event["text"] for event in page["events"]] == [str(n) for n in range(60)]


async def test_every_shard_is_heard(redis_url: str, tmp_path: Path) -> None:
    """All 64."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        for shard in range(channels.SHARDS):
            assert await gateway.publish(stamped("ana", Attach(), connection=shard), shard=shard) == 1
        await until(lambda: len(gateway.replies) == channels.SHARDS)


async def test_a_joiner_is_attached_on_every_device(redis_url: str, tmp_path: Path) -> None:
    """The asking connection by the answer, the others by the personal event, with the same cursor."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        await gateway.watch(room)
        await gateway.watch_users("bob")

        reply = await gateway.say("bob", frames.Join(id=1, cmid=uuid.uuid4(), room=room))
        await until(lambda: bool(gateway.personal.get(user_id("bob"))) and bool(gateway.events.get(room)))

    assert isinstance(reply.directive, AttachRoom)
    assert [event.seq for event in gateway.events[room]] == [reply.directive.seq + 1]
    (event,) = gateway.personal[user_id("bob")]
    assert event.attach == reply.directive


async def test_messages_are_told_to_the_detector(redis_url: str, tmp_path: Path) -> None:
    """Once each, after the commit, without a word of them; repeats and refusals are none."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        op = send(room, "una frase que nadie más debe leer")
        ok(await gateway.say("ana", op, connection=40))
        ok(await gateway.say("ana", op, connection=41))
        assert (await gateway.say("eva", send(room))).code == "forbidden"
    client = bus.connect(redis_url)
    entries: Any = await client.xrange(channels.ACTIVITY_KEY_STREAM)
    await client.aclose()

    ((_, fields),) = entries
    record = activity.decode(fields[activity.FIELD.encode()])
    assert isinstance(record, activity.MessageSent)
    assert (record.user, record.room, record.connection) == (user_id("ana"), room, f"{gateway.id}/40")
    assert b"frase" not in fields[activity.FIELD.encode()]


async def test_bad_bytes_do_not_disturb_the_others(redis_url: str, tmp_path: Path) -> None:
    """Noise on the shards between good commands; the service neither ends nor answers it."""
    async with running(redis_url, tmp_path) as service, chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        for number in range(100):
            await gateway.client.publish(channels.shard_in(number % channels.SHARDS), os.urandom(number))
        ok(await gateway.say("ana", send(room)))
        count = service.registry.get_sample_value("chat_commands_dropped_total", {"reason": "undecodable"})

    assert count is not None
    assert 90 <= count <= 100
    assert len(gateway.replies) == 2


async def test_what_was_read_is_answered_before_the_end(redis_url: str, tmp_path: Path) -> None:
    """Stopping right after a burst: every command that found a listener is stored and answered."""
    async with chat_gateway(redis_url) as gateway:
        async with running(redis_url, tmp_path):
            room = await new_room(gateway, "ana")
            said = [stamped("ana", send(room), connection=1000 + n) for n in range(300)]
            assert await gateway.publish(*said) == 1
        await until(lambda: len(gateway.replies) == 301)
        assert await gateway.publish(said[0]) == 0
        async with running(redis_url, tmp_path) as service:
            reply = await gateway.say("ana", frames.GetRoom(id=1, room=room))
            assert service.registry.get_sample_value("chat_fence") == 2
            assert service.registry.get_sample_value("chat_takeovers_total", {"reason": "free"}) == 1

    assert ok(reply)["room"]["head"] == 301


async def test_an_overtaken_copy_stands_by_until_it_is_needed_again(redis_url: str, tmp_path: Path) -> None:
    """It leaves the shards and does not answer; when the new owner gives up it goes on, under a higher fence."""
    settings = config(redis_url, tmp_path, GARITA_CHAT_TAKEOVER_S="5")
    async with chat_gateway(redis_url) as gateway, running(redis_url, tmp_path, GARITA_CHAT_TAKEOVER_S="5") as first:
        room = await new_room(gateway, "ana")
        next(settings.database.parent.glob("*-owner-*")).unlink()  # so that it is taken for dead
        other, ownership = await open_owned(settings.database)
        await until(lambda: first.role == "standby" and not first.is_serving)
        assert await gateway.publish(stamped("ana", send(room))) == 0
        assert await other.run(lambda db: db.execute("SELECT count(*) FROM events").fetchone()) == (1,)
        await ownership.release()
        await other.close()

        await until(lambda: first.is_serving)
        assert ok(await gateway.say("ana", send(room)))["seq"] == 2

    assert first.registry.get_sample_value("chat_fences_lost_total") == 1
    assert first.database.fence == other.fence + 1


async def test_of_two_copies_one_stands_by(redis_url: str, tmp_path: Path) -> None:
    """Ready, but not a listener of any shard; when the owner drains it goes on at once, and nothing that found a listener is left unanswered."""
    async with chat_gateway(redis_url) as gateway, contextlib.AsyncExitStack() as later:
        async with running(redis_url, tmp_path) as first:
            room = await new_room(gateway, "ana")
            second = await later.enter_async_context(running(redis_url, tmp_path, serving=False))
            await until(lambda: second.listener.linked)
            assert (first.role, second.role) == ("active", "standby")
            said = [stamped("ana", send(room), connection=1000 + n) for n in range(100)]
            assert await gateway.publish(*said) == 1
        await until(lambda: second.is_serving)
        await until(lambda: len(gateway.replies) == 101)
        assert ok(await gateway.say("ana", send(room)))["seq"] == 102

    assert second.registry.get_sample_value("chat_takeovers_total", {"reason": "free"}) == 1


async def test_nothing_blocks_the_loop(redis_url: str, tmp_path: Path) -> None:
    """The database, its fsync included, is on its own thread. (The first links to Redis are made before: its client then asks for its own version.)"""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        ok(await gateway.say("ana", send(room)))
        await asyncio.sleep(0.1)
        with blockbuster_ctx("chat_service"):
            for _ in range(20):
                ok(await gateway.say("ana", send(room, "una frase de más de veinte letras")))
            await gateway.ask("ana", Attach(), Attached)


@pytest.mark.parametrize("name", ["simhash_key", "operator_token"])
@pytest.mark.parametrize("value", ["", "short", "0" * 64])
async def test_a_bad_secret_is_refused_at_the_start(redis_url: str, tmp_path: Path, name: str, value: str) -> None:
    """Before the database is touched."""
    settings = config(redis_url, tmp_path)
    (tmp_path / "secrets" / name).write_text(value)

    with pytest.raises(ConfigError, match=name):
        await app.build(settings)
    assert not settings.database.exists()


async def test_a_stop_is_obeyed_while_the_link_breaks(redis_server: RedisServer) -> None:
    """When Redis dies in the same moment; and a link that broke before is made again."""
    for turns in range(8):
        listener = bus.Listener(redis_server.url, lambda *_: None, _nothing)
        async with asyncio.TaskGroup() as tasks:
            hearing = tasks.create_task(listener.run())
            for _ in range(2):
                await until(lambda one=listener: one.linked)  # type: ignore[misc]  # bound at once
                redis_server.signal(signal.SIGKILL)
                await until(lambda one=listener: not one.linked)  # type: ignore[misc]  # bound at once
                redis_server.start()
            await until(lambda one=listener: one.linked)  # type: ignore[misc]  # bound at once
            redis_server.signal(signal.SIGKILL)
            for _ in range(turns):
                await asyncio.sleep(0)
            hearing.cancel()
            await asyncio.wait([hearing], timeout=20)
            assert hearing.cancelled()
        redis_server.start()


async def _nothing() -> None:
    return


async def test_messages_are_found_and_marks_heard_through_the_whole_service(redis_url: str, tmp_path: Path) -> None:
    """Also what was stored before this start and never indexed, as after a crash; and nothing of it blocks the loop."""
    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        room = await new_room(gateway, "ana")
        ok(await gateway.say("ana", send(room, "una aguja")))
    for index in (tmp_path / "chat").glob("*-search*"):
        index.unlink()

    async with running(redis_url, tmp_path), chat_gateway(redis_url) as gateway:
        await gateway.watch(room)
        ok(await gateway.say("ana", send(room, "otra aguja")))
        found: list[dict[str, Any]] = []
        with blockbuster_ctx("chat_service"):
            async with asyncio.timeout(20):
                while len(found) < 2:
                    reply = await gateway.say("ana", frames.Search(id=1, text="agu"))
                    found = ok(reply)["hits"] if reply.code != "busy" else []
            await gateway.publish(stamped("ana", frames.Read(room=room, seq=2)))
            await until(lambda: bool(gateway.passing))

    assert [hit["text"] for hit in found] == ["otra aguja", "una aguja"]
    assert b'"read":2' in gateway.passing[0][2]
