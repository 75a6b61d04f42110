"""What a network says."""

from dataclasses import replace

import pytest

from auth_service.core.recovery.facts import Device
from auth_service.core.recovery.places import Net, Place, Spot, Visit, place_of

from .story import (
    DAY_0,
    MATURE,
    OWNERS,
    THIEFS,
    day,
)

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
