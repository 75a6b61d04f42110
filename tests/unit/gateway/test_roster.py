"""Connections by user: the newest stay."""

from gateway.core.roster import Roster


def test_one_connection_too_many_names_the_oldest() -> None:
    """At the limit nobody goes; one past it, the first that came."""
    roster: Roster[str] = Roster(2)

    assert roster.enter("ana", "a") == []
    assert roster.enter("ana", "b") == []
    assert roster.enter("ana", "c") == ["a"]
    assert roster.enter("ben", "d") == []


def test_who_leaves_makes_room() -> None:
    """And a user without connections is not held."""
    roster: Roster[str] = Roster(1)
    roster.enter("ana", "a")
    roster.leave("ana", "a")
    roster.leave("ana", "a")

    assert len(roster) == 0
    assert list(roster) == []
    assert roster.enter("ana", "b") == []
    assert roster.of("ana") == ["b"]
    assert roster.of("ben") == []
