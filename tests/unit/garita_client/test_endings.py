"""What follows from the end of a connection."""

import pytest

from garita_client.core.endings import Again, Ending, Stop, decide, decide_without_token
from garita_client.core.errors import AuthRefused, Banned, Ended, LoginNeeded, Unreachable
from garita_common.core.errors import CloseCode


@pytest.mark.parametrize("code", [code for code in CloseCode if code.reconnect and code != CloseCode.SESSION_ENDED])
def test_44xx_comes_back(code: CloseCode) -> None:
    """Every 44xx, and a connect that came too late: again, with what the server asked to wait."""
    assert decide(Ending(code, after_ms=1500), token_was_fresh=False) == Again(1.5)


@pytest.mark.parametrize("code", [code for code in CloseCode if code > 4500 and not code.reconnect])
def test_45xx_does_not(code: CloseCode) -> None:
    """Every 45xx but a first 4500: stop, with a sentence."""
    step = decide(Ending(code, "why"), token_was_fresh=False)

    assert isinstance(step, Stop)
    assert step.error.code == code
    assert str(step.error)


@pytest.mark.parametrize("code", [None, 1000, 1001, 1002, 1006, 1007, 1009])
def test_foreign_end_comes_back(code: int | None) -> None:
    """An end without one of our codes: again."""
    assert decide(Ending(code), token_was_fresh=True) == Again()


def test_session_end_wants_a_new_token() -> None:
    """4403: again, with another token."""
    assert decide(Ending(4403), token_was_fresh=True) == Again(fresh_token=True)


def test_bad_token_is_tried_once_more() -> None:
    """4500: once with a fresh token, then a person must log in."""
    assert decide(Ending(4500), token_was_fresh=False) == Again(fresh_token=True)
    step = decide(Ending(4500), token_was_fresh=True)
    assert isinstance(step, Stop)
    assert isinstance(step.error, LoginNeeded)


def test_ban_keeps_its_data() -> None:
    """4503: reason, end and appeal reach the person."""
    step = decide(Ending(4503, "flood", until_ms=9, appeal="x"), token_was_fresh=False)

    assert isinstance(step, Stop)
    assert isinstance(step.error, Banned)
    assert (step.error.reason, step.error.until_ms, step.error.appeal) == ("flood", 9, "x")


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [("session_ended", 401, LoginNeeded), ("banned", 403, Banned), ("step_up_required", 403, Ended)],
)
def test_token_refusals_that_end(code: str, status: int, kind: type[Ended]) -> None:
    """The accounts service says no for good."""
    step = decide_without_token(AuthRefused({"code": code, "title": "No."}, status))

    assert isinstance(step, Stop)
    assert isinstance(step.error, kind)


def test_token_troubles_that_pass() -> None:
    """Away, overloaded, limited: again, as late as asked."""
    limited = AuthRefused({"code": "rate_limited", "retry_after": 3}, 429)

    assert decide_without_token(limited) == Again(3.0)
    assert decide_without_token(AuthRefused({"code": "odd"}, 502)) == Again()
    assert decide_without_token(Unreachable("x")) == Again()
