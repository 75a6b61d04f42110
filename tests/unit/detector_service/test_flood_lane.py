"""detector_service.core.flood_lane: who hammers on is found, who is patient is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector_service.core import flood_lane
from detector_service.core.flood_lane import AddressFloodLane, PersonFloodLane, is_own_doing
from detector_service.core.scenarios import CONNECTION_FLOOD, MESSAGE_FLOOD, REFUSAL_FLOOD, Action
from garita_common.core.activity import RateHit

from .making import MIN, T0, UNIT, S, opened, rate_hit, said


def test_refused_connections_are_found_one_past_the_line() -> None:
    """200 in one second are not, 201 are."""
    at_line, past_line = AddressFloodLane(), AddressFloodLane()

    assert at_line.refused(UNIT, rate_hit(count=200)) is None
    finding = past_line.refused(UNIT, rate_hit(count=201))

    assert finding is not None
    assert finding.scenario is CONNECTION_FLOOD
    assert finding.scenario.action is Action.BAN
    assert finding.because == "it went on after limits had turned it away 201 times"


def test_opened_connections_are_found_too() -> None:
    """Churn within the limits: 201 openings at once."""
    assert AddressFloodLane().opened(UNIT, opened(count=200)) is None
    assert AddressFloodLane().opened(UNIT, opened(count=201)) is not None


def test_an_office_that_comes_back_after_a_restart_is_not_found() -> None:
    """Forty clients behind one address, each refused at 0.5, 1, 2, 4, 8, 16 s and then every 30 s for an hour."""
    lane = AddressFloodLane()
    times = [0.5, 1, 2, 4, 8, 16, *range(30, 3600, 30)]

    findings = [lane.refused(UNIT, rate_hit(T0 + int(at_s * S), count=24)) for at_s in times]

    assert not any(findings)


def test_a_user_who_keeps_running_into_limits_is_found() -> None:
    """101 refusals in a second, or five seconds of twenty-five; a patient client for ever is not."""
    quick, steady, patient = PersonFloodLane(), PersonFloodLane(), PersonFloodLane()

    assert quick.refused("user:u1", rate_hit(user="u1", limit="send", count=101)) is not None
    found = [steady.refused("user:u1", rate_hit(T0 + n * S, user="u1", limit="send", count=25)) for n in range(5)]
    assert [finding is not None for finding in found] == [False, False, False, False, True]
    assert found[-1] is not None
    assert found[-1].scenario is REFUSAL_FLOOD
    assert not any(patient.refused("user:u1", rate_hit(T0 + n * 2 * S, user="u1", limit="send")) for n in range(2000))


def test_one_pasted_text_is_not_a_flood() -> None:
    """Fifty lines sent at once: ten go through, forty are refused."""
    assert PersonFloodLane().refused("user:u1", rate_hit(user="u1", limit="send", count=40)) is None


def test_eleven_messages_in_ten_seconds_are_noted_once_and_never_more_than_noted() -> None:
    """Medium evidence: people do it too."""
    lane = PersonFloodLane()

    findings = [lane.said("user:u1", said(T0 + number)) for number in range(1000)]

    assert [number for number, finding in enumerate(findings) if finding] == [10]
    assert findings[10] is not None
    assert findings[10].scenario is MESSAGE_FLOOD
    assert findings[10].scenario.action is Action.WATCH


def test_eleven_messages_in_more_than_ten_seconds_are_not_even_noted() -> None:
    """One a second."""
    lane = PersonFloodLane()

    assert not any(lane.said("user:u1", said(T0 + number * S)) for number in range(100))


@given(st.lists(st.tuples(st.integers(0, 10 * MIN), st.integers(1, 50)), max_size=100))
def test_no_pattern_of_messages_alone_bans(messages: list[tuple[int, int]]) -> None:
    """Whatever somebody writes and however fast, messages lead to no ban."""
    lane = PersonFloodLane()

    for offset, times in messages:
        finding = lane.said("user:u1", said(T0 + offset, count=times))
        assert finding is None or finding.scenario.action is not Action.BAN
    assert lane.progress == 0


@pytest.mark.parametrize(
    ("limit", "own"),
    [
        ("attempts_per_address", True),
        ("connections_per_address", True),
        ("pages_per_address", True),
        ("send", True),
        ("login_prefix", True),
        ("node_connections", False),
        ("attempts_per_node", False),
        ("attempts_per_prefix", False),
        ("connections_per_prefix", False),
        ("banned", False),
    ],
)
def test_only_limits_of_the_peer_itself_are_its_own_doing(limit: str, own: bool) -> None:
    """A full node or a busy neighbourhood is charged to nobody."""
    assert is_own_doing(RateHit(ts_ms=1, src="gateway", limit=limit)) is own


@given(st.lists(st.tuples(st.integers(0, 60 * S), st.integers(1, 300)), max_size=60))
def test_a_finding_always_stands_over_its_line(hits: list[tuple[int, int]]) -> None:
    """The numbers of a finding show it."""
    lane = AddressFloodLane()

    for offset, times in hits:
        finding = lane.refused(UNIT, rate_hit(T0 + offset, count=times))
        if finding is not None:
            level = finding.numbers["level"]
            assert isinstance(level, float)
            assert level >= flood_lane.REFUSED_CONNECTIONS
            assert finding.evidence
