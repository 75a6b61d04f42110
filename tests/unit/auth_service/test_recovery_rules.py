"""The recovery rules by themselves, and what must hold whatever anybody does."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.recovery import flow as flows
from auth_service.core.recovery import life, phones
from auth_service.core.recovery.bands import Band, Goal, judge
from auth_service.core.recovery.facts import DAY_MS, Change, Device, Dispute, Factor, FactorKind, Facts, Policy
from auth_service.core.recovery.flow import Effect, Flow, Phase
from auth_service.core.recovery.horizon import horizon_ms
from auth_service.core.recovery.life import State
from auth_service.core.recovery.places import Net, Place, Spot, Visit, place_of
from auth_service.core.recovery.points import Evidence, assess

from .test_recovery_table import ACCOUNT, BORN, DAY_0, M1, MATURE, OWNERS, P1, THIEFS, added, day, first, shown

POLICY = Policy()


@pytest.mark.parametrize(
    ("factor", "at_ms", "state"),
    [
        (Factor("x", FactorKind.EMAIL, None, 0), DAY_0, State.PENDING),
        (added("x", FactorKind.EMAIL, DAY_0), day(30) - 1, State.PROBATION),
        (added("x", FactorKind.EMAIL, DAY_0), day(30), State.MATURE),
        (replace(M1, removed_ms=DAY_0), day(37) - 1, State.RETIRING),
        (replace(M1, removed_ms=DAY_0), day(37), State.RETIRED),
        (replace(M1, removed_ms=DAY_0, lost=True), DAY_0, State.RETIRED),
        (replace(added("x", FactorKind.EMAIL, DAY_0), removed_ms=day(1)), day(2), State.RETIRING),
    ],
)
def test_a_factors_life(factor: Factor, at_ms: int, state: State) -> None:
    """To the millisecond."""
    assert life.state_of(factor, POLICY, at_ms) is state


def test_what_was_removed_in_its_probation_never_counts() -> None:
    """Neither under the tombstone, although its probation's days have gone by."""
    factor = replace(added("x", FactorKind.EMAIL, DAY_0), removed_ms=day(1))

    assert not any(life.counts(factor, POLICY, day(n), day(n)) and n < 30 for n in range(40))
    assert not life.is_told(factor, POLICY, day(2))


@pytest.mark.parametrize(("probation", "tombstone"), [(6, 30), (30, 91), (30, 29)])
def test_lengths_that_would_favour_an_intruder_are_refused(probation: int, tombstone: int) -> None:
    """A tombstone shorter than a probation would end the owner's rights before the intruder's begin."""
    with pytest.raises(ValueError, match=r"7 and 90 days|never shorter"):
        Policy(probation * DAY_MS, tombstone * DAY_MS)


@pytest.mark.parametrize(
    ("device", "mature"),
    [
        (MATURE, True),
        (replace(MATURE, confirmed_ms=None), False),
        (replace(MATURE, confirmed_ms=day(-14) + 1), False),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-13), day(-12), day(-12) + 5)), False),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-13), day(-12), day(-11))), True),
        (replace(MATURE, confirmed_ms=day(-14), seen_ms=(day(-20), day(-12), day(-11))), False),
        (replace(MATURE, removed_ms=day(-36)), True),
        (replace(MATURE, removed_ms=day(-37)), False),
        (replace(MATURE, removed_ms=DAY_0, lost=True), False),
    ],
)
def test_when_a_device_is_mature(device: Device, mature: bool) -> None:
    """Two weeks after it was confirmed, and used on three days since."""
    assert life.is_device_mature(device, POLICY, DAY_0, DAY_0) is mature


def test_the_horizon_is_the_earliest_act_of_a_strange_device() -> None:
    """A login of one, or what one changed; confirming it later takes back only the login."""
    strange = Device(THIEFS, day(-20))
    change = Change("c", day(-10), confirmed=False)

    assert horizon_ms(Facts(devices=(MATURE,)), DAY_0) == DAY_0
    assert horizon_ms(Facts(devices=(MATURE, strange), changes=(change,)), DAY_0) == day(-20)
    assert horizon_ms(Facts(devices=(replace(strange, confirmed_ms=day(-1)),), changes=(change,)), DAY_0) == day(-10)
    assert horizon_ms(Facts(devices=(replace(strange, first_login_ms=day(-30)),)), DAY_0) == DAY_0
    assert horizon_ms(Facts(changes=(replace(change, confirmed=True),)), DAY_0) == DAY_0


def test_a_dispute_holds_its_event_for_thirty_days_or_until_a_recovery() -> None:
    """However old the event is."""
    dispute = Dispute(day(-60), day(-29))

    assert horizon_ms(Facts(disputes=(dispute,)), DAY_0) == day(-60)
    assert horizon_ms(Facts(disputes=(replace(dispute, opened_ms=day(-30)),)), DAY_0) == DAY_0
    assert horizon_ms(Facts(disputes=(replace(dispute, closed=True),)), DAY_0) == DAY_0


def test_the_oldest_phone_is_asked_until_it_is_given_up() -> None:
    """72 hours without an objection, or two permanent failures a day apart; a newer one in its probation never."""
    second = Factor("P2", FactorKind.PHONE, BORN + 1, BORN + 1, DAY_0)
    facts = replace(ACCOUNT, factors=(added("P3", FactorKind.PHONE, day(-1)), second, P1))
    order = phones.in_order(facts, DAY_0, DAY_0)

    def asked(releases: list[phones.Release], failures: dict[str, list[int]], now_ms: int) -> str | None:
        phone = phones.to_ask(order, phones.given_up(releases, dict(failures), now_ms))
        return phone.id if phone else None

    released = [phones.Release("P1", DAY_0)]
    assert asked([], {}, DAY_0) == "P1"
    assert asked(released, {}, day(3) - 1) == "P1"
    assert asked(released, {}, day(3)) == "P2"
    assert asked([replace(released[0], objected=True)], {}, day(9)) == "P1"
    assert asked([], {"P1": [DAY_0, day(1) - 1]}, day(1)) == "P1"
    assert asked([], {"P1": [DAY_0, day(1)]}, day(1)) == "P2"
    assert asked([phones.Release(name, DAY_0) for name in ("P1", "P2")], {}, day(3)) is None


def test_equal_phones_go_by_id_and_a_suspect_one_is_not_asked() -> None:
    """The order never depends on chance."""
    twins = tuple(replace(P1, id=name) for name in ("b", "a"))

    assert [p.id for p in phones.in_order(Facts(twins), DAY_0, DAY_0)] == ["a", "b"]
    assert phones.in_order(Facts((replace(P1, suspect=True),)), DAY_0, DAY_0) == []


HOME = Net("home", 64500, "ES", Spot(40.4, -3.7, 10))
DEVICES = (MATURE,)


def visits(net: Net, days: range, device: str = OWNERS) -> list[Visit]:
    """A visit on each day before day 0."""
    return [Visit(device, net, day(-n)) for n in days]


def verdict(here: Net, made: list[Visit], *, horizon: int = DAY_0, devices: tuple[Device, ...] = DEVICES) -> Place:
    """What the place says now."""
    return place_of(here, made, devices, horizon_ms=horizon, now_ms=DAY_0, mature=frozenset({OWNERS}))


@pytest.mark.parametrize(
    ("here", "made", "place"),
    [
        (HOME, visits(HOME, range(8, 20)), Place.STRONG),
        (HOME, visits(HOME, range(8, 13)), Place.NONE),  # five visits weigh less than five by now
        (HOME, visits(HOME, range(1, 7)), Place.NONE),  # younger than a week
        (HOME, visits(HOME, range(181, 300)), Place.NONE),
        (HOME, visits(HOME, range(8, 20), THIEFS), Place.NONE),
        (replace(HOME, accounts=51), visits(HOME, range(8, 20)), Place.MEDIUM),
        (Net("home"), visits(Net("home"), range(8, 20)), Place.MEDIUM),
        (replace(HOME, key="next door"), visits(HOME, range(8, 20)), Place.MEDIUM),
        (replace(HOME, key="next door", asn=64501), visits(HOME, range(8, 20)), Place.NONE),
        (Net("away", 64501, "FR", Spot(48.8, 2.3)), visits(HOME, range(8, 20)), Place.CONTRADICTION),
        (Net("rented", 64502, "ES", anonymous=True), visits(HOME, range(8, 20)), Place.CONTRADICTION),
        (HOME, [], Place.NONE),
    ],
)
def test_what_a_place_says(here: Net, made: list[Visit], place: Place) -> None:
    """Its share, its days, its age, whose device, and what kind of network."""
    assert verdict(here, made) is place


def test_a_place_that_the_owner_cannot_have_reached_speaks_against() -> None:
    """An hour ago a mature device was 1 000 km away, in the same country and with the same provider."""
    far = replace(HOME, key="far", spot=Spot(28.1, -15.4, 10))
    seen = [*visits(HOME, range(8, 20)), Visit(OWNERS, far, DAY_0 - 3_600_000)]

    assert verdict(HOME, seen) is Place.CONTRADICTION
    assert verdict(HOME, [*seen[:-1], replace(seen[-1], at_ms=DAY_0 - 7 * 3_600_000)]) is Place.STRONG


def test_nobody_builds_a_usual_place_behind_the_horizon() -> None:
    """What even a confirmed device did after the line is not looked at."""
    assert verdict(HOME, visits(HOME, range(8, 20)), horizon=day(-20)) is Place.NONE


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


KINDS = st.sampled_from([FactorKind.EMAIL, FactorKind.PHONE, FactorKind.TOTP, FactorKind.PASSKEY, FactorKind.CODES])
ACTS = st.lists(
    st.tuples(st.sampled_from(["login", "add", "remove", "password"]), st.floats(0, 60), KINDS), max_size=12
)


def after(acts: list[tuple[str, float, FactorKind]]) -> Facts:
    """The owner's account after a thief's acts, all from a device that nobody confirmed, the first of them a login on day 0."""
    factors, changes, devices = list(ACCOUNT.factors), [], [MATURE, Device(THIEFS, DAY_0)]
    for number, (act, at_day, kind) in enumerate(acts):
        match act:
            case "login":
                devices.append(Device(f"{THIEFS}{number}", day(at_day)))
            case "add":
                factors.append(added(f"thief{number}", kind, day(at_day)))
            case "remove":
                factors = [replace(f, removed_ms=f.removed_ms or day(at_day)) if f.kind is kind else f for f in factors]
        if act != "login":
            changes.append(Change(str(number), day(at_day), confirmed=False))
    return Facts(tuple(factors), tuple(devices), tuple(changes))


@given(acts=ACTS, at_day=st.floats(0, 90))
def test_nothing_that_a_thief_does_is_worth_anything_for_thirty_days(
    acts: list[tuple[str, float, FactorKind]], at_day: float
) -> None:
    """Whatever he adds, removes and changes, in whatever order: what he shows is worth 0 until 30 days after he added it."""
    facts = after(acts)
    own = {f.id for f in facts.factors if f.id.startswith("thief") and (f.proved_ms or 0) > day(at_day) - 30 * DAY_MS}
    evidence = Evidence(frozenset(own), THIEFS, Place.NONE)

    found = assess(facts, evidence, day(at_day))

    assert found.points == 0
    assert all(judge(goal, found).band is Band.REFUSED for goal in Goal)


@given(acts=ACTS, at_day=st.floats(0, 36.9))
def test_the_owner_gets_in_whatever_a_thief_did(acts: list[tuple[str, float, FactorKind]], at_day: float) -> None:
    """Both old contacts, to day 36: at once."""
    found = assess(after(acts), shown("P1", "M1"), day(at_day))

    assert judge(Goal.PASSWORD, found).band is Band.NOW


EVIDENCE_IDS = ["P1", "M1", "T", "C", "K"]
RICH = replace(
    ACCOUNT,
    factors=(P1, M1, first("T", FactorKind.TOTP), first("C", FactorKind.CODES), first("K", FactorKind.PASSKEY)),
)


@given(
    proved=st.frozensets(st.sampled_from(EVIDENCE_IDS)), more=st.sampled_from(EVIDENCE_IDS), goal=st.sampled_from(Goal)
)
def test_more_evidence_never_waits_longer(proved: frozenset[str], more: str, goal: Goal) -> None:
    """Nobody is better off for showing less."""
    order = list(Band)
    less = judge(goal, assess(RICH, Evidence(proved), DAY_0)).band
    full = judge(goal, assess(RICH, Evidence(proved | {more}), DAY_0)).band

    assert order.index(full) <= order.index(less)


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
