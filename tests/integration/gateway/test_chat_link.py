"""The link to the chat service: one publish per shard and turn, nobody listening, no answer, and answers for others."""

from __future__ import annotations

import asyncio
from pathlib import Path

from garita_common.core import channels, pushes, records
from garita_common.core.records import Answered

from .rig import eventually, rig, user_id

ANA = user_id("ana")


async def test_requests_of_one_turn_leave_as_one_batch(tmp_path: Path, redis_url: str) -> None:
    """Twenty requests in one write are one publish."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        it.chat.batches.clear()
        numbers = [client.send("rooms") for _ in range(20)]

        for number in numbers:
            assert (await client.answer(number))["op"] == "ok"

        assert sum(it.chat.batches) == 20
        assert len(it.chat.batches) <= 3


async def test_a_batch_has_a_size(tmp_path: Path, redis_url: str) -> None:
    """Above it a second one is begun."""
    async with rig(tmp_path, redis_url, batch_bytes=4096) as it:
        room = it.chat.room(ANA)
        client = await it.user("ana")
        it.chat.batches.clear()

        sent = [
            client.send("send", cmid=f"0190a0a0-0000-7000-8000-00000000000{n}", room=room.id, text="x" * 3000)
            for n in range(5)
        ]

        for number in sent:
            assert (await client.answer(number))["op"] == "ok"
        assert max(it.chat.batches) == 1


async def test_nobody_listening_is_busy_at_once_and_surely_not_stored(tmp_path: Path, redis_url: str) -> None:
    """No `outcome`: the request was not carried out."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        client = await it.user("ana")
        await it.chat.stop_listening()

        answer = await client.change("send", room=room.id, text="hola")

        assert (answer["code"], answer["temporary"]) == ("busy", True)
        assert "outcome" not in answer
        assert it.figure("gateway_batches_unheard_total") == 1


async def test_no_answer_in_time_leaves_a_change_s_outcome_unknown(tmp_path: Path, redis_url: str) -> None:
    """A question that changes nothing is just busy."""
    async with rig(tmp_path, redis_url, request_timeout_s=1) as it:
        room = it.chat.room(ANA)
        client = await it.user("ana")
        it.chat.deaf = True

        change, question = (
            client.send("send", cmid="0190a0a0-0000-7000-8000-000000000001", room=room.id, text="x"),
            client.send("rooms"),
        )

        answer = await client.answer(change)
        assert (answer["code"], answer["outcome"]) == ("busy", "unknown")
        assert "outcome" not in await client.answer(question)


async def test_a_repeat_after_an_unknown_outcome_is_stored_once(tmp_path: Path, redis_url: str) -> None:
    """The same cmid gives the first answer again."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA)
        client = await it.user("ana")
        cmid = "0190a0a0-0000-7000-8000-000000000001"

        first = await client.ask("send", cmid=cmid, room=room.id, text="x")
        again = await client.ask("send", cmid=cmid, room=room.id, text="x")

        assert (again["mid"], again["dup"]) == (first["mid"], True)
        assert len(room.events) == 1


async def test_a_full_table_of_waiting_requests_is_busy_at_once(tmp_path: Path, redis_url: str) -> None:
    """Memory is bounded whatever the chat service does."""
    async with rig(tmp_path, redis_url, requests_waiting=5) as it:
        client = await it.user("ana")
        it.chat.deaf = True
        numbers = [client.send("rooms") for _ in range(6)]

        assert (await client.answer(numbers[5]))["code"] == "busy"
        assert it.figure("gateway_refused_total", reason="requests_waiting") == 1


async def test_an_answer_for_another_user_is_dropped(tmp_path: Path, redis_url: str) -> None:
    """And so is one that nobody asked for."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        it.chat.deaf = True
        number = client.send("rooms")
        await eventually(lambda: it.chat.commands and it.chat.commands[-1].request == number)
        command = it.chat.commands[-1]
        forged = pushes.ok(number, {"rooms": ["not yours"]})

        replies = [
            Answered(command.connection, user_id("eva"), number, forged),
            Answered(command.connection, ANA, number + 1, forged),
            Answered(command.connection + 1000, ANA, number, forged),
        ]
        await it.redis.publish(channels.gateway(it.gateway.id), records.encode(replies))
        await eventually(lambda: it.figure("gateway_replies_dropped_total", reason="late") == 2)
        it.chat.deaf = False
        await client.settle()

        assert it.figure("gateway_replies_dropped_total", reason="other_user") == 1
        assert number not in client.answers


async def test_redis_away_makes_requests_busy_and_the_gateway_unready(tmp_path: Path, redis_url: str) -> None:
    """Live sockets stay; when Redis is back so is everything."""
    async with rig(tmp_path, redis_url, request_timeout_s=1) as it:
        client = await it.user("ana", "ws")
        pause_ms = 1500
        await it.server("CLIENT", "PAUSE", str(pause_ms), "ALL")

        answer = await client.ask("rooms")
        assert answer["code"] == "busy"

        await asyncio.sleep(pause_ms / 1000)
        await eventually(lambda: not it.gateway.missing())
        await client.settle()
