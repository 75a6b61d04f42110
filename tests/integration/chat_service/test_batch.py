"""One transaction per batch; if it fails, only the command at fault is answered `internal`."""

from __future__ import annotations

from typing import Any

import pytest

from chat_service.database import FenceLost
from chat_service.store import EXPECTED_AT_ONCE
from chat_service.store_outbox import Log, LogKind
from garita_common.core.frames import Send
from garita_common.core.records import Answered, Attach, Attached, Reply
from tests.fakes.chat_gateway import body, stamped, user_id

from .conftest import GATEWAY, Desk, ok, send


async def break_sends_that_say(desk: Desk, word: str) -> None:
    """Makes the database refuse messages with this word, as a fault of ours in the middle of a batch."""
    await desk.run(
        lambda db: db.execute(
            "CREATE TRIGGER fault BEFORE INSERT ON events WHEN instr(CAST(new.frame AS TEXT), '" + word + "') "
            "BEGIN SELECT RAISE(ABORT, 'fault'); END"
        )
    )


async def test_a_batch_is_one_transaction(desk: Desk) -> None:
    """Its events carry one room's next seqs in the order of its commands."""
    room = await desk.room("ana")

    done = await desk.batch(*[(GATEWAY, stamped("ana", send(room, str(n)), connection=n)) for n in range(50)])

    (events,) = done.room_events.values()
    assert [event.seq for event in events] == list(range(2, 52))
    assert [reply.connection for _, reply in done.replies if isinstance(reply, Answered)] == list(range(50))
    assert len(done.sent) == 50
    assert done.is_marked and not done.is_split


async def test_only_the_command_at_fault_fails(desk: Desk) -> None:
    """The others are stored, in order, without a gap; nothing of the failed attempt is said twice."""
    room = await desk.room("ana")
    await break_sends_that_say(desk, "veneno")
    texts = ["uno", "dos", "veneno", "tres"]

    done = await desk.batch(
        *[(GATEWAY, stamped("ana", send(room, text), connection=n)) for n, text in enumerate(texts)]
    )

    answers = [body(reply) for _, reply in done.replies if isinstance(reply, Answered)]
    assert [answer.get("seq") for answer in answers] == [2, 3, None, 4]
    assert answers[2]["code"] == "internal"
    assert answers[2]["temporary"] is True
    assert b"fault" not in b"".join(reply.frame for _, reply in done.replies if isinstance(reply, Answered))
    (events,) = done.room_events.values()
    assert [event.seq for event in events] == [2, 3, 4]
    assert len(done.sent) == 3
    assert done.is_split and not done.is_marked
    assert done.tally[("send", "internal")] == 1


async def test_after_a_fault_the_same_cmid_can_succeed(desk: Desk) -> None:
    """Nothing of it was kept, not even its answer."""
    room = await desk.room("ana")
    await break_sends_that_say(desk, "veneno")
    op = send(room, "veneno")
    assert (await desk.say("ana", op)).code == "internal"

    await desk.run(lambda db: db.execute("DROP TRIGGER fault"))

    assert ok(await desk.say("ana", op))["seq"] == 2
    assert "dup" not in ok(await desk.say("ana", send(room)))


async def test_a_full_disk_answers_internal_and_nothing_is_lost(desk: Desk) -> None:
    """Reading goes on, and so does writing once there is space."""
    room = await desk.room("ana")
    (pages,) = await desk.database.run(lambda db: db.execute("PRAGMA page_count").fetchone())
    await desk.database.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages}").fetchone())

    codes = {(await desk.say("ana", send(room, "x" * 8000))).code for _ in range(5)}
    assert codes == {"internal"}
    assert (await desk.ask("ana", Attach(), Attached)).rooms[0].seq == 1

    await desk.database.run(lambda db: db.execute("PRAGMA max_page_count = 1000000").fetchone())
    assert ok(await desk.say("ana", send(room, "x" * 8000)))["seq"] == 2


async def test_marks_are_written_with_the_batch(desk: Desk) -> None:
    """They cost no transaction of their own."""
    room = await desk.room("ana")

    await desk.batch(
        (GATEWAY, stamped("ana", send(room))), marks={Log(LogKind.ROOM, room): 1, Log(LogKind.USER, user_id("ana")): 1}
    )

    assert await desk.run(lambda db: db.execute("SELECT published, head FROM rooms").fetchone()) == (1, 2)
    assert await desk.run(lambda db: db.execute("SELECT published, head FROM users").fetchone()) == (1, 1)


async def test_a_lost_fence_stops_everything(desk: Desk) -> None:
    """Nothing of the batch is kept, and nothing is answered."""
    room = await desk.room("ana")
    await desk.database.run(lambda db: db.execute("UPDATE owner SET fence = fence + 1"))

    with pytest.raises(FenceLost):
        await desk.batch((GATEWAY, stamped("ana", send(room))))

    (head,) = await desk.database.run(lambda db: db.execute("SELECT head FROM rooms").fetchone())
    assert head == 1


async def test_repeats_are_found_in_a_batch_of_any_size(desk: Desk) -> None:
    """Of what an earlier batch answered, of what this one did, and of both mixed with what is new."""
    room = await desk.room("ana")
    first = [send(room, str(n)) for n in range(2 * EXPECTED_AT_ONCE + 3)]
    new = send(room, "new")
    told = [answer(reply) for reply in await say_all(desk, first)]
    assert [body["seq"] for body in told] == list(range(2, 2 + len(first)))

    again = [answer(reply) for reply in await say_all(desk, [*first, new, new])]

    assert [body.pop("dup", False) for body in again] == [True] * len(first) + [False, True]
    assert [body["seq"] for body in again] == [*(body["seq"] for body in told), len(first) + 2, len(first) + 2]
    (head,) = await desk.run(lambda db: db.execute("SELECT head FROM rooms").fetchone())
    assert head == len(first) + 2


async def say_all(desk: Desk, ops: list[Send]) -> list[Reply]:
    """One batch of them."""
    done = await desk.batch(*[(GATEWAY, stamped("ana", op)) for op in ops])
    return [reply for _, reply in done.replies]


def answer(reply: Reply) -> dict[str, Any]:
    """What a client is told."""
    assert isinstance(reply, Answered)
    return body(reply)
