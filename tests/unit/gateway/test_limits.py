"""The limits' defaults are those of docs/protocol.md §6."""

from pathlib import Path

from garita_common.core.buckets import Rate
from gateway.config import GatewayConfig

KIB = 1024


def config(**changes: str) -> GatewayConfig:
    """The defaults, but for what has none."""
    return GatewayConfig.load(
        {
            "GARITA_REDIS_URL": "unix:///nowhere",
            "GARITA_SECRETS_DIR": str(Path("/nowhere")),
            "GARITA_GATEWAY_BLOB_URL": "file:///nowhere",
            **changes,
        }
    )


def test_admission_has_the_documented_numbers() -> None:
    """Connections per node, address and prefix; attempts and their steady rate."""
    limits = config().admission_limits

    assert (limits.connections, limits.connections_per_unit, limits.connections_per_tier) == (10_000, 16, 256)
    assert limits.attempts_per_node == Rate(200, 400)
    assert limits.attempts_per_unit == Rate(32 / 600, 32)
    assert limits.table_keys == 200_000


def test_a_session_has_the_documented_numbers() -> None:
    """Sizes, rates, deadlines."""
    limits = config().session_limits

    assert (limits.connect_timeout_s, limits.connect_frames) == (10, 8)
    assert (limits.connect_bytes, limits.early_bytes, limits.text_bytes, limits.chunk_bytes) == (
        16 * KIB,
        4 * KIB,
        32 * KIB,
        64 * KIB,
    )
    assert (limits.send, limits.other) == (Rate(2, 10), Rate(20, 40))
    assert (limits.bytes_in, limits.upload_bytes.rate_per_s) == (Rate(64 * KIB, 256 * KIB), 8 * KIB * KIB)
    assert (limits.errors, limits.errors_window_s) == (20, 5)
    assert (limits.ping_interval_s, limits.pong_timeout_s) == (25, 10)


def test_every_limit_has_a_sentence() -> None:
    """Each setting says what it is and why."""
    described = {name: field.description for name, field in GatewayConfig.model_fields.items()}

    assert all(text and len(text) > 20 for name, text in described.items() if name != "mode"), described
