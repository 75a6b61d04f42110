"""auth_service.geo: databases that the test makes, and files that are none."""

from __future__ import annotations

import ipaddress
import os
from pathlib import Path

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from prometheus_client import CollectorRegistry

from auth_service.config import AuthConfig
from auth_service.core.recovery.places import Spot
from auth_service.geo import GeoFiles
from auth_service.metrics import Metrics
from tests.integration.auth_service.conftest import Clock, World, Worlds, environment

HERE = ipaddress.ip_address("203.0.113.7")
MADRID = {
    "country": {"iso_code": "ES"},
    "location": {"latitude": 40.4, "longitude": -3.7, "accuracy_radius": 20},
}
NOTHING = (None, "", None, False)


def write(path: Path, record: dict[str, object]) -> Path:
    """A database that knows one network."""
    writer = MMDBWriter(4, "GeoIP2-City", languages=["en"])
    writer.insert_network(IPSet(["203.0.113.0/24"]), record)
    draft = path.with_suffix(".new")
    writer.to_db_file(str(draft))
    draft.replace(path)
    return path


def files(tmp_path: Path, **settings: str) -> tuple[GeoFiles, CollectorRegistry]:
    """The service's own reader."""
    config = AuthConfig.load(environment(tmp_path, "redis://127.0.0.1:1", **settings))
    registry = CollectorRegistry()
    return GeoFiles(config, Metrics(registry), Clock(4_000_000_000.0)), registry


def test_what_the_databases_know_is_told(tmp_path: Path) -> None:
    """Country, place, provider and whether it is rented; an address that is in none is nowhere."""
    settings = {
        "GEO_CITY": str(write(tmp_path / "city.mmdb", MADRID)),
        "GEO_ASN": str(write(tmp_path / "asn.mmdb", {"autonomous_system_number": 64500})),
        "GEO_ANONYMOUS": str(write(tmp_path / "anonymous.mmdb", {"is_hosting_provider": True})),
    }
    geo, registry = files(tmp_path, **settings)

    number, country, spot, anonymous = geo.look_up(HERE)
    assert (number, country, anonymous) == (64500, "ES", True)
    assert spot is not None and (spot.lat, spot.lon, spot.radius_km) == pytest.approx((40.4, -3.7, 20))
    assert geo.look_up(ipaddress.ip_address("198.51.100.1")) == NOTHING
    assert geo.look_up(ipaddress.ip_address("2001:db8::1")) == NOTHING
    age_s = registry.get_sample_value("auth_geo_db_age_seconds", {"file": "city"})
    assert age_s is not None and 0 < age_s < 4_000_000_000


@pytest.mark.parametrize(
    "record",
    [
        {"location": {"latitude": 400.0, "longitude": 0.0}, "country": {"iso_code": "Spain"}},
        {"location": "here", "country": ["ES"]},
        {"location": {"latitude": "40", "longitude": "3"}},
    ],
)
def test_records_of_another_kind_say_nothing(tmp_path: Path, record: dict[str, object]) -> None:
    """A database of something else."""
    geo, _ = files(tmp_path, GEO_CITY=str(write(tmp_path / "city.mmdb", record)))

    assert geo.look_up(HERE) == NOTHING


def test_abuse_55_a_missing_or_damaged_file_is_no_evidence(tmp_path: Path) -> None:
    """Cut off anywhere or with bytes turned over: never more than the file knew, never an error; and the metric tells."""
    path = tmp_path / "city.mmdb"
    geo, registry = files(tmp_path, GEO_CITY=str(path))
    assert geo.look_up(HERE) == NOTHING
    assert registry.get_sample_value("auth_geo_db_age_seconds", {"file": "city"}) == float("inf")

    whole = write(path, MADRID).read_bytes()
    damaged = [whole[:length] for length in range(0, len(whole), 37)]
    damaged += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(0, len(whole), 13)]
    for content in damaged:
        path.write_bytes(content)
        geo, _ = files(tmp_path, GEO_CITY=str(path))
        number, country, spot, anonymous = geo.look_up(HERE)
        assert (number, anonymous) == (None, False)
        assert len(country) in {0, 2}
        assert spot is None or isinstance(spot, Spot)


async def test_a_new_file_counts_and_a_removed_one_does_not(tmp_path: Path) -> None:
    """Without a restart."""
    path = tmp_path / "city.mmdb"
    geo, _ = files(tmp_path, GEO_CITY=str(path))
    write(path, MADRID)
    geo.refresh()
    assert geo.look_up(HERE)[1] == "ES"

    write(path, MADRID | {"country": {"iso_code": "PT"}})
    os.utime(path, (1, 1))
    geo.refresh()
    assert geo.look_up(HERE)[1] == "PT"

    path.unlink()
    geo.refresh()
    assert geo.look_up(HERE) == NOTHING


async def test_abuse_55_the_service_works_with_files_that_are_none(worlds: Worlds, tmp_path: Path) -> None:
    """It starts, people register and log in, and the metric tells."""
    (tmp_path / "bad.mmdb").write_bytes(os.urandom(4096))
    async with worlds(GEO_CITY=str(tmp_path / "bad.mmdb"), GEO_ASN=str(tmp_path / "none.mmdb")) as world:
        person = await world.register()
        assert (await world.log_in(person)).status == 200
        assert await _ages(world) == [float("inf")] * 2


async def _ages(world: World) -> list[float]:
    return [await world.metric(f'auth_geo_db_age_seconds{{file="{name}"}}') for name in ("city", "asn")]
