"""chat_service.handling: every operation is carried out by somebody."""

import chat_service.commands  # noqa: F401 - the one who imports all handlers
from chat_service.handling import HANDLERS
from garita_common.core.frames import HintOp, RoomOp, Search


def test_every_operation_has_a_handler() -> None:
    """Hints and searches have ways of their own (`commands.execute`)."""
    elsewhere = {*HintOp.__args__, Search}

    assert set(HANDLERS) == set(RoomOp.__args__) - elsewhere
