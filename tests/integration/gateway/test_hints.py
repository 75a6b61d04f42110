"""What clients say in passing: passed on without an answer, throttled, refused without a number."""

from __future__ import annotations

from pathlib import Path

import pytest

from garita_common.core import channels, frames, records
from garita_common.core.records import NO_REQUEST, Answered

from .rig import eventually, rig, user_id

ANA = user_id("ana")
NOWHERE = "r" + "0" * 32


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_hints_reach_the_chat_service_and_are_not_answered(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """With the connection's stamp, an end and no number; nothing waits for them here."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA).id
        ana = await it.user("ana", transport)

        ana.hint("read", room=room, seq=7)
        ana.hint("received", room=room, seq=9)
        ana.hint("typing", room=room)
        await eventually(lambda: len(it.chat.hints) == 3)

        assert set(it.chat.hints) == {
            frames.Read(room=room, seq=7), frames.Received(room=room, seq=9), frames.Typing(room=room)
        }  # fmt: skip
        for command in it.chat.commands[-3:]:
            assert (command.user, command.request, command.asked) == (ANA, NO_REQUEST, False)
            assert command.expires_ms - command.received_ms == 5000
        await ana.settle()
        assert (ana.pushes, ana.answers) == ([], {})


async def test_marks_of_one_turn_go_on_as_the_highest_of_each_room_and_kind(tmp_path: Path, redis_url: str) -> None:
    """Thirty marks in one write are three; none of them is lower than one that was dropped."""
    async with rig(tmp_path, redis_url) as it:
        one, two = it.chat.room(ANA).id, it.chat.room(ANA).id
        ana = await it.user("ana")

        for seq in [*range(1, 10), 4]:
            ana.hint("read", room=one, seq=seq)
            ana.hint("received", room=one, seq=seq)
            ana.hint("read", room=two, seq=100 + seq)
        await eventually(lambda: frames.Read(room=two, seq=109) in it.chat.hints)
        await ana.settle()

        assert set(it.chat.hints) >= {frames.Read(room=one, seq=9), frames.Received(room=one, seq=9)}
        assert len(it.chat.hints) < 12  # a write of thirty frames may come in two or three turns


async def test_typing_goes_on_once_in_a_while_per_user_and_room(tmp_path: Path, redis_url: str) -> None:
    """Over all connections of the user; another room and another user have their own; nobody is told."""
    async with rig(tmp_path, redis_url, typing_every_s=3600) as it:
        room, other = it.chat.room(ANA, user_id("ben")).id, it.chat.room(ANA).id
        ana, phone, ben = await it.user("ana"), await it.user("ana", "ws"), await it.user("ben")

        for client in (ana, ana, phone, ben, ben):
            client.hint("typing", room=room)
            await client.settle()
        phone.hint("typing", room=other)
        await phone.settle()

        said = [(c.user, records.decode_room_op(c.op)) for c in it.chat.commands if c.request == NO_REQUEST]
        typing, elsewhere = frames.Typing(room=room), frames.Typing(room=other)
        assert said == [(ANA, typing), (user_id("ben"), typing), (ANA, elsewhere)]
        assert it.figure("gateway_refused_total", reason="typing") == 3
        assert ana.pushes == phone.pushes == []


async def test_typing_goes_on_again_after_its_time(tmp_path: Path, redis_url: str) -> None:
    """Said every few seconds, it is seen every few seconds."""
    async with rig(tmp_path, redis_url, typing_every_s=0.2) as it:
        room = it.chat.room(ANA).id
        ana = await it.user("ana")

        def say() -> bool:
            ana.hint("typing", room=room)
            return len(it.chat.hints) == 3

        await eventually(say)


async def test_a_refused_hint_is_an_error_without_a_number_and_counts(tmp_path: Path, redis_url: str) -> None:
    """The twentieth within 5 s ends the connection with 4507, as with any request."""
    async with rig(tmp_path, redis_url) as it:
        ana = await it.user("ana")

        for seq in range(20):
            ana.hint("read", room="r" + f"{seq:032x}", seq=seq)
        closed = await ana.end()

        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4507
        assert len(ana.pushes) == 20
        assert {(push["op"], push["code"]) for push in ana.pushes} == {("error", "not_found")}
        assert not any("id" in push for push in ana.pushes)


async def test_hints_before_connect_and_with_a_number_are_errors(tmp_path: Path, redis_url: str) -> None:
    """The first without a number; the second is no hint at all, and is answered by its own."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.tcp()
        client.hint("typing", room=NOWHERE)
        assert (await client.push("error"))["code"] == "unauthenticated"

        numbered = await client.ask("typing", room=NOWHERE)

        assert numbered["code"] == "bad_request"
        assert it.chat.commands == []


async def test_a_refusal_for_another_user_or_a_gone_connection_is_dropped(tmp_path: Path, redis_url: str) -> None:
    """The number of a connection is no right to hear something."""
    async with rig(tmp_path, redis_url) as it:
        ana = await it.user("ana")
        number = next(iter(it.gateway.desk.connections))
        forged = b'{"op":"error","code":"not_found"}'

        replies = [
            Answered(number, user_id("eva"), NO_REQUEST, forged, "not_found"),
            Answered(number + 1000, ANA, NO_REQUEST, forged, "not_found"),
        ]
        await it.redis.publish(channels.gateway(it.gateway.id), records.encode(replies))
        await eventually(lambda: it.figure("gateway_replies_dropped_total", reason="closed") == 1)
        await ana.settle()

        assert it.figure("gateway_replies_dropped_total", reason="other_user") == 1
        assert ana.pushes == []


async def test_without_the_chat_service_hints_are_lost_in_silence(tmp_path: Path, redis_url: str) -> None:
    """Nobody listening: no answer, no fault, and the connection goes on."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(ANA).id
        ana = await it.user("ana")
        await it.chat.stop_listening()

        ana.hint("read", room=room, seq=1)
        await eventually(lambda: it.figure("gateway_batches_unheard_total") == 1)

        assert (await ana.ask("rooms"))["code"] == "busy"
        assert ana.pushes == []


async def test_hints_that_wait_are_bounded(tmp_path: Path, redis_url: str) -> None:
    """While Redis hangs they are refused as busy, without a number."""
    async with rig(tmp_path, redis_url, requests_waiting=5, request_timeout_s=2) as it:
        ana = await it.user("ana")
        rooms = [it.chat.room(ANA).id for _ in range(20)]
        await it.server("CLIENT", "PAUSE", "1000", "ALL")
        ana.hint("read", room=rooms[0], seq=1)
        await eventually(lambda: it.figure("gateway_batch_commands_count") > 0)

        for room in rooms:
            ana.hint("typing", room=room)

        assert (await ana.push("error"))["code"] == "busy"
        assert it.figure("gateway_refused_total", reason="hints_waiting") >= 1
