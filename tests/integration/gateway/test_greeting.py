"""What a client is told are the limits in force: the settings', and no limit that is on trial."""

from __future__ import annotations

import time

from garita_common.core import tokens
from gateway.greeting import greeting, limits_in_force
from tests.unit.gateway.test_limits import config

CLAIMS = tokens.Claims(
    iss="garita",
    sub="u1",
    aud="chat",
    iat=0,
    nbf=0,
    exp=int(time.time()),
    jti="j",
    client_id="c",
    sid="s",
    did="d",
    name="ana",
)


def test_the_defaults_are_those_of_the_page() -> None:
    """docs/protocol.md §6, number by number."""
    assert limits_in_force(config()) == {
        "frame_bytes": 32768,
        "text_bytes": 8192,
        "chunk_bytes": 65536,
        "file_bytes": 26214400,
        "requests_in_flight": 128,
        "queue_bytes": 524288,
        "rooms": 128,
        "connections": 10,
        "device_connections": 8,
        "send": {"per_s": 2, "burst": 10},
        "device_send": {"per_s": 3, "burst": 15},
        "user_send": {"per_s": 4, "burst": 20},
        "other": {"per_s": 20, "burst": 40},
        "bytes_in": {"per_s": 65536, "burst": 262144},
        "user_bytes_in": {"per_s": 262144, "burst": 1048576},
        "upload_bytes": {"per_s": 8388608, "burst": 8388608},
        "user_upload_bytes": {"per_s": 16777216, "burst": 16777216},
        "operations": {
            "create_room": {"per_s": 0.1, "burst": 20},
            "join": {"per_s": 1, "burst": 40},
            "invite": {"per_s": 0.5, "burst": 30},
            "search": {"per_s": 1, "burst": 10},
            "report": {"per_s": 0.1, "burst": 10},
            "presence": {"per_s": 2, "burst": 40},
            "set_room": {"per_s": 0.2, "burst": 10},
            "audit": {"per_s": 1, "burst": 10},
            "renew": {"per_s": 0.1, "burst": 10},
            "clear": {"per_s": 0.1, "burst": 10},
            "download": {"per_s": 5, "burst": 60},
        },
    }


def test_they_follow_the_settings() -> None:
    """What an operator changes is what is told."""
    told = greeting(config(GARITA_GATEWAY_SEND_BURST="3", GARITA_GATEWAY_OPERATION_RATES="search=2:6"), CLAIMS, "g/1")[
        "limits"
    ]

    assert isinstance(told, dict)
    assert told["send"] == {"per_s": 2, "burst": 3}
    assert told["operations"] == {"search": {"per_s": 2, "burst": 6}}


def test_a_limit_on_trial_is_not_in_force() -> None:
    """So it is not told."""
    on_trial = {"send", "rooms_per_connection", "operation_rates"}
    tried = limits_in_force(config(GARITA_GATEWAY_DRY_RUN=",".join(on_trial)))

    assert limits_in_force(config()).keys() - tried.keys() == {"send", "rooms", "operations"}
