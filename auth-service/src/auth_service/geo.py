"""Where an address is, from MaxMind's databases as files: city or country, provider, and whether it is rented or anonymous.

A file that is missing, damaged or of another kind says nothing, and is tried again when it changes; while it is being replaced the old one goes on. Nothing here
can make a request fail: what is not known is no evidence.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import maxminddb
import structlog

from garita_common.core import addresses

from .config import AuthConfig
from .core.recovery.places import Spot
from .metrics import Metrics

log = structlog.get_logger()

EVERY_S: Final = 10.0
"""How late a new file counts."""
FLAGS: Final = (
    "is_anonymous",
    "is_anonymous_proxy",
    "is_anonymous_vpn",
    "is_hosting_provider",
    "is_public_proxy",
    "is_residential_proxy",
    "is_tor_exit_node",
)
BROKEN: Final = (
    maxminddb.InvalidDatabaseError,
    OSError,
    ValueError,
    KeyError,
    TypeError,
    IndexError,
    AttributeError,
    RecursionError,
    UnicodeDecodeError,
    MemoryError,
    OverflowError,
)
"""What the reader raises on bytes that are no database, or only partly one."""
Found = tuple[int | None, str, Spot | None, bool]
Seen = tuple[int, int, int]


@dataclass(slots=True)
class _File:
    """One database. `seen`: inode, size and time of the file that was last tried, None before and where there is none."""

    name: str
    path: Path
    reader: maxminddb.Reader | None = None
    seen: Seen | None = None


class GeoFiles:
    """The databases that the settings name; `run` is its task."""

    def __init__(self, config: AuthConfig, metrics: Metrics, clock: Callable[[], float]) -> None:
        """Reads what is there. Args: clock: Unix seconds."""
        paths = {"city": config.geo_city, "asn": config.geo_asn, "anonymous": config.geo_anonymous}
        self._files = {name: _File(name, path) for name, path in paths.items() if path is not None}
        self._metrics = metrics
        self._clock = clock
        self.refresh()

    async def run(self) -> None:
        """Reads files that have changed, until cancelled."""
        while True:
            await asyncio.to_thread(self.refresh)
            await asyncio.sleep(EVERY_S)

    def refresh(self) -> None:
        """Reads files that have changed."""
        for file in self._files.values():
            self._refresh(file)

    def look_up(self, address: addresses.Address) -> Found:
        """Provider, country by its two letters, place, and whether it is rented or anonymous; None, '' or False where nothing is known."""
        city, asn, anonymous = (self._get(name, address) for name in ("city", "asn", "anonymous"))
        number = asn.get("autonomous_system_number")
        country = _inner(city, "country").get("iso_code")
        return (
            number if isinstance(number, int) else None,
            country if isinstance(country, str) and len(country) == 2 else "",
            _spot(_inner(city, "location")),
            any(anonymous.get(flag) is True or _inner(city, "traits").get(flag) is True for flag in FLAGS),
        )

    def _get(self, name: str, address: addresses.Address) -> dict[str, Any]:
        file = self._files.get(name)
        if file is None or file.reader is None:
            return {}
        try:
            found = file.reader.get(address)
        except BROKEN as exc:
            log.error("geo_unreadable", file=name, error=type(exc).__name__)
            file.reader = None  # a file that is damaged in one place is believed in none, until it is replaced
            return {}
        return found if isinstance(found, dict) else {}

    def _refresh(self, file: _File) -> None:
        try:
            stat = file.path.stat()
            seen: Seen | None = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
        except OSError:
            seen = None
        if seen != file.seen:
            file.seen = seen
            file.reader = self._opened(file) if seen else None
        built_s = file.reader.metadata().build_epoch if file.reader else None
        # Without a database its age is infinite, so that one alert covers old and missing ones.
        age_s = float("inf") if built_s is None else max(0.0, self._clock() - built_s)
        self._metrics.geo_age.labels(file.name).set(age_s)

    def _opened(self, file: _File) -> maxminddb.Reader | None:
        """The whole file in memory: one that is overwritten in place must not change under a reader."""
        try:
            reader = maxminddb.open_database(str(file.path), maxminddb.MODE_MEMORY)
            reader.metadata().build_epoch  # noqa: B018  must be there
        except BROKEN as exc:
            log.error("geo_unreadable", file=file.name, error=type(exc).__name__)
            return None
        log.info("geo_read", file=file.name)
        return reader


def _inner(record: dict[str, Any], name: str) -> dict[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _spot(location: dict[str, Any]) -> Spot | None:
    lat, lon, radius = (location.get(name) for name in ("latitude", "longitude", "accuracy_radius"))
    if not isinstance(lat, int | float) or not isinstance(lon, int | float):
        return None
    if not (-90 <= lat <= 90 and -180 <= lon <= 180):
        return None
    return Spot(float(lat), float(lon), float(radius) if isinstance(radius, int | float) else 0.0)
