"""The cursor rule: each event once and in order, whatever the network does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from garita_client.core.cursors import Cursor, Cursors, Gap
from garita_client.core.hearing import Event, Person, RoomInfo
from garita_client.core.replies import Connected, HistoryPage, MeState, RoomState

ROOM = "r" + "1" * 32
ANA = Person("u" + "a" * 32, "ana")


def event(seq: int, epoch: str = "a", room: str = ROOM, **more: object) -> Event:
    return Event(op="message", room=room, epoch=epoch, seq=seq, **more)  # type: ignore[arg-type]


def welcome(me: MeState | None = None, **rooms: RoomState) -> Connected:
    return Connected(
        "s", ANA, 0, 25_000, rooms={ROOM if name == "room" else name: rooms[name] for name in rooms}, me=me or MeState()
    )


def page(*seqs: int, epoch: str = "a", more: bool = False) -> HistoryPage:
    import msgspec

    raw = tuple(msgspec.Raw(msgspec.json.encode(event(seq, epoch))) for seq in seqs)
    return HistoryPage(ROOM, epoch, 99, raw, more)


def seqs(events: list[Event]) -> list[int | None]:
    return [event.seq for event in events]


@pytest.fixture
def cursors() -> Cursors:
    """Connected, with a room whose head is 10."""
    cursors = Cursors()
    cursors.connected(welcome(room=RoomState("a", 10)))
    return cursors


def test_next_is_taken_and_old_is_dropped(cursors: Cursors) -> None:
    """seq + 1 is handed over, what is at or below the cursor is not."""
    assert seqs(cursors.heard(event(11))) == [11]
    assert cursors.heard(event(11)) == []
    assert cursors.heard(event(3)) == []
    assert cursors.of(ROOM) == Cursor("a", 11)


def test_greater_is_a_gap_and_moves_nothing(cursors: Cursors) -> None:
    """One missing event: Gap, and the cursor stays where it was."""
    with pytest.raises(Gap):
        cursors.heard(event(12))

    assert cursors.resume() == {ROOM: ["a", 10], "@me": 0}


def test_other_epoch_is_a_gap(cursors: Cursors) -> None:
    """An event of another epoch is not taken for the next one."""
    with pytest.raises(Gap):
        cursors.heard(event(11, "b"))


def test_event_without_seq_passes(cursors: Cursors) -> None:
    """What has no place in a room's history is handed over as it comes."""
    typing = Event(op="typing", room=ROOM)

    assert cursors.heard(typing) == [typing]


def test_recovered_room_goes_on(cursors: Cursors) -> None:
    """`recovered: true`: nothing to fill, the missed events come as pushes."""
    delivery = cursors.connected(welcome(room=RoomState("a", 12, True)))

    assert (delivery.events, delivery.fill) == ([], [])
    assert seqs(cursors.heard(event(11)) + cursors.heard(event(12))) == [11, 12]


def test_unrecovered_room_is_filled_while_pushes_wait(cursors: Cursors) -> None:
    """Pages of history come first, what was pushed meanwhile after them, without what came twice."""
    assert cursors.connected(welcome(room=RoomState("a", 14))).fill == [ROOM]
    assert cursors.heard(event(15)) == []

    assert seqs(cursors.filled(ROOM, page(11, 12, more=True))) == [11, 12]
    assert cursors.filling(ROOM) == Cursor("a", 12)
    assert seqs(cursors.filled(ROOM, page(13, 14, 15, 16))) == [13, 14, 15, 16]
    assert cursors.filling(ROOM) is None
    assert seqs(cursors.heard(event(17))) == [17]


def test_empty_history_ends_the_filling(cursors: Cursors) -> None:
    """A server that has nothing (any more) to give does not make the client ask for ever."""
    cursors.connected(welcome(room=RoomState("a", 14)))

    assert cursors.filled(ROOM, page(more=True)) == []
    assert cursors.of(ROOM) == Cursor("a", 14)


def test_new_epoch_resets(cursors: Cursors) -> None:
    """A restored store: `reset`, and on from its head."""
    delivery = cursors.connected(welcome(room=RoomState("b", 4)))

    assert [(event.op, event.epoch, event.seq) for event in delivery.events] == [("reset", "b", 4)]
    assert seqs(cursors.heard(event(5, "b"))) == [5]


def test_room_that_is_gone_is_told(cursors: Cursors) -> None:
    """A room that `connect` does not name is one that we are not in any more."""
    delivery = cursors.connected(welcome())

    assert [(event.op, event.room) for event in delivery.events] == [("gone", ROOM)]
    assert ROOM not in cursors.resume()


def test_push_before_the_answer_to_join_waits() -> None:
    """The own joining may overtake the answer; nothing before the answer's cursor is handed over."""
    cursors = Cursors()
    cursors.connected(welcome())
    cursors.joining("c1", ROOM)
    assert cursors.heard(event(8)) == []

    delivery = cursors.joined("c1", ROOM, Cursor("a", 7))

    assert seqs(delivery.events) == [8]


def test_late_answer_to_join_fills_what_lies_between() -> None:
    """A repeated join gives the first cursor; `connect` has meanwhile named a later head."""
    cursors = Cursors()
    cursors.joining("c1", ROOM)
    cursors.connected(welcome(room=RoomState("a", 9)))
    assert cursors.heard(event(10)) == []

    delivery = cursors.joined("c1", ROOM, Cursor("a", 7))

    assert delivery.fill == [ROOM]
    assert seqs(cursors.filled(ROOM, page(8, 9))) == [8, 9, 10]


def test_failed_join_lets_go() -> None:
    """What waited for a join that failed starts at the head that `connect` named."""
    cursors = Cursors()
    cursors.joining("c1", None)
    cursors.connected(welcome(room=RoomState("a", 9)))
    cursors.heard(event(10))

    assert seqs(cursors.not_joined("c1").events) == [10]


@pytest.mark.parametrize(("change", "kept"), [("left", False), ("kicked", False), ("banned", False), ("role", True)])
def test_own_leaving_forgets_the_room(cursors: Cursors, change: str, kept: bool) -> None:
    """After one's own `left`, or being put out, the room is not resumed."""
    cursors.heard(Event(op="member", room=ROOM, epoch="a", seq=11, user=ANA, change=change))

    assert (ROOM in cursors.resume()) == kept


def test_own_log_has_its_cursor(cursors: Cursors) -> None:
    """`@me` follows the same rule."""
    notice = Event(op="notice", log="@me", seq=1, kind="invited")
    assert cursors.heard(notice) == [notice]
    assert cursors.heard(notice) == []
    with pytest.raises(Gap):
        cursors.heard(Event(op="notice", log="@me", seq=3))
    assert cursors.resume()["@me"] == 1


def test_notice_of_joining_starts_the_room(cursors: Cursors) -> None:
    """Joined from another device: the room's events are expected from its head on."""
    other = "r" + "2" * 32
    room = RoomInfo(id=other, kind="public", epoch="a", head=5)
    cursors.heard(Event(op="notice", log="@me", seq=1, kind="joined", room=room))

    with pytest.raises(Gap):
        cursors.heard(event(7, room=other))
    assert seqs(cursors.heard(event(6, room=other))) == [6]


@given(st.lists(st.sampled_from(["push", "lose", "repeat", "reconnect", "far"]), max_size=60))
def test_any_story_gives_each_event_once(story: list[str]) -> None:
    """Pushes lost, repeated, connections made anew, with or without recovery: the program sees 1, 2, 3 … and nothing twice."""
    cursors = Cursors()
    cursors.connected(welcome(room=RoomState("a", 0)))
    head, seen = 0, [0]

    def reconnect(recovered: bool) -> None:
        at = cursors.of(ROOM)
        assert at is not None
        delivery = cursors.connected(welcome(room=RoomState("a", head, recovered)))
        if delivery.fill:
            while (at := cursors.filling(ROOM)) is not None:
                upto = min(head, at.seq + 3)
                seen.extend(
                    e.seq or 0 for e in cursors.filled(ROOM, page(*range(at.seq + 1, upto + 1), more=upto < head))
                )
        else:
            for seq in range(at.seq + 1, head + 1):
                hear(seq)

    def hear(seq: int) -> None:
        try:
            seen.extend(e.seq or 0 for e in cursors.heard(event(seq)))
        except Gap:
            reconnect(recovered=True)

    for step in story:
        match step:
            case "push":
                head += 1
                hear(head)
            case "lose":
                head += 1
            case "repeat":
                hear(head)
            case _:
                reconnect(step == "reconnect")
    reconnect(recovered=True)

    assert seen == list(range(head + 1))
