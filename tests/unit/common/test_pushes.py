"""garita_common.core.pushes."""

import json

from garita_common.core import pushes
from garita_common.core.errors import Busy, CloseCode, NotFound


def test_an_answer_carries_its_requests_id() -> None:
    """`ok` with its fields beside."""
    assert json.loads(pushes.ok(7, {"room": "r1"})) == {"op": "ok", "id": 7, "room": "r1"}


def test_an_error_says_only_its_public_sentence() -> None:
    """Code, sentence, whether a repeat helps; no id where none could be read."""
    assert json.loads(pushes.error(None, NotFound())) == {
        "op": "error",
        "code": "not_found",
        "message": "There is nothing here by that name.",
        "temporary": False,
    }


def test_busy_tells_whether_the_outcome_is_known() -> None:
    """`outcome: unknown` asks for a repeat with the same cmid."""
    assert json.loads(pushes.error(1, Busy(outcome="unknown")))["outcome"] == "unknown"
    assert "outcome" not in json.loads(pushes.error(1, Busy()))


def test_a_disconnect_tells_whether_to_come_back() -> None:
    """44xx: yes, 45xx: no."""
    assert json.loads(pushes.disconnect(CloseCode.DRAIN, "restart", after_ms=5))["reconnect"] is True
    banned = json.loads(pushes.disconnect(CloseCode.BANNED, "protocol", until_ms=9, appeal="a1"))
    assert (banned["reconnect"], banned["until"], banned["appeal"]) == (False, 9, "a1")
