"""Marks and what lies above them."""

from __future__ import annotations

from chat_service import store_outbox
from chat_service.store_outbox import CATCH_UP_EVENTS, Log, LogKind
from tests.fakes.chat_gateway import stamped, user_id

from .conftest import GATEWAY, Desk, send


async def test_everything_above_the_mark_is_unpublished(desk: Desk) -> None:
    """In seq order, of rooms and of users; a mark never goes back."""
    room = await desk.room("ana")
    await desk.message("ana", room)
    of_room, of_ana = Log(LogKind.ROOM, room), Log(LogKind.USER, user_id("ana"))

    assert set(await desk.run(store_outbox.logs_behind)) == {of_room, of_ana}
    found = await desk.run(lambda db: store_outbox.unpublished(db, [of_room, of_ana]))
    assert [event.seq for event in found[0].room_events] == [1, 2]
    assert [event.seq for event in found[1].personal_events] == [1]
    assert found[1].personal_events[0].attach is not None
    assert [missed.seq for missed in found] == [2, 1]
    assert all(missed.is_last for missed in found)

    await desk.run(lambda db: store_outbox.mark(db, {of_room: 2, of_ana: 1}))
    await desk.run(lambda db: store_outbox.mark(db, {of_room: 1}))
    assert await desk.run(store_outbox.logs_behind) == []
    (caught_up,) = await desk.run(lambda db: store_outbox.unpublished(db, [of_room]))
    assert (caught_up.room_events, caught_up.seq, caught_up.is_last) == ([], 0, True)


async def test_a_long_backlog_comes_in_pieces(desk: Desk) -> None:
    """Each says whether it is the last."""
    room = await desk.room("ana")
    await desk.batch(*[(GATEWAY, stamped("ana", send(room))) for _ in range(CATCH_UP_EVENTS)])
    log = Log(LogKind.ROOM, room)

    (first,) = await desk.run(lambda db: store_outbox.unpublished(db, [log]))
    await desk.run(lambda db: store_outbox.mark(db, {log: first.seq}))
    (second,) = await desk.run(lambda db: store_outbox.unpublished(db, [log]))

    assert (first.seq, first.is_last) == (CATCH_UP_EVENTS, False)
    assert ([event.seq for event in second.room_events], second.is_last) == ([CATCH_UP_EVENTS + 1], True)


async def test_a_log_that_is_not_there_has_nothing(desk: Desk) -> None:
    """A mark for it changes nothing."""
    logs = [Log(LogKind.ROOM, "r1"), Log(LogKind.USER, "u1")]

    await desk.run(lambda db: store_outbox.mark(db, dict.fromkeys(logs, 5)))

    found = await desk.run(lambda db: store_outbox.unpublished(db, logs))
    assert all(missed.is_last and missed.seq == 0 for missed in found)
