"""Fan-out and repair: what pub/sub loses, the store gives back, or the members are told to resume."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from garita_common.core import channels, records
from garita_common.core.records import RoomBatch

from .rig import Rig, eventually, rig, user_id
from .test_attach import ANA, seqs, talk

BEN = user_id("ben")


async def test_a_gap_is_repaired_before_anything_newer(tmp_path: Path, redis_url: str) -> None:
    """Events that were stored but never published come in their place."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA, BEN)
        ana, ben = await it.user("ana", "tcp"), await it.user("ben", "ws")
        await talk(it, room, 2)
        await talk(it, room, 3, publish=False)

        await talk(it, room, 2)

        for client in (ana, ben):
            assert await seqs(client, 7) == [1, 2, 3, 4, 5, 6, 7]
        assert it.figure("gateway_repairs_total", outcome="repaired") == 1


async def test_a_silent_loss_is_found_by_comparing_heads(tmp_path: Path, redis_url: str) -> None:
    """When nothing newer comes, the comparison of heads finds it."""
    async with rig(tmp_path, redis_url, heads_every_s=0.5) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        await talk(it, room, 1)

        await talk(it, room, 3, publish=False)

        assert await seqs(ana, 4) == [1, 2, 3, 4]


async def test_doubled_and_old_events_are_dropped(tmp_path: Path, redis_url: str) -> None:
    """Publishing again after a crash of the chat service doubles nothing."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        await talk(it, room, 3)

        await it.chat.publish(room, room.events)
        await talk(it, room, 1)

        assert await seqs(ana, 4) == [1, 2, 3, 4]
        await ana.settle()
        assert ana.pushes == []


async def test_a_gap_that_cannot_be_repaired_closes_with_state_lost(tmp_path: Path, redis_url: str) -> None:
    """4410 for the room's members; whoever is not in it stays."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana, ben = await it.user("ana", "ws"), await it.user("ben")
        it.chat.recover_limit = 2
        await talk(it, room, 3, publish=False)

        await talk(it, room, 1)

        assert (await ana.end()).code == 4410
        await ben.settle()
        assert it.figure("gateway_repairs_total", outcome="lost") == 1


async def test_a_new_epoch_closes_with_state_lost(tmp_path: Path, redis_url: str) -> None:
    """The store was restored: the members resume, and are told that they were not recovered."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        await talk(it, room, 3)
        await seqs(ana, 3)

        room.epoch = "b2"
        room.events.clear()
        await talk(it, room, 1)

        closed = await ana.end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4410
        back = await it.user("ana", resume={room.id: ["a1", 3]})
        await talk(it, room, 1)
        assert await seqs(back, 1) == [2]


async def test_a_gap_in_the_personal_log_closes_with_state_lost(tmp_path: Path, redis_url: str) -> None:
    """It may have put the user into a room; a resume tells all."""
    async with rig(tmp_path, redis_url) as it:
        ana = await it.user("ana", "ws")
        await it.chat.tell(ANA, {"kind": "invited"}, publish=False)

        await it.chat.tell(ANA, {"kind": "invited"})

        assert (await ana.end()).code == 4410


async def test_what_was_missed_while_the_link_was_away_is_repaired(tmp_path: Path, redis_url: str) -> None:
    """After a new link to Redis all heads are compared at once, and personal logs are looked at."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA, BEN)
        ana, ben = await it.user("ana"), await it.user("ben", "ws")
        await talk(it, room, 1)
        await it.chat.tell(BEN, {"kind": "invited"}, publish=False)

        await cut_links(it)
        await talk(it, room, 2, publish=False)
        await eventually(lambda: not it.gateway.missing())

        assert await seqs(ana, 3) == [1, 2, 3]
        assert (await ben.end()).code == 4410


async def cut_links(it: Rig) -> None:
    """Ends every pub/sub link to Redis, as a restart of it does, until the gateway has noticed."""
    await it.server("CLIENT", "KILL", "TYPE", "pubsub")
    await eventually(it.gateway.missing)


async def test_a_room_without_members_is_given_up_after_a_while(tmp_path: Path, redis_url: str) -> None:
    """Kept for those who reload, then unsubscribed; whoever comes later misses nothing."""
    async with rig(tmp_path, redis_url, room_keep_s=0.1) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        await talk(it, room, 1)
        assert await seqs(ana, 1) == [1]
        ana.abort()

        name = channels.room(room.id)
        await eventually(lambda: len(it.gateway.hub) == 0)
        await eventually(lambda: subscribers(it, name, 0))
        await talk(it, room, 2)
        back = await it.user("ana", resume={room.id: ["a1", 1]})
        await talk(it, room, 1)

        assert await seqs(back, 3) == [2, 3, 4]


async def subscribers(it: Rig, name: str, count: int) -> bool:
    """Whether so many listen to a channel."""
    rows = await it.redis.pubsub_numsub(name)
    return bool(rows[0][1] == count)


async def test_several_events_of_one_turn_leave_together(tmp_path: Path, redis_url: str) -> None:
    """A batch of fifty reaches a member whole and in order."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana", "ws")
        await talk(it, room, 50, publish=False)

        await it.chat.publish(room, room.events)

        assert await seqs(ana, 50) == list(range(1, 51))


CROWD = [f"m{number}" for number in range(25)]


async def test_a_busy_room_s_messages_are_written_together_in_order(tmp_path: Path, redis_url: str) -> None:
    """While a large room rests, what comes is kept: doubled ones are dropped, a hole among them is found and repaired, what is said in passing comes last."""
    async with rig(tmp_path, redis_url, connections_per_address=100) as it:
        room = it.chat.room(*map(user_id, CROWD))
        members = [await it.user(name, "ws" if name < "m2" else "tcp") for name in CROWD]
        events = [await it.chat.say(room, f"n{number}", publish=False) for number in range(40)]
        feed = it.gateway.hub.feed(channels.room(room.id))
        await it.chat.publish(room, events[:1])
        await eventually(lambda: feed.seq == 1)

        feed.rest_until_s = time.monotonic() + 0.5
        for part in (events[1:3], events[2:4], events[4:5], events[30:31], events[30:40]):
            await it.chat.publish(room, part, {"op": "typing", "n": len(part)})
        await members[0].settle()
        assert feed.seq == 1

        for member in members:
            assert await seqs(member, 40) == list(range(1, 41))
        await members[0].settle()
        assert [push["n"] for push in members[0].pushes] == [2, 2, 1, 1, 10]
        assert it.figure("gateway_repairs_total", outcome="repaired") == 1


async def test_heads_are_compared_with_what_has_come_not_with_what_was_told(tmp_path: Path, redis_url: str) -> None:
    """What rests here is not missing."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        await talk(it, room, 1)
        assert await seqs(ana, 1) == [1]

        it.gateway.hub.feed(channels.room(room.id)).rest_until_s = time.monotonic() + 3600
        await talk(it, room, 1)
        await ana.settle()
        assert ana.pushes == []
        it.gateway.hub.compare_heads()

        assert await seqs(ana, 1) == [2]
        assert it.figure("gateway_repairs_total", outcome="repaired") == 0


async def test_small_rooms_do_not_rest_and_large_ones_do(tmp_path: Path, redis_url: str) -> None:
    """Nineteen members: at once. Twenty: after a moment, if another message came just before."""
    async with rig(tmp_path, redis_url, connections_per_address=100) as it:
        for count in (19, 20):
            room = it.chat.room(*map(user_id, CROWD[:count]))
            members = [await it.user(name) for name in CROWD[:count]]
            await talk(it, room, 1)
            assert await seqs(members[0], 1) == [1]

            assert (it.gateway.hub.feed(channels.room(room.id)).rest_until_s > 0) is (count == 20)
            for member in members:
                member.abort()
            await eventually(lambda: len(it.gateway.people) == 0)


TYPING = {"op": "typing", "user": {"id": BEN, "name": "ben"}}


async def test_what_is_said_in_passing_comes_after_the_events_and_moves_no_cursor(
    tmp_path: Path, redis_url: str
) -> None:
    """On both transports, with events and alone; a gap that is open holds events back, not this."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA, BEN)
        clients = [await it.user("ana", "tcp"), await it.user("ben", "ws")]
        event = await it.chat.say(room, "hola", publish=False)

        await it.chat.publish(room, [event], TYPING | {"room": room.id}, {"op": "read"})
        await it.chat.publish(room, [], {"op": "presence"})
        await talk(it, room, 1)

        for client in clients:
            while len(client.pushes) < 5:
                await client.take()
            assert [push["op"] for push in client.pushes] == ["message", "typing", "read", "presence", "message"]
            assert client.pushes[1] == TYPING | {"room": room.id}
            assert [push["seq"] for push in client.pushes if "seq" in push] == [1, 2]
        assert it.figure("gateway_passing_total", outcome="told") == 6
        assert it.figure("gateway_repairs_total", outcome="repaired") == 0


async def test_what_is_said_to_a_user_in_passing_reaches_all_of_the_user_s_connections(
    tmp_path: Path, redis_url: str
) -> None:
    """And nobody else's."""
    async with rig(tmp_path, redis_url) as it:
        phone, laptop, ben = await it.user("ana", "tcp"), await it.user("ana", "ws"), await it.user("ben")

        await it.chat.mention(ANA, {"op": "read", "read": 3})

        for client in (phone, laptop):
            assert await client.push("read") == {"op": "read", "read": 3}
        await ben.settle()
        assert ben.pushes == []


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_over_half_a_queue_it_is_dropped_and_events_are_not(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """For that connection only; once its queue is short again it hears what is said then."""
    async with rig(tmp_path, redis_url, queue_bytes=1024 * 1024) as it:
        room = it.chat.room(ANA, BEN)
        slow, quick = await it.user("ana", transport), await it.user("ben")
        queue = next(c for c in it.gateway.desk.connections.values() if c.user == ANA)
        sent = 0
        while queue.queued_bytes() <= 512 * 1024:
            await it.chat.say(room, "x" * 30_000)
            await quick.push("message")
            sent += 1

        await it.chat.publish(room, [], TYPING)
        await quick.push("typing")
        assert it.figure("gateway_passing_total", outcome="dropped") == 1

        assert await seqs(slow, sent) == list(range(1, sent + 1))
        await slow.settle()
        assert slow.pushes == []
        await it.chat.publish(room, [], TYPING)
        assert await slow.push("typing") == TYPING


@pytest.mark.parametrize("data", [b"", b"\xc1", b"\x93\x01\x02\x03", records.encode(RoomBatch("r", "e", []))])
async def test_what_is_no_batch_on_a_channel_ends_nothing(tmp_path: Path, redis_url: str, data: bytes) -> None:
    """Whoever could publish nonsense on our channels closes nobody."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        ana = await it.user("ana")
        for name in (
            channels.room(room.id),
            channels.user(ANA),
            channels.gateway(it.gateway.id),
            channels.BAN_PUSH,
            channels.REVOKED_CHANNEL,
        ):
            await it.redis.publish(name, data)

        await talk(it, room, 1)

        assert await seqs(ana, 1) == [1]
        await asyncio.sleep(0)
        await ana.settle()
