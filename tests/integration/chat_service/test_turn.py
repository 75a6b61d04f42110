"""A turn: what a membership says to the room and to the user, gathered until the commit."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import replace

import msgspec
import pytest

from chat_service.core.limits import RoomBudget
from chat_service.core.rooms import Kind, Role, Room, RoomLimits, User
from chat_service.store import Store
from chat_service.turn import Rules, Turn
from garita_common.core.errors import LimitReached
from garita_common.core.records import AttachRoom

from .conftest import RULES, Desk

ANA, BOB = User("ua", "ana"), User("ub", "bob")


def turn_in(db: sqlite3.Connection, rules: Rules = RULES) -> tuple[Turn, Room]:
    """A turn with an empty direct room and both users known."""
    store = Store(db, 9)
    store.see_user(ANA.id, ANA.name)
    store.see_user(BOB.id, BOB.name)
    room = Room("r1", Kind.DIRECT, None, "", 9, "e", 0, 0, (ANA.id, BOB.id))
    store.add_room(room)
    return Turn(store, 9, os.urandom, rules, RoomBudget(rules.room_send, 10)), room


async def test_entering_and_exiting_are_events_in_order(desk: Desk) -> None:
    """Each cursor lies before the joiner's own event."""

    def work(db: sqlite3.Connection) -> None:
        turn, room = turn_in(db)

        cursors = [turn.enter(room, user, Role.MEMBER) for user in (ANA, BOB)]
        turn.exit(room, ANA)

        assert cursors == [AttachRoom("r1", "e", 0), AttachRoom("r1", "e", 1)]
        events = turn.room_events[("r1", "e")]
        said = [msgspec.json.decode(event.frame) for event in events]
        assert [(push["seq"], push["user"]["name"], push["change"]) for push in said] == [
            (1, "ana", "joined"),
            (2, "bob", "joined"),
            (3, "ana", "left"),
        ]
        assert [event.left for event in events] == ["", "", "ua"]
        assert (room.members, room.head) == (1, 3)

    await desk.run(work)


async def test_a_notice_shows_the_room_as_its_reader_sees_it(desk: Desk) -> None:
    """The peer of a direct room is the other one; the notice's seq is the next of the reader's own log."""

    def work(db: sqlite3.Connection) -> None:
        turn, room = turn_in(db)
        turn.tell(ANA, "joined", room)
        turn.tell(BOB, "direct", room, by=ANA)
        turn.tell(BOB, "direct", room, by=ANA)

        first = msgspec.json.decode(turn.personal_events["ua"][0].frame)
        second = msgspec.json.decode(turn.personal_events["ub"][1].frame)
        assert (first["room"]["peer"]["name"], "by" in first) == ("bob", False)
        assert (second["room"]["peer"]["name"], second["by"]["name"], second["seq"]) == ("ana", "ana", 2)

    await desk.run(work)


async def test_space_is_there_up_to_the_limits(desk: Desk) -> None:
    """In the user's rooms and in the room."""

    def work(db: sqlite3.Connection) -> None:
        turn, room = turn_in(db, replace(RULES, rooms=RoomLimits(1, 1, 1)))
        turn.require_space(room, ANA)
        turn.enter(room, ANA, Role.MEMBER)
        with pytest.raises(LimitReached):
            turn.require_space(None, ANA)
        with pytest.raises(LimitReached):
            turn.require_space(room, BOB)
        turn.require_space(None, BOB)

    await desk.run(work)
