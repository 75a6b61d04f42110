"""What gateways ask: attaching, recovering, repairing, comparing heads; at the limits and one past them."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from garita_common.core import frames
from garita_common.core.records import (
    Attach,
    Attached,
    CompareHeads,
    HeadsCompared,
    Recover,
    Recovered,
    Repair,
    RoomHead,
)
from tests.fakes.chat_gateway import stamped

from .conftest import GATEWAY, Desk, ok, send


async def epoch_of(desk: Desk, room: str) -> str:
    """A room's epoch now."""
    (head,) = (await desk.ask("", CompareHeads([room]), HeadsCompared)).rooms
    return head.epoch


async def fill(desk: Desk, room: str, count: int, text: str = "x") -> None:
    """So many messages."""
    for start in range(0, count, 100):
        batch = [(GATEWAY, stamped("ana", send(room, text))) for _ in range(min(100, count - start))]
        await desk.batch(*batch)


async def test_attaching_gives_the_users_rooms_and_heads(desk: Desk) -> None:
    """Only those one is a member of, and the head of one's own log."""
    mine, other = await desk.room("ana", "public", "bob"), await desk.room("ana")
    await desk.message("ana", mine)

    attached = await desk.ask("bob", Attach(), Attached)

    assert [(head.room, head.seq) for head in attached.rooms] == [(mine, 3)]
    assert attached.me_head == 1
    assert other not in {head.room for head in attached.rooms}
    assert (await desk.ask("eva", Attach(), Attached)).rooms == []


async def test_a_member_gets_what_was_missed(desk: Desk) -> None:
    """The events after the cursor, in order, as they were pushed, up to the head."""
    room = await desk.room("ana")
    await fill(desk, room, 5)
    epoch = await epoch_of(desk, room)

    found = await desk.ask("ana", Recover(room, epoch, 3), Recovered)

    assert (found.recovered, found.epoch, found.head, found.gone) == (True, epoch, 6, False)
    assert [event.seq for event in found.events] == [4, 5, 6]
    pushed = [event for done in desk.said for events in done.room_events.values() for event in events]
    assert [event.frame for event in found.events] == [event.frame for event in pushed][-3:]
    assert (await desk.ask("ana", Recover(room, epoch, 6), Recovered)).recovered is True


@pytest.mark.parametrize(("epoch", "seq"), [("", 0), ("another", 3), (None, 7)])
async def test_a_cursor_that_is_not_ours_recovers_nothing(desk: Desk, epoch: str | None, seq: int) -> None:
    """No cursor, another epoch, a seq above the head: the head is told, and a client's number changes no epoch."""
    room = await desk.room("ana")
    await fill(desk, room, 5)
    now = await epoch_of(desk, room)

    found = await desk.ask("ana", Recover(room, now if epoch is None else epoch, seq), Recovered)

    assert (found.recovered, found.head, found.epoch, found.events) == (False, 6, now, [])
    assert await epoch_of(desk, room) == now


async def test_recovery_is_bounded_in_events(desk: Desk) -> None:
    """300 events are pushed again, 301 are not, whatever the gateway asks for."""
    room = await desk.room("ana")
    await fill(desk, room, 301)
    epoch = await epoch_of(desk, room)

    at_limit = await desk.ask("ana", Recover(room, epoch, 2, limit=1000), Recovered)
    past_it = await desk.ask("ana", Recover(room, epoch, 1, limit=1000), Recovered)
    less = await desk.ask("ana", Recover(room, epoch, 300, limit=1), Recovered)

    assert (at_limit.recovered, len(at_limit.events)) == (True, 300)
    assert (past_it.recovered, past_it.events, past_it.head) == (False, [], 302)
    assert less.recovered is False


async def test_recovery_is_bounded_in_bytes(desk: Desk) -> None:
    """256 KiB are pushed again and not more."""
    room = await desk.room("ana")
    await fill(desk, room, 40, "x" * 8000)
    epoch = await epoch_of(desk, room)

    found = await desk.ask("ana", Recover(room, epoch, 41 - 31), Recovered)
    too_much = await desk.ask("ana", Recover(room, epoch, 41 - 35), Recovered)
    exact = sum(len(event.frame) for event in found.events)

    assert (found.recovered, too_much.recovered) == (True, False)
    assert (await desk.ask("ana", Recover(room, epoch, 10, max_bytes=exact), Recovered)).recovered is True
    assert (await desk.ask("ana", Recover(room, epoch, 10, max_bytes=exact - 1), Recovered)).recovered is False


async def test_a_room_that_is_not_ones_own_is_gone(desk: Desk) -> None:
    """Never a member, no longer a member, no such room: all alike, with no head."""
    room = await desk.room("ana", "public", "bob")
    epoch = await epoch_of(desk, room)
    ok(await desk.say("bob", frames.Leave(id=1, cmid=uuid.uuid4(), room=room)))

    for user, wanted in (("bob", room), ("eva", room), ("ana", "r" + "0" * 32)):
        found = await desk.ask(user, Recover(wanted, epoch, 1), Recovered)
        assert (found.gone, found.recovered, found.head, found.epoch, found.events) == (True, False, 0, "", [])


async def test_the_personal_log_is_recovered_too(desk: Desk) -> None:
    """Cursor -1 is none; a cursor above the head is not ours; 300 entries and not 301."""
    await desk.room("ana")
    await desk.room("ana")

    found = await desk.ask("ana", Recover("@me", "", 1), Recovered)
    assert (found.recovered, found.head, found.epoch, found.room) == (True, 2, "", "@me")
    (event,) = found.events
    assert (event.seq, msgspec.json.decode(event.frame)["seq"]) == (2, 2)
    for seq in (-1, 3):
        nothing = await desk.ask("ana", Recover("@me", "", seq), Recovered)
        assert (nothing.recovered, nothing.head, nothing.events) == (False, 2, [])
    assert (await desk.ask("eva", Recover("@me", "", 0), Recovered)).recovered is True


@pytest.mark.parametrize(("missed", "recovered"), [(300, True), (301, False)])
async def test_the_personal_log_is_bounded(desk: Desk, missed: int, recovered: bool) -> None:
    """As a room's history is."""
    room = await desk.room("ana")
    for _ in range(missed):
        join, leave = (kind(id=1, cmid=uuid.uuid4(), room=room) for kind in (frames.Join, frames.Leave))
        await desk.batch((GATEWAY, stamped("bob", join)), (GATEWAY, stamped("bob", leave)))

    found = await desk.ask("bob", Recover("@me", "", 0), Recovered)

    assert (found.recovered, len(found.events), found.head) == (recovered, missed if recovered else 0, missed)


async def test_a_gateway_repairs_without_a_member(desk: Desk) -> None:
    """Its own gap is filled for whoever is attached there."""
    room = await desk.room("ana", "private")
    await fill(desk, room, 3)
    epoch = await epoch_of(desk, room)

    found = await desk.ask("", Repair(room, epoch, 2), Recovered)

    assert (found.recovered, [event.seq for event in found.events], found.user) == (True, [3, 4], "")
    assert (await desk.ask("", Repair("r" + "0" * 32, epoch, 2), Recovered)).gone is True


async def test_a_gateways_cursor_above_the_head_proves_a_rollback(desk: Desk) -> None:
    """The room gets a new epoch, so that no new event passes for one that was lost."""
    room = await desk.room("ana")
    epoch = await epoch_of(desk, room)

    found = await desk.ask("", Repair(room, epoch, 9), Recovered)

    assert (found.recovered, found.head) == (False, 1)
    assert found.epoch == await epoch_of(desk, room) != epoch
    await desk.message("ana", room)
    assert list(desk.said[-1].room_events) == [(room, found.epoch)]
    again = await desk.ask("", Repair(room, epoch, 9), Recovered)
    assert again.epoch == found.epoch


async def test_heads_are_those_of_rooms_that_exist(desk: Desk) -> None:
    """Others are left out."""
    room = await desk.room("ana")
    await desk.message("ana", room)

    compared = await desk.ask("", CompareHeads([room, "r" + "0" * 32]), HeadsCompared)

    assert compared.rooms == [RoomHead(room, await epoch_of(desk, room), 2)]
