"""Places: the network that a request comes from, as recovery looks at it, and the record of where accounts are used.

Only the socket's address says anything (`edge.py` finds it); what a client claims about itself is not asked. A network is known by a keyed mark, so that the
database holds no addresses. Loopback, behind which everybody may be, is no place.
"""

from typing import Final, Protocol

from garita_common.core import addresses

from . import store_places
from .core.recovery.facts import Facts
from .core.recovery.horizon import horizon_ms
from .core.recovery.life import is_device_mature
from .core.recovery.places import Net, Place, Spot, place_of
from .parts import Caller, Parts
from .store import Db

CELL_DEGREES: Final = 0.2
"""Coordinates are kept as coarse as that, about 20 km."""
NOWHERE: Final = Net("")


class Geo(Protocol):
    """What is known of an address by a database of them; a field that it does not know is None or empty."""

    def look_up(self, address: addresses.Address) -> tuple[int | None, str, Spot | None, bool]:
        """Provider, country, place, and whether it is rented or anonymous."""
        ...


class Places:
    """Tells places and keeps them."""

    def __init__(self, parts: Parts, geo: Geo | None = None) -> None:
        """Args: geo: a database, where there is one; without it a usual network is worth 8 points at most."""
        self._parts = parts
        self._geo = geo

    def net_of(self, caller: Caller) -> Net:
        """The network of a caller, without its crowd."""
        if caller.address.is_loopback and not caller.counted:
            return NOWHERE
        key = self._parts.seals.mark("network", addresses.tier(caller.address)).hex()
        if self._geo is None:
            return Net(key)
        asn, country, spot, anonymous = self._geo.look_up(caller.address)
        return Net(key, asn, country, None if spot is None else _cell(spot), anonymous=anonymous)

    async def record(self, tx: Db, user: str, device: str, caller: Caller) -> None:
        """A full login or a refresh, in its transaction."""
        net = self.net_of(caller)
        if net.key:
            await store_places.record(tx, user, device, net, self._parts.now_ms())

    async def judge(self, db: Db, user: str, net: Net, facts: Facts) -> Place:
        """What a network says about somebody who wants this account."""
        now_ms = self._parts.now_ms()
        line_ms = horizon_ms(facts, now_ms)
        visits = await store_places.visits_of(db, user)
        accounts = await store_places.accounts_in(db, net.key, now_ms)
        here = Net(net.key, net.asn, net.country, net.spot, net.anonymous, accounts)
        mature = frozenset(
            device.id for device in facts.devices if is_device_mature(device, facts.policy, line_ms, now_ms)
        )
        if not net.key:
            return Place.NONE
        return place_of(here, visits, facts.devices, horizon_ms=line_ms, now_ms=now_ms, mature=mature)


def _cell(spot: Spot) -> Spot:
    return Spot(
        round(spot.lat / CELL_DEGREES) * CELL_DEGREES, round(spot.lon / CELL_DEGREES) * CELL_DEGREES, spot.radius_km
    )
