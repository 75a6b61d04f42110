"""detector_service.core.scenarios: the list of rules."""

from detector_service.core.scenarios import ALL, Action


def test_every_rule_has_a_name_of_its_own() -> None:
    """The name is part of a decision's key."""
    assert len({scenario.name for scenario in ALL}) == len(ALL)


def test_what_people_do_too_and_what_others_can_cause_never_bans() -> None:
    """Fast writing is watched, failures of an account are challenged; the deterministic lane bans."""
    assert {scenario.name: scenario.action for scenario in ALL if scenario.action is not Action.BAN} == {
        "message-flood": Action.WATCH,
        "account-walk": Action.CHALLENGE,
        "operator-challenge": Action.CHALLENGE,
    }
