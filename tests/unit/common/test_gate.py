"""garita_common.core.gate."""

from garita_common.core import gate
from garita_common.core.frames import ClientOp, GatewayOp, RoomOp
from garita_common.core.gate import Standing, State


def test_every_operation_has_a_row_and_every_row_an_operation() -> None:
    """An operation without a row could not be judged."""
    assert set(gate.TABLE) == {*GatewayOp.__args__, *RoomOp.__args__}


def test_only_connect_and_logout_are_allowed_before_connect() -> None:
    """A stranger can do nothing but show a token or go."""
    allowed = {kind.__struct_config__.tag for kind, row in gate.TABLE.items() if State.NEW in row.states}

    assert allowed == {"connect", "logout"}


def test_an_operation_that_names_a_room_needs_a_standing_there() -> None:
    """No room's data without asking what one is to the room; VISITOR is the least, for rooms one may see."""
    for kind, row in gate.TABLE.items():
        if "room" in kind.__struct_fields__:
            assert row.standing is not None, kind
            assert row.standing >= Standing.VISITOR, kind


def test_what_names_a_file_or_upload_has_a_standing_of_its_own() -> None:
    """The room behind a file is judged as well."""
    named = {kind for kind in gate.TABLE if {"file", "upload"} & set(kind.__struct_fields__)}

    assert named == set(gate.FILE_STANDING)


def test_what_lowers_the_load_is_never_refused() -> None:
    """leave, pong, logout and upload_abort are charged only."""
    charged = {kind.__struct_config__.tag for kind, row in gate.TABLE.items() if row.budget is gate.Budget.CHARGED}

    assert charged == {"leave", "pong", "logout", "upload_abort"}


def test_a_challenged_user_cannot_change_anything_but_leave() -> None:
    """While a challenge is open one may read, leave and renew."""
    kinds: list[type[ClientOp]] = [kind for kind, row in gate.TABLE.items() if State.CHALLENGED in row.states]

    assert not {kind.__struct_config__.tag for kind in kinds} & {"send", "join", "invite", "create_room", "upload"}
