"""What the network address of a recovery says: strong, medium, nothing, or against it.

Weak evidence on purpose: it shortens a wait and never opens the gate. A network is an IPv4 /24 or IPv6 /48, known here only by a keyed hash. History is made by
confirmed devices alone, and only by what they did before the horizon and more than a week ago, so that nobody can build himself a usual place.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from math import asin, cos, radians, sin, sqrt

from .facts import DAY_MS, HOUR_MS, Device

HALF_LIFE_MS = 60 * DAY_MS
OLDEST_MS = 180 * DAY_MS
YOUNGEST_MS = 7 * DAY_MS
ENOUGH = 5.0
STRONG_SHARE, STRONG_DAYS = 0.2, 3
MEDIUM_SHARE, NEAR_KM = 0.3, 50.0
CROWD = 50
"""Accounts seen in one network in 30 days above which it says little: a carrier's or a campus's shared address."""
FASTEST_KMH, FAR_KM, RECENT_MS = 900.0, 500.0, 6 * HOUR_MS
EARTH_KM = 6371.0


class Place(Enum):
    """The verdict; its value is its points."""

    STRONG = 15
    MEDIUM = 8
    NONE = 0
    CONTRADICTION = -15


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a network is, as far as a GeoIP database knows: `lat`, `lon` in degrees, `radius_km` its accuracy."""

    lat: float
    lon: float
    radius_km: float = 0.0


@dataclass(frozen=True, slots=True)
class Net:
    """One network: `key` is its keyed hash; the rest is None or empty without a database. `anonymous`: hosting, VPN or Tor. `accounts`: how many used it in 30 days."""

    key: str
    asn: int | None = None
    country: str = ""
    spot: Spot | None = None
    anonymous: bool = False
    accounts: int = 0

    @property
    def located(self) -> bool:
        """Whether a database knew it."""
        return self.asn is not None or bool(self.country) or self.spot is not None


@dataclass(frozen=True, slots=True)
class Visit:
    """A successful full login, or a day's first refresh, of a device on a network."""

    device: str
    net: Net
    at_ms: int


def place_of(
    here: Net,
    visits: Iterable[Visit],
    devices: Iterable[Device],
    *,
    horizon_ms: int,
    now_ms: int,
    mature: frozenset[str],
) -> Place:
    """What `here` says. Args: visits: of the account, in any order; mature: ids of the account's mature devices."""
    everything = list(visits)
    history = _history(everything, devices, horizon_ms, now_ms)
    if _contradicts(here, everything, history, mature, now_ms):
        return Place.CONTRADICTION
    total = sum(history.values())
    if total < ENOUGH:
        return Place.NONE
    if _is_usual(here, history, total):
        # Without a database it cannot be told from a rented or a crowded network.
        return Place.STRONG if here.located and here.accounts <= CROWD else Place.MEDIUM
    return Place.MEDIUM if _is_near(here, history, total) else Place.NONE


def _history(
    visits: Iterable[Visit], devices: Iterable[Device], horizon_ms: int, now_ms: int
) -> dict[tuple[str, Net, int], float]:
    """The weight of each device, network and day; of several visits on one day the newest."""
    confirmed = {device.id: device.confirmed_ms for device in devices if device.confirmed_ms is not None}
    newest_ms = min(horizon_ms, now_ms - YOUNGEST_MS)
    held: dict[tuple[str, str, int], Visit] = {}
    for visit in visits:
        since_ms = confirmed.get(visit.device)
        if since_ms is None or not max(since_ms, now_ms - OLDEST_MS) <= visit.at_ms < newest_ms:
            continue
        key = (visit.device, visit.net.key, visit.at_ms // DAY_MS)
        if key not in held or held[key].at_ms < visit.at_ms:
            held[key] = visit
    return {
        (device, visit.net, day): 0.5 ** ((now_ms - visit.at_ms) / HALF_LIFE_MS)
        for (device, _, day), visit in held.items()
    }


def _is_usual(here: Net, history: dict[tuple[str, Net, int], float], total: float) -> bool:
    own = {(device, day): weight for (device, net, day), weight in history.items() if net.key == here.key}
    days = {day for _, day in own}
    return not here.anonymous and len(days) >= STRONG_DAYS and sum(own.values()) >= STRONG_SHARE * total


def _is_near(here: Net, history: dict[tuple[str, Net, int], float], total: float) -> bool:
    """The same provider in the same town."""
    if here.asn is None or here.spot is None or here.anonymous:
        return False
    near = sum(
        weight
        for (_, net, _), weight in history.items()
        if net.asn == here.asn
        and net.spot is not None
        and distance_km(here.spot, net.spot) <= NEAR_KM + here.spot.radius_km + net.spot.radius_km
    )
    return near >= MEDIUM_SHARE * total


def _contradicts(
    here: Net,
    visits: list[Visit],
    history: dict[tuple[str, Net, int], float],
    mature: frozenset[str],
    now_ms: int,
) -> bool:
    """A rented network or a country where the account never was, or a place that its owner cannot have reached."""
    known = [net for _, net, _ in history]
    if here.anonymous and all(net.key != here.key for net in known):
        return True
    countries = {net.country for net in known if net.country}
    if here.country and countries and here.country not in countries:
        return True
    return any(
        visit.device in mature and 0 <= now_ms - visit.at_ms <= RECENT_MS and _is_out_of_reach(here, visit, now_ms)
        for visit in visits
    )


def _is_out_of_reach(here: Net, visit: Visit, now_ms: int) -> bool:
    if here.spot is None or visit.net.spot is None:
        return False
    km = distance_km(here.spot, visit.net.spot) - here.spot.radius_km - visit.net.spot.radius_km
    hours = max((now_ms - visit.at_ms) / HOUR_MS, 1 / 60)
    return km > FAR_KM and km / hours > FASTEST_KMH


def distance_km(one: Spot, other: Spot) -> float:
    """The great-circle distance (haversine)."""
    lat1, lat2 = radians(one.lat), radians(other.lat)
    half = sin((lat2 - lat1) / 2) ** 2 + cos(lat1) * cos(lat2) * sin(radians(other.lon - one.lon) / 2) ** 2
    return 2 * EARTH_KM * asin(min(1.0, sqrt(half)))
