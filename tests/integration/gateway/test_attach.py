"""Resume: whoever was away gets everything after the cursor, once and in order, before anything newer."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.memory_chat import Room
from tests.fakes.wire_clients import Client, TcpClient

from .rig import Rig, eventually, gateway_of, key_server, rig, settings, token, user_id

ANA = user_id("ana")


async def talk(it: Rig, room: Room, count: int, **fields: Any) -> None:
    """So many messages by nobody in particular."""
    for _ in range(count):
        await it.chat.say(room, f"n{len(room.events)}", **fields)


async def seqs(client: Client, count: int) -> list[int]:
    """The numbers of the next messages."""
    return [(await client.push("message"))["seq"] for _ in range(count)]


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_what_was_missed_comes_before_what_is_new(tmp_path: Path, redis_url: str, transport: str) -> None:
    """From the cursor on, without a hole, after the answer that says recovered."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        await talk(it, room, 10)
        client = await it.user("ana", transport, resume={room.id: ["a1", 4]})

        await talk(it, room, 2)

        assert await seqs(client, 8) == [5, 6, 7, 8, 9, 10, 11, 12]


async def test_without_a_cursor_pushes_start_after_the_head(tmp_path: Path, redis_url: str) -> None:
    """What lies before is for history."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        await talk(it, room, 5)
        client = await it.user("ana")

        await talk(it, room, 1)

        assert await seqs(client, 1) == [6]


async def test_a_cursor_of_another_epoch_is_not_recovered(tmp_path: Path, redis_url: str) -> None:
    """The store was restored: the client starts anew at the head."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        await talk(it, room, 5)
        client = await it.tcp()
        answer = await client.connect(token("ana"), resume={room.id: ["zz", 4]})

        assert answer["rooms"][room.id] == {"epoch": "a1", "head": 5, "recovered": False}
        await talk(it, room, 1)
        assert await seqs(client, 1) == [6]


@pytest.mark.parametrize(("missed", "recovered"), [(300, True), (301, False)])
async def test_three_hundred_missed_events_are_told_and_not_one_more(
    tmp_path: Path, redis_url: str, missed: int, recovered: bool
) -> None:
    """At the limit and one past it."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        await talk(it, room, missed, publish=False)
        client = await it.tcp()
        answer = await client.connect(token("ana"), resume={room.id: ["a1", 0]})

        assert answer["rooms"][room.id]["recovered"] is recovered
        await talk(it, room, 1)
        wanted = list(range(1, missed + 2)) if recovered else [missed + 1]
        assert await seqs(client, len(wanted)) == wanted


async def test_events_during_the_attach_are_neither_lost_nor_doubled(tmp_path: Path, redis_url: str) -> None:
    """Many connects while the room is talking: each sees its own run of numbers without a hole."""
    async with rig(tmp_path, redis_url, connections_per_user=100) as it:
        room = it.chat.room(*[user_id(f"u{n}") for n in range(20)])
        await talk(it, room, 3)
        clients = []
        for number in range(20):
            await talk(it, room, 3)
            clients.append(await it.user(f"u{number}", "ws" if number % 2 else "tcp", resume={room.id: ["a1", number]}))
            await talk(it, room, 3)
        total = len(room.events)

        for number, client in enumerate(clients):
            assert await seqs(client, total - number) == list(range(number + 1, total + 1))


async def test_a_known_cursor_needs_no_question(tmp_path: Path, redis_url: str) -> None:
    """A reconnect storm is answered from memory: no recovery is asked for rooms whose place is known."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA, user_id("ben"))
        await talk(it, room, 3)
        await it.user("ben")
        it.chat.commands.clear()
        client = await it.tcp()
        answer = await client.connect(token("ana"), resume={room.id: ["a1", 3], "@me": 0})

        assert answer["rooms"][room.id]["recovered"] is True
        assert len(it.chat.commands) == 2, "the rooms, and the personal log"
        await talk(it, room, 1)
        assert await seqs(client, 1) == [4]


async def test_the_personal_log_has_a_cursor_too(tmp_path: Path, redis_url: str) -> None:
    """Notices missed are told, new ones follow."""
    async with rig(tmp_path, redis_url) as it:
        for number in range(4):
            await it.chat.tell(ANA, {"kind": "invited", "n": number})
        client = await it.user("ana", resume={"@me": 2})
        await it.chat.tell(ANA, {"kind": "invited", "n": 4})

        assert [(await client.push("notice"))["seq"] for _ in range(3)] == [3, 4, 5]


async def test_joining_on_one_device_attaches_the_others(tmp_path: Path, redis_url: str) -> None:
    """And the one that joined is told once."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(user_id("ben"))
        phone, laptop = await it.user("ana", "ws"), await it.user("ana", "tcp")

        joined = await phone.change("join", room=room.id)
        assert joined["op"] == "ok"
        await laptop.push("notice")
        await talk(it, room, 2)

        for client in (phone, laptop):
            assert (await client.push("member"))["seq"] == joined["seq"] + 1
            assert await seqs(client, 2) == [joined["seq"] + 2, joined["seq"] + 3]
            await client.settle()
            assert [push["op"] for push in client.pushes if push["op"] != "notice"] == []


async def test_leaving_ends_the_room_for_all_devices(tmp_path: Path, redis_url: str) -> None:
    """The event of one's own leaving is the last that comes."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA, user_id("ben"))
        phone, laptop, ben = await it.user("ana", "ws"), await it.user("ana"), await it.user("ben")

        await phone.change("leave", room=room.id)
        await talk(it, room, 1)

        assert await seqs(ben, 1) == [2]
        for client in (phone, laptop):
            assert (await client.push("member"))["change"] == "left"
            await client.settle()
            assert client.pushes == []


async def test_a_chat_service_that_is_away_makes_connect_busy_and_no_more(tmp_path: Path, redis_url: str) -> None:
    """The same connection gets in when it is back."""
    async with rig(tmp_path, redis_url, request_timeout_s=1) as it:
        room = it.chat.room(ANA)
        client = await it.tcp()
        it.chat.deaf = True
        assert (await client.connect(token("ana")))["code"] == "busy"
        it.chat.deaf, it.chat.refuse = False, "busy"
        assert (await client.connect(token("ana")))["code"] == "busy"
        it.chat.refuse = ""

        assert (await client.connect(token("ana")))["op"] == "ok"
        await talk(it, room, 1)
        assert await seqs(client, 1) == [1]


@pytest.mark.parametrize("resume", [{"@me": ["a", 1]}, {"r" + "0" * 32: 3}])
async def test_a_cursor_of_the_wrong_shape_is_a_bad_request(
    tmp_path: Path, redis_url: str, resume: dict[str, Any]
) -> None:
    """A number for a room, a pair for the personal log."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()
        assert (await client.connect(token("ana"), resume=resume))["code"] == "bad_request"


async def test_catching_up_is_paced_and_not_a_slow_consumer(tmp_path: Path, redis_url: str) -> None:
    """A resume may bring more than the outgoing queue holds, to a client that reads late."""
    async with rig(tmp_path, redis_url, queue_bytes=64 * 1024) as it:
        rooms = [it.chat.room(ANA) for _ in range(4)]
        for room in rooms:
            for _ in range(20):
                await it.chat.say(room, "x" * 8000, publish=False)
        client = await it.tcp()
        client.send("connect", v=1, token=token("ana"), resume={room.id: ["a1", 0] for room in rooms})
        await eventually(lambda: it.figure("gateway_attaches_total", outcome="ok") == 1)
        await talk(it, rooms[0], 5)

        assert (await client.answer(1))["op"] == "ok"
        got = [await client.push("message") for _ in range(85)]
        for room in rooms:
            wanted = len(room.events)
            assert [push["seq"] for push in got if push["room"] == room.id] == list(range(1, wanted + 1))


async def test_a_resume_gets_so_many_bytes_over_all_rooms(tmp_path: Path, redis_url: str) -> None:
    """Of two rooms with as much to tell, both are told within the limit, and one byte under it only the first."""
    async with rig(tmp_path, redis_url) as it:
        rooms = [it.chat.room(ANA) for _ in range(2)]
        for room in rooms:
            await talk(it, room, 5)
        size = sum(len(event.frame) for room in rooms for event in room.events[1:])
    for limit, recovered in ((size, 2), (size - 1, 1)):
        async with rig(tmp_path, redis_url, recovery_bytes=limit) as it:
            it.chat.rooms = {room.id: room for room in rooms}
            client = await it.tcp()
            answer = await client.connect(token("ana"), resume={room.id: ["a1", room.events[0].seq] for room in rooms})

            assert [answer["rooms"][room.id]["recovered"] for room in rooms].count(True) == recovered


async def test_a_client_goes_on_at_another_gateway(tmp_path: Path, redis_url: str) -> None:
    """The cursor belongs to the store: what was missed comes from it, though the other gateway has never seen room or user."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(rig(tmp_path, redis_url))
        auth_url = await stack.enter_async_context(key_server())
        other, _ = await stack.enter_async_context(gateway_of(settings(tmp_path, redis_url, auth_url)))
        room = it.chat.room(ANA)
        before = await it.user("ana")
        await talk(it, room, 2)
        cursor = (await seqs(before, 2))[-1]
        it.stop.set()
        await it.over.wait()
        await talk(it, room, 3)

        after = await TcpClient.open(other.tcp_port)
        it.clients.append(after)
        answer = await after.connect(token("ana"), resume={room.id: ["a1", cursor]})

        assert answer["rooms"][room.id]["recovered"]
        assert await seqs(after, 3) == [cursor + 1, cursor + 2, cursor + 3]
