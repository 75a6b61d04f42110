"""One log at one gateway: every member gets every event once and in order, however pub/sub and recoveries fall."""

from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from gateway.core.feed import MAX_HELD, Feed, Outcome


class Entry(NamedTuple):
    """An event that is only its number."""

    seq: int


def entries(*seqs: int) -> list[Entry]:
    """Events of these numbers."""
    return [Entry(seq) for seq in seqs]


def live(seq: int = 10) -> Feed[str, Entry]:
    """A feed whose place is known."""
    feed: Feed[str, Entry] = Feed()
    feed.opened("e", seq)
    return feed


def joined(feed: Feed[str, Entry], member: str) -> None:
    """A member that is where the feed is."""
    feed.wait(member)
    assert feed.settle(member, feed.seq) == []


def told(outcome: Outcome[str, Entry]) -> dict[str, list[int]]:
    """Who got what, in order."""
    got: dict[str, list[int]] = {}
    for delivery in outcome.deliveries:
        for member in delivery.members:
            got.setdefault(member, []).extend(event.seq for event in delivery.events)
    return got


def test_the_next_events_go_to_all_in_one_piece() -> None:
    """A batch is one delivery."""
    feed = live()
    joined(feed, "a")
    joined(feed, "b")

    outcome = feed.take("e", entries(11, 12))

    assert len(outcome.deliveries) == 1
    assert told(outcome) == {"a": [11, 12], "b": [11, 12]}
    assert feed.seq == 12


def test_what_was_seen_is_dropped() -> None:
    """Also the older part of a batch."""
    feed = live()
    joined(feed, "a")

    assert told(feed.take("e", entries(9, 10))) == {}
    assert told(feed.take("e", entries(10, 11))) == {"a": [11]}


def test_a_gap_is_held_and_repaired_in_order() -> None:
    """Nothing goes out until the store has told what is missing."""
    feed = live()
    joined(feed, "a")

    outcome = feed.take("e", entries(13))
    assert (told(outcome), outcome.gap) == ({}, True)
    assert told(feed.take("e", entries(14))) == {}

    repaired = feed.repaired(entries(11, 12, 13))
    assert (told(repaired), repaired.gap) == ({"a": [11, 12, 13, 14]}, False)


def test_another_epoch_is_a_gap() -> None:
    """Even when the number would fit."""
    feed = live()

    assert feed.take("f", entries(11)).gap


def test_a_second_gap_behind_the_first_is_found() -> None:
    """What was held may have a hole of its own."""
    feed = live()
    joined(feed, "a")
    feed.take("e", entries(12))
    feed.take("e", entries(15))

    repaired = feed.repaired(entries(11, 12))

    assert told(repaired) == {"a": [11, 12]}
    assert repaired.gap


def test_too_much_held_is_looked_for_again() -> None:
    """The hold is bounded; what it dropped is asked of the store."""
    feed = live()
    joined(feed, "a")
    feed.take("e", entries(12))
    for seq in range(13, 13 + MAX_HELD + 5):
        feed.take("e", entries(seq))

    repaired = feed.repaired(entries(11, 12))

    assert told(repaired) == {"a": [11, 12]}
    assert repaired.gap
    assert feed.repairing


def test_a_new_feed_holds_until_its_place_is_known() -> None:
    """And then passes on what is newer."""
    feed: Feed[str, Entry] = Feed()
    feed.wait("a")
    feed.take("e", entries(8))
    feed.take("e", entries(9))

    feed.opened("e", 8)
    kept = feed.settle("a", 8)

    assert kept == entries(9)
    assert "a" in feed.aligned
    assert feed.seq == 9


def test_live_events_are_kept_for_a_member_that_recovers() -> None:
    """The answer's head decides which of them are still news."""
    feed = live()
    feed.wait("a")
    feed.take("e", entries(11, 12, 13))

    assert feed.settle("a", 12) == entries(13)
    assert told(feed.take("e", entries(14))) == {"a": [14]}


def test_a_member_that_knows_more_than_the_feed_is_told_no_event_twice() -> None:
    """Its recovery came from the store, the live events come later."""
    feed = live()
    joined(feed, "b")
    feed.wait("a")

    assert feed.settle("a", 12) == []
    assert told(feed.take("e", entries(11, 12))) == {"b": [11, 12]}
    assert told(feed.take("e", entries(13))) == {"a": [13], "b": [13]}


def test_too_much_kept_for_a_member_asks_it_to_recover_again() -> None:
    """It waits on, with nothing kept; at the limit it does not have to."""
    for count, enough in ((MAX_HELD, True), (MAX_HELD + 1, False)):
        feed = live(0)
        feed.wait("a")
        for seq in range(1, count + 1):
            feed.take("e", entries(seq))

        kept = feed.settle("a", 0)

        assert (kept is not None) is enough
        assert ("a" in feed.waiting) is not enough


def test_who_leaves_gets_nothing_more() -> None:
    """From whichever set."""
    feed = live()
    joined(feed, "a")
    feed.wait("b")
    feed.wait("c")
    feed.settle("c", 20)

    for member in ("a", "b", "c"):
        feed.leave(member)

    assert feed.is_empty
    assert told(feed.take("e", entries(11))) == {}


def test_a_lost_feed_forgets_everybody() -> None:
    """Its place too."""
    feed = live()
    joined(feed, "a")
    feed.take("e", entries(12))

    feed.reset()

    assert feed.is_empty
    assert not feed.is_live
    assert feed.seq == -1


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("say"), st.booleans()),
            st.tuples(st.just("wait"), st.integers(0, 3)),
            st.tuples(st.just("answer"), st.integers(0, 3)),
            st.tuples(st.just("repair"), st.just(0)),
        ),
        max_size=60,
    )
)
def test_every_member_sees_every_event_once_and_in_order(steps: list[tuple[str, int]]) -> None:
    """Whatever is lost on the way: from its cursor on, each member's events are 1, 2, 3 … without a hole."""
    feed = live(0)
    store: list[Entry] = []
    got: dict[str, list[int]] = {}
    asked: dict[str, int] = {}

    def pass_on(outcome: Outcome[str, Entry]) -> None:
        for member, seqs in told(outcome).items():
            got[member] += seqs

    for step, value in [*steps, ("repair", 0), *[("answer", n) for n in range(4)]]:
        member = f"m{value}"
        if step == "say":
            store.append(Entry(len(store) + 1))
            if value:
                pass_on(feed.take("e", [store[-1]]))
        elif step == "wait" and member not in feed:
            feed.wait(member)
            got[member], asked[member] = [], 0
        elif step == "answer" and member in feed.waiting:
            head = len(store)
            got[member] += [event.seq for event in store[asked[member] : head]]
            kept = feed.settle(member, head)
            assert kept is not None
            got[member] += [event.seq for event in kept]
        elif step == "repair":
            if not feed.repairing:
                feed.ask_repair()
            pass_on(feed.repaired(store[feed.seq :]))
        for seqs in got.values():
            assert seqs == list(range(1, len(seqs) + 1))
    assert all(len(seqs) == len(store) for seqs in got.values())
