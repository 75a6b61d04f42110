"""Which blow a wait is put down to, and when a run is good."""

from __future__ import annotations

from array import array

from bench.chaos import AFTERMATH_S, Dealt, Outcome, _cause
from bench.crowd import Times

DEALT = [Dealt("kill", 10.0, 10.0), Dealt("stop", 20.0, 30.0), Dealt("cut", 25.0, 26.0)]


def test_a_wait_is_put_down_to_the_blow_it_met_longest() -> None:
    """Also when it began just before, or soon after its end."""
    assert _cause(DEALT, 9.0, 9.9) is None
    assert _cause(DEALT, 9.9, 10.5) == "kill"
    assert _cause(DEALT, 10.0 + AFTERMATH_S / 2, 24.0) == "stop"
    assert _cause(DEALT, 10.0 + AFTERMATH_S, 19.9) is None
    assert _cause(DEALT, 25.5, 25.6) == "stop"
    assert _cause(DEALT, 30.0 + AFTERMATH_S, 90.0) is None


def test_silence_is_between_answers_to_anybody() -> None:
    """In the order of the answers, not of the questions."""
    times = Times(array("d", [1.0, 2.0, 3.0]), array("d", [9.0, 4.0, 5.0]))

    assert times.waits() == [(1.0, 9.0), (2.0, 4.0), (3.0, 5.0)]
    assert times.silences() == [(4.0, 5.0), (5.0, 9.0)]


def outcome(**changes: object) -> Outcome:
    """A good run, but for the changes."""
    fields: dict[str, object] = {
        "seed": 1, "minutes": 1.0, "people": 2, "rooms": {2: 1}, "namespace": True, "sent": 3, "acknowledged": 3, "stored": 3, "reactions": 1,
        "deliveries": 6, "verdict": {"lost_deliveries": 0}, "ack_ms": {}, "reconnects": 0, "repeated_requests": 0,
        "gaps_repaired_by_clients": 0, "rooms_filled_from_history": 0, "logins_by_password": 0, "calm_wait_s": 0.1, "outages": [],
    }  # fmt: skip
    return Outcome(**fields | changes)  # type: ignore[arg-type]  # by name


def test_any_fault_makes_a_run_bad() -> None:
    """One of each kind is enough."""
    assert outcome().good
    assert not outcome(verdict={"lost_deliveries": 1}).good
    assert not outcome(sent=4).good
    assert not outcome(failures=["chat is not ready again"]).good
