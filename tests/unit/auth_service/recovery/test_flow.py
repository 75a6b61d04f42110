"""What a recovery may do next."""

from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.recovery import flow as flows
from auth_service.core.recovery.bands import Band, Goal
from auth_service.core.recovery.facts import DAY_MS
from auth_service.core.recovery.flow import Effect, Flow, Phase
from auth_service.core.recovery.points import assess

from .story import ACCOUNT, DAY_0, OWNERS, day, shown


def test_a_flow_waits_is_proved_again_and_completes() -> None:
    """24 hours, half an hour to complete, and not twice."""
    flow = flows.evaluate(
        flows.start("f", Goal.PASSWORD, DAY_0),
        assess(ACCOUNT, shown("P1", device=OWNERS), DAY_0),
        owner_is_active=False,
        now_ms=DAY_0,
    )
    assert flows.come_back(flow, proved_again=True, now_ms=day(1) - 1).phase is Phase.HOLDING
    assert flows.come_back(flow, proved_again=False, now_ms=day(1)).phase is Phase.HOLDING
    back = flows.come_back(flow, proved_again=True, now_ms=day(1))
    assert back.phase is Phase.APPROVED
    assert flows.complete(back, day(1) + flows.APPROVED_MS).phase is Phase.EXPIRED
    done = flows.complete(back, day(1) + 1)
    assert done.phase is Phase.COMPLETED
    assert flows.object_to(done, 1_000, day(2)) == (done, Effect.NONE)
    assert flows.expire(flow, day(1) + flows.RETURN_MS).phase is Phase.EXPIRED


def test_an_objection_that_comes_early_is_weighed_at_the_evaluation() -> None:
    """And one that is worth nothing is none."""
    flow = flows.start("f", Goal.PASSWORD, DAY_0)
    flow, kept = flows.object_to(flow, 40, DAY_0)
    flow, none = flows.object_to(flow, 0, DAY_0)
    judged = flows.evaluate(flow, assess(ACCOUNT, shown("M1"), DAY_0), owner_is_active=False, now_ms=DAY_0)

    assert (kept, none, judged.phase) == (Effect.KEPT, Effect.NONE, Phase.VETOED)


def test_evidence_is_collected_for_half_an_hour_or_until_the_phone_is_released() -> None:
    """Then the flow is over."""
    flow = flows.start("f", Goal.PASSWORD, DAY_0)
    late = DAY_0 + flows.COLLECTING_MS

    assert (
        flows.evaluate(flow, assess(ACCOUNT, shown("P1"), late), owner_is_active=False, now_ms=late).phase
        is Phase.EXPIRED
    )
    assert flows.expire(flows.await_release(flow, DAY_0), day(3)).phase is Phase.COLLECTING


FLOWS = st.lists(
    st.builds(
        Flow,
        id=st.uuids().map(str),
        goal=st.just(Goal.PASSWORD),
        started_ms=st.integers(DAY_0, day(1)),
        phase=st.sampled_from([Phase.COLLECTING, Phase.HOLDING, Phase.APPROVED]),
        until_ms=st.just(day(30)),
        points=st.integers(0, 150),
    ),
    max_size=60,
)


@given(made=FLOWS)
def test_a_weaker_flow_never_pushes_a_stronger_one_out(made: list[Flow]) -> None:
    """Of too many the weakest goes; those that still collect push out nobody."""
    dropped = flows.to_drop(made, Goal.PASSWORD, day(2))
    judged = [flow for flow in made if flow.phase is not Phase.COLLECTING]

    assert (dropped is not None) == (len(judged) > flows.MAX_LIVE)
    if dropped is not None:
        assert dropped.phase is not Phase.COLLECTING
        assert all(dropped.points <= flow.points for flow in judged)


@given(strong=st.integers(41, 150), objections=st.lists(st.integers(0, 40), max_size=20))
def test_weaker_objections_delay_a_flow_once(strong: int, objections: list[int]) -> None:
    """However many come."""
    flow = Flow("f", Goal.PASSWORD, DAY_0, Phase.HOLDING, day(30), points=strong, band=Band.DAY, not_before_ms=day(1))
    for number, worth in enumerate(objections):
        flow, _ = flows.object_to(flow, worth, DAY_0 + number)

    assert flow.phase is Phase.HOLDING
    assert flow.not_before_ms <= DAY_0 + len(objections) + 3 * DAY_MS


def test_what_was_collected_is_judged_when_nobody_says_that_it_is_all() -> None:
    """The wait begins then: a service that was away for a day must not find it over."""
    flow = flows.start("f", Goal.PASSWORD, DAY_0)
    late = day(1)

    judged = flows.evaluate_late(flow, assess(ACCOUNT, shown("P1"), late), owner_is_active=False, now_ms=late)

    assert (judged.phase, judged.not_before_ms) == (Phase.HOLDING, day(4))


def test_enough_is_what_needs_no_wait() -> None:
    """One phone is not, phone and mail are."""
    assert not flows.is_enough(Goal.PASSWORD, assess(ACCOUNT, shown("P1"), DAY_0))
    assert flows.is_enough(Goal.PASSWORD, assess(ACCOUNT, shown("P1", "M1"), DAY_0))
