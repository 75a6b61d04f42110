"""Standings: what a user is to a room, and who is let through."""

import pytest

from chat_service.core.rooms import Kind, Role, Room, demand, pair_of, standing_of
from garita_common.core.errors import Forbidden, NotFound
from garita_common.core.gate import Standing


@pytest.mark.parametrize(
    ("kind", "role", "invited", "standing"),
    [
        (Kind.PUBLIC, None, False, Standing.VISITOR),
        (Kind.PUBLIC, None, True, Standing.VISITOR),
        (Kind.PRIVATE, None, False, Standing.STRANGER),
        (Kind.PRIVATE, None, True, Standing.VISITOR),
        (Kind.DIRECT, None, False, Standing.STRANGER),
        (Kind.DIRECT, None, True, Standing.STRANGER),
        (Kind.PRIVATE, Role.MUTED, False, Standing.MUTED),
        (Kind.PUBLIC, Role.MEMBER, False, Standing.MEMBER),
        (Kind.DIRECT, Role.MEMBER, False, Standing.MEMBER),
        (Kind.PUBLIC, Role.MODERATOR, False, Standing.MODERATOR),
        (Kind.PRIVATE, Role.OWNER, False, Standing.OWNER),
    ],
)
def test_standing_follows_from_kind_role_and_invitation(
    kind: Kind, role: Role | None, invited: bool, standing: Standing
) -> None:
    """A member's role decides; without one, the kind of room and an invitation to a private one."""
    assert standing_of(kind, role, invited=invited, banned=False) is standing


@pytest.mark.parametrize("invited", [False, True])
@pytest.mark.parametrize("kind", list(Kind))
def test_who_is_banned_is_a_stranger(kind: Kind, invited: bool) -> None:
    """To every kind of room, whatever invitation there was."""
    assert standing_of(kind, None, invited=invited, banned=True) is Standing.STRANGER


@pytest.mark.parametrize("least", list(Standing))
@pytest.mark.parametrize("standing", list(Standing))
def test_demand_lets_through_from_the_least_standing_on(standing: Standing, least: Standing) -> None:
    """Below the least standing a stranger is told that there is nothing, everybody else that it is forbidden."""
    if standing >= least:
        demand(standing, least)
        return
    with pytest.raises(NotFound if standing is Standing.STRANGER else Forbidden):
        demand(standing, least)


def test_a_pair_is_the_same_whoever_asks() -> None:
    """The key of a direct room does not depend on who made it."""
    assert pair_of("ub", "ua") == pair_of("ua", "ub") == ("ua", "ub")


def test_a_direct_room_has_a_peer_for_each_of_the_two() -> None:
    """Each sees the other one; a room that is not direct has no peer."""
    direct = Room("r", Kind.DIRECT, None, "", 0, "e", 0, 2, ("ua", "ub"))
    public = Room("r", Kind.PUBLIC, "t", "", 0, "e", 0, 2)

    assert direct.peer_of("ua") == "ub"
    assert direct.peer_of("ub") == "ua"
    assert public.peer_of("ua") is None
