"""Oldest phone first."""

from dataclasses import replace

from auth_service.core.recovery import phones
from auth_service.core.recovery.facts import Factor, FactorKind, Facts

from .story import (
    ACCOUNT,
    BORN,
    DAY_0,
    P1,
    added,
    day,
)


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
