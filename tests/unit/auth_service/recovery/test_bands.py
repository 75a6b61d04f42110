"""How long a recovery waits, whatever anybody does."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from auth_service.core.recovery.bands import Band, Goal, judge
from auth_service.core.recovery.facts import DAY_MS, Change, Device, FactorKind, Facts
from auth_service.core.recovery.places import Place
from auth_service.core.recovery.points import Evidence, assess

from .story import (
    ACCOUNT,
    DAY_0,
    M1,
    MATURE,
    P1,
    THIEFS,
    added,
    day,
    first,
    shown,
)

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
            case _:
                pass
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
