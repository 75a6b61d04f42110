"""Moderation: every actor × target × operation, against a table written out by hand."""

import pytest

from chat_service.core import moderation
from chat_service.core.rooms import Role
from garita_common.core.errors import BadRequest, Conflict, Forbidden

OUTSIDE = None
OWNER, MODERATOR, MEMBER, MUTED = Role.OWNER, Role.MODERATOR, Role.MEMBER, Role.MUTED
ROLES = [OWNER, MODERATOR, MEMBER, MUTED]

BELOW: dict[Role, set[Role | None]] = {
    OWNER: {MODERATOR, MEMBER, MUTED, OUTSIDE},
    MODERATOR: {MEMBER, MUTED, OUTSIDE},
    MEMBER: {MUTED, OUTSIDE},
    MUTED: {OUTSIDE},
}
GIVES: dict[Role, set[Role]] = {
    OWNER: {OWNER, MODERATOR, MEMBER, MUTED},
    MODERATOR: {MEMBER, MUTED},
    MEMBER: {MUTED},  # the gate table lets no member as far as here
    MUTED: set(),
}


@pytest.mark.parametrize("target", [*ROLES, OUTSIDE])
@pytest.mark.parametrize("actor", ROLES)
def test_one_acts_on_those_below(actor: Role, target: Role | None) -> None:
    """Equals are out of reach, also for owners."""
    if target in BELOW[actor]:
        moderation.require_rank(actor, target)
        return
    with pytest.raises(Forbidden):
        moderation.require_rank(actor, target)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("target", ROLES)
@pytest.mark.parametrize("actor", ROLES)
def test_roles_are_given_downwards(actor: Role, target: Role, role: Role) -> None:
    """To those below, and but for an owner only roles below one's own."""
    if target in BELOW[actor] and role in GIVES[actor]:
        moderation.require_may_set_role(actor, target, role, to_self=False, owners=1)
        return
    with pytest.raises(Forbidden):
        moderation.require_may_set_role(actor, target, role, to_self=False, owners=1)


@pytest.mark.parametrize("role", [MODERATOR, MEMBER, MUTED])
def test_an_owner_steps_down_unless_the_last(role: Role) -> None:
    """A room is never left without one by a word."""
    moderation.require_may_set_role(OWNER, OWNER, role, to_self=True, owners=2)
    with pytest.raises(Conflict):
        moderation.require_may_set_role(OWNER, OWNER, role, to_self=True, owners=1)


def test_the_last_owner_may_stay_one() -> None:
    """Saying what is so already takes nothing away."""
    moderation.require_may_set_role(OWNER, OWNER, OWNER, to_self=True, owners=1)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("actor", [MODERATOR, MEMBER, MUTED])
def test_nobody_else_changes_their_own_role(actor: Role, role: Role) -> None:
    """Not upwards, and not back to what was taken."""
    with pytest.raises(Forbidden):
        moderation.require_may_set_role(actor, actor, role, to_self=True, owners=1)


def test_nobody_acts_on_himself() -> None:
    """Kicks and bans are for others."""
    moderation.require_other("ua", "ub")
    with pytest.raises(BadRequest):
        moderation.require_other("ua", "ua")


def test_the_muted_do_not_inherit() -> None:
    """Moderators before members."""
    assert moderation.HEIRS == (MODERATOR, MEMBER)
