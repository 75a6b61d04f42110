"""Connections by user, oldest first."""

from gateway.core.roster import Roster


def test_a_user_s_connections_are_in_the_order_they_came() -> None:
    """And those of another user are not among them."""
    roster: Roster[str] = Roster()
    for user, connection in (("ana", "a"), ("ana", "b"), ("ben", "c")):
        roster.enter(user, connection)

    assert roster.of("ana") == ["a", "b"]
    assert sorted(roster) == ["ana", "ben"]


def test_who_leaves_makes_room() -> None:
    """And a user without connections is not held."""
    roster: Roster[str] = Roster()
    roster.enter("ana", "a")
    roster.leave("ana", "a")
    roster.leave("ana", "a")

    assert len(roster) == 0
    assert list(roster) == []
    roster.enter("ana", "b")
    assert roster.of("ana") == ["b"]
    assert roster.of("ben") == []
