"""What a terminal remembers of messages, so that a person can name them by number."""

from garita_client.core.hearing import Event, Person
from garita_client.core.seen import KEPT_PER_ROOM, Seen

ROOM = "r" + "1" * 32
ANA = Person("u1", "ana")
BOB = Person("u2", "bob")


def message(seq: int, user: Person = ANA, **more: object) -> Event:
    return Event(op="message", room=ROOM, seq=seq, mid=f"m{seq}", user=user, text=f"t{seq}", **more)  # type: ignore[arg-type]


def holding(*events: Event) -> Seen:
    seen = Seen()
    for event in events:
        seen.note(event, ANA.id)
    return seen


def test_a_message_is_known_by_its_number_and_its_id() -> None:
    """Both ways; other events have no number."""
    seen = holding(message(4), Event(op="member", room=ROOM, seq=5, change="joined", user=BOB))

    shown = seen.message(ROOM, 4)

    assert shown is not None
    assert (shown.mid, shown.text) == ("m4", "t4")
    assert seen.number_of("m4") == 4
    assert seen.message(ROOM, 5) is None
    assert seen.message("r2", 4) is None


def test_the_newest_own_message_that_stands() -> None:
    """A deleted one is not offered for editing; an edited one has its new text."""
    seen = holding(
        message(1), message(2), message(3, BOB),
        Event(op="edited", room=ROOM, seq=4, of=1, text="new", user=ANA), Event(op="deleted", room=ROOM, seq=5, of=2, user=ANA),
    )  # fmt: skip

    last = seen.last_of(ROOM, ANA.id)

    assert last is not None
    assert (last.seq, last.text) == (1, "new")
    assert seen.last_of(ROOM, "u9") is None


def test_an_edit_without_its_text_says_nothing() -> None:
    """A newer one took it away, and the message has the newest text already."""
    seen = holding(message(1), Event(op="edited", room=ROOM, seq=2, of=1, text="", void=True, user=ANA))

    last = seen.last_of(ROOM, ANA.id)

    assert last is not None
    assert last.text != ""


def test_own_reactions_are_known() -> None:
    """So that the same again takes one back; those of others do not count."""
    on = Event(op="reaction", room=ROOM, seq=2, of=1, mid="m1", emoji="x", user=ANA)
    seen = holding(message(1), on, Event(op="reaction", room=ROOM, seq=3, of=1, mid="m1", emoji="y", user=BOB))

    assert (seen.has_reacted("m1", "x"), seen.has_reacted("m1", "y")) == (True, False)
    seen.note(Event(op="reaction", room=ROOM, seq=4, of=1, mid="m1", emoji="x", on=False, user=ANA), ANA.id)
    assert not seen.has_reacted("m1", "x")


def test_only_the_newest_are_kept() -> None:
    """At the limit all, one past it the oldest goes."""
    seen = holding(*(message(seq) for seq in range(1, KEPT_PER_ROOM + 1)))
    assert seen.message(ROOM, 1) is not None

    seen.note(message(KEPT_PER_ROOM + 1), ANA.id)

    assert (seen.message(ROOM, 1), seen.number_of("m1")) == (None, None)
    assert seen.message(ROOM, 2) is not None
