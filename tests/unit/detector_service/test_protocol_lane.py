"""detector_service.core.protocol_lane: three frames in an hour that nobody correct sends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detector_service.core.facts import Fact
from detector_service.core.protocol_lane import LINE, SPAN_MS, ProtocolLane, is_scanner
from detector_service.core.scenarios import PROTOCOL_SCANNER, PROTOCOL_VIOLATION, Finding
from garita_common.core.activity import ProtocolViolated

from .making import MIN, T0, UNIT, violation


def walked(*facts: Fact) -> list[Finding | None]:
    """What a lane says to each of these, one after the other."""
    lane, answers = ProtocolLane(), []
    for fact in facts:
        assert isinstance(fact.event, ProtocolViolated)
        answers.append(lane.violated(UNIT, fact, fact.event))
    return answers


def test_the_third_violation_within_an_hour_is_found() -> None:
    """Two are not; the finding names all three and their first byte."""
    facts = [violation(T0), violation(T0 + MIN), violation(T0 + SPAN_MS - 1)]

    first, second, third = walked(*facts)

    assert (first, second) == (None, None)
    assert third is not None
    assert third.scenario is PROTOCOL_VIOLATION
    assert third.evidence == tuple(fact.id for fact in facts)
    assert third.window_start_ms == T0
    assert third.numbers["first_byte"] == "0x52"
    assert third.because == "it sent 3 frames within 1 hour that no correct client can send (first byte 0x52)"


def test_a_third_violation_one_hour_after_the_first_is_not() -> None:
    """The limit and one past it."""
    assert walked(violation(T0), violation(T0 + MIN), violation(T0 + SPAN_MS))[-1] is None


def test_counting_begins_anew_after_a_finding() -> None:
    """Six violations are two findings, the second with a window of its own."""
    answers = walked(*(violation(T0 + number) for number in range(6)))

    found = [finding for finding in answers if finding is not None]
    assert [finding.window_start_ms for finding in found] == [T0, T0 + 3]


def test_the_same_record_twice_is_one_violation() -> None:
    """An emitter that lost Redis's answer writes again; a connection has one violation, so it is known by that."""
    twice = {"connection": "g/1"}

    answers = walked(violation(T0, **twice), violation(T0, **twice), violation(T0 + 1, connection="g/2"))

    assert answers == [None, None, None]


def test_a_folded_record_counts_as_many() -> None:
    """`count` is honoured."""
    assert walked(violation(T0, count=3))[0] is not None


@pytest.mark.parametrize(
    ("kind", "byte", "before_frames", "scanner"),
    [
        ("tcp_kind", 0x52, True, False),
        ("tcp_kind", 0x00, True, False),
        ("http_on_tcp", ord("G"), True, True),
        ("tls_on_tcp", 0x16, True, True),
        ("tcp_kind", ord("H"), True, True),
        ("tcp_kind", 0x16, True, True),
        ("tcp_kind", 0x16, False, False),
        ("http_on_tcp", ord("G"), False, False),
        ("json", -1, True, False),
    ],
)
def test_only_http_and_tls_before_any_frame_are_scanner_noise(
    kind: str, byte: int, before_frames: bool, scanner: bool
) -> None:
    """An 0x52 is a violation wherever it stands."""
    event = violation(kind=kind, byte=byte, before_frames=before_frames).event

    assert isinstance(event, ProtocolViolated)
    assert is_scanner(event) is scanner


def test_scanner_noise_has_a_count_of_its_own() -> None:
    """Two probes and two bad frames ban nobody; a third probe does, by its own rule."""
    probe = {"kind": "http_on_tcp", "byte": ord("G")}

    answers = walked(
        violation(T0), violation(T0), violation(T0, **probe), violation(T0, **probe), violation(T0, **probe)
    )

    assert answers[:4] == [None] * 4
    assert answers[4] is not None
    assert answers[4].scenario is PROTOCOL_SCANNER


@given(st.lists(st.integers(0, 3 * SPAN_MS), max_size=60))
def test_a_finding_never_rests_on_fewer_than_three_in_an_hour(offsets: list[int]) -> None:
    """Whatever the order and the pace."""
    facts = [violation(T0 + offset) for offset in offsets]
    at_ms = {fact.id: fact.at_ms for fact in facts}

    for finding in walked(*facts):
        if finding is not None:
            times = [at_ms[row] for row in finding.evidence]
            assert len(times) >= LINE
            assert max(times) - min(times) < SPAN_MS
