"""detector_service.config: what can be set."""

from __future__ import annotations

from pathlib import Path

import pytest

from detector_service.config import DetectorConfig
from garita_common.config import ConfigError
from garita_common.core.addresses import Loopback

LEAST = {"GARITA_REDIS_URL": "unix:///r.sock", "GARITA_SECRETS_DIR": "/s", "GARITA_DETECTOR_DATABASE": "/d.sqlite3"}


def test_the_least_that_must_be_set_gives_safe_defaults() -> None:
    """Both listeners on loopback, loopback addresses private."""
    config = DetectorConfig.load(LEAST)

    assert (config.operator_host, config.operator_port) == ("127.0.0.1", 8095)
    assert (config.inner_host, config.inner_port) == ("127.0.0.1", 8093)
    assert config.database == Path("/d.sqlite3")
    assert config.loopback is Loopback.PRIVATE


@pytest.mark.parametrize(
    "wrong",
    [
        {"GARITA_DETECTOR_OPERATOR_PORT": "65536"},
        {"GARITA_DETECTOR_MAX_SUBJECTS": "99"},
        {"GARITA_DETECTOR_KEEP_EVENTS_DAYS": "2"},
    ],
)
def test_a_value_past_its_limit_is_refused_by_name(wrong: dict[str, str]) -> None:
    """The sentence names the setting."""
    with pytest.raises(ConfigError, match=next(iter(wrong))):
        DetectorConfig.load(LEAST | wrong)


def test_a_misspelt_setting_is_refused() -> None:
    """A typo must not become a default."""
    with pytest.raises(ConfigError, match="GARITA_DETECTOR_DATABSE"):
        DetectorConfig.load(LEAST | {"GARITA_DETECTOR_DATABSE": "x"})
