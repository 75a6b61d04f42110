"""A limit on trial refuses nothing and counts all it would have refused."""

from gateway.core.enforcement import Enforcement


def test_a_limit_refuses_unless_it_is_on_trial() -> None:
    """The others go on refusing, and only what is on trial is counted."""
    it = Enforcement(["send", "errors"])

    assert [it.refuses(limit) for limit in ("other", "send", "send", "other")] == [True, False, False, True]
    assert it.would_refuse == {"errors": 0, "send": 2}


def test_without_a_trial_everything_refuses() -> None:
    """The default."""
    it = Enforcement()

    assert it.refuses("send")
    assert it.would_refuse == {}
