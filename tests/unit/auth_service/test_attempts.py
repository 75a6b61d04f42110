"""auth_service.core.attempts: when guessing is slowed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.attempts import Policy, Tries, Verdict, judge

NOW = 1_800_000_000_000
STRANGERS = Policy(proof_after=3, shut_after_15_min=None, shut_after_hour=10, shut_ms=900_000)
DEVICE = Policy(proof_after=None, shut_after_15_min=10, shut_after_hour=None, shut_ms=300_000)


@pytest.mark.parametrize(
    ("policy", "quarter", "hour", "verdict"),
    [
        (STRANGERS, 1, 1, Verdict.FREE),
        (STRANGERS, 3, 3, Verdict.FREE),
        (STRANGERS, 4, 4, Verdict.PROOF),
        (STRANGERS, 1, 4, Verdict.FREE),
        (STRANGERS, 10, 10, Verdict.PROOF),
        (STRANGERS, 1, 11, Verdict.SHUT),
        (DEVICE, 10, 50, Verdict.FREE),
        (DEVICE, 11, 11, Verdict.SHUT),
    ],
)
def test_thresholds(policy: Policy, quarter: int, hour: int, verdict: Verdict) -> None:
    """At each threshold and one past it; the present try is included in the counts."""
    assert judge(Tries(quarter, hour, 0), policy, NOW).verdict is verdict


def test_an_earlier_closing_holds_to_its_end_and_is_not_prolonged_by_knocking() -> None:
    """Whoever tries meanwhile changes nothing; afterwards the counts decide again."""
    during = judge(Tries(1, 1, NOW + 1), STRANGERS, NOW)

    assert (during.verdict, during.shut_until_ms, during.newly_shut) == (Verdict.SHUT, NOW + 1, False)
    assert judge(Tries(1, 1, NOW), STRANGERS, NOW).verdict is Verdict.FREE


def test_a_new_closing_says_until_when() -> None:
    """So that it can be remembered."""
    judged = judge(Tries(11, 11, 0), STRANGERS, NOW)

    assert (judged.newly_shut, judged.shut_until_ms) == (True, NOW + 900_000)


@given(quarter=st.integers(1, 50), more=st.integers(0, 50), shut=st.integers(0, 2 * NOW))
def test_more_tries_never_help(quarter: int, more: int, shut: int) -> None:
    """The order FREE, PROOF, SHUT only rises with the counts."""
    order = [Verdict.FREE, Verdict.PROOF, Verdict.SHUT]
    few = judge(Tries(quarter, quarter, shut), STRANGERS, NOW).verdict
    many = judge(Tries(quarter + more, quarter + more, shut), STRANGERS, NOW).verdict

    assert order.index(many) >= order.index(few)
