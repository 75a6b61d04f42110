"""detector_service.core.login_lane: guessing is found per address; accounts are never locked."""

from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.login_lane import AccountLoginLane, AddressLoginLane
from detector_service.core.scenarios import ACCOUNT_WALK, LOGIN_BURST, LOGIN_SPRAYING, LOGIN_WALK, Action, Finding
from garita_common.core.activity import LoginFailed

from .making import DAY, MIN, T0, UNIT, H, S, login_failed


def failures(times: list[int], accounts: list[str] | None = None) -> list[Finding | None]:
    """What an address's lane says to failures at these times, of these accounts in turn."""
    lane, answers = AddressLoginLane(), []
    for number, at_ms in enumerate(times):
        fact = login_failed(at_ms, account=accounts[number % len(accounts)] if accounts else "a1")
        assert isinstance(fact.event, LoginFailed)
        answers.append(lane.failed(UNIT, fact, fact.event))
    return answers


def first(answers: list[Finding | None]) -> tuple[int, str] | None:
    """Which failure was found (from 1), and by which rule."""
    return next(((n, f.scenario.name) for n, f in enumerate(answers, 1) if f is not None), None)


def test_the_seventh_straight_failure_is_found() -> None:
    """Six are not; one every 20 s for the walk."""
    answers = failures([T0 + n * 20 * S for n in range(7)])

    assert first(answers) == (7, LOGIN_WALK.name)
    assert answers[6] is not None
    assert answers[6].numbers["failures"] == 7
    assert len(answers[6].evidence) == 7


def test_seven_within_a_second_are_found_at_the_seventh() -> None:
    """By walk or bucket, never earlier."""
    found = first(failures([T0 + n for n in range(7)]))

    assert found is not None
    assert found[0] == 7
    assert found[1] in {LOGIN_WALK.name, LOGIN_BURST.name}


def test_slow_slips_are_forgiven() -> None:
    """One failure an hour, for days: the walk stands at most at two steps."""
    assert first(failures([T0 + n * H for n in range(100)])) is None


def test_four_accounts_in_ten_minutes_are_spraying() -> None:
    """Three are not, however often; four in more than ten minutes are not."""
    assert first(failures([T0 + n * MIN for n in range(4)], ["a", "b", "c", "d"])) == (4, LOGIN_SPRAYING.name)
    assert first(failures([T0 + n * MIN for n in range(6)], ["a", "b", "c"])) is None
    assert first(failures([T0 + n * 4 * MIN for n in range(4)], ["a", "b", "c", "d"])) is None


def test_counting_begins_anew_after_a_finding() -> None:
    """Six more failures after one are not found, the seventh is."""
    found = [n for n, finding in enumerate(failures([T0 + n * S for n in range(14)]), 1) if finding]

    assert found == [7, 14]


@given(st.lists(st.tuples(st.integers(0, 5 * H), st.sampled_from("abc")), max_size=80))
def test_no_finding_rests_on_fewer_than_four_failures(tries: list[tuple[int, str]]) -> None:
    """Whatever the order: four accounts, or seven failures."""
    lane, since = AddressLoginLane(), 0

    for offset, account in tries:
        fact = login_failed(T0 + offset, account=account)
        assert isinstance(fact.event, LoginFailed)
        since += 1
        finding = lane.failed(UNIT, fact, fact.event)
        if finding is not None:
            assert since >= (4 if finding.scenario is LOGIN_SPRAYING else 7)
            since = 0


def test_the_fourth_net_failure_of_an_account_is_noted_as_a_challenge() -> None:
    """And as nothing more: nobody can lock an owner out."""
    lane = AccountLoginLane()

    answers = [lane.failed("account:a1", login_failed(T0 + n)) for n in range(4)]

    assert answers[:3] == [None] * 3
    assert answers[3] is not None
    assert answers[3].scenario is ACCOUNT_WALK
    assert answers[3].scenario.action is Action.CHALLENGE


def test_a_success_takes_one_failure_away_once_a_day() -> None:
    """The second success of a day takes nothing, the next day's does."""
    once, twice, next_day = AccountLoginLane(), AccountLoginLane(), AccountLoginLane()
    for lane in (once, twice, next_day):
        lane.failed("account:a1", login_failed(T0))
        lane.failed("account:a1", login_failed(T0))
        lane.succeeded(T0)

    twice.succeeded(T0 + 1)
    next_day.succeeded(T0 + DAY)

    assert twice.progress == once.progress
    assert next_day.progress == 0


@given(st.lists(st.one_of(st.none(), st.integers(0, 10 * DAY)), max_size=100))
def test_no_history_of_one_account_bans_anybody(history: list[int | None]) -> None:
    """Failures at any time (a number) and successes (None): at most a challenge."""
    lane = AccountLoginLane()

    for entry in history:
        if entry is None:
            lane.succeeded(T0)
        else:
            finding = lane.failed("account:a1", login_failed(T0 + entry))
            assert finding is None or finding.scenario.action is Action.CHALLENGE
