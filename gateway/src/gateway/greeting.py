"""What a client is told about itself and its limits when it has connected."""

from garita_common.core.buckets import Rate
from garita_common.core.tokens import Claims
from garita_common.core.wire import CHUNK_DATA_BYTES

from .config import GatewayConfig

TEXT_BYTES = 8 * 1024
"""What the type of a message's text allows, as UTF-8."""


def greeting(config: GatewayConfig, claims: Claims, connection: str) -> dict[str, object]:
    """The answer to `connect` but for the rooms."""
    return {
        "session": claims.sid,
        "connection": connection,
        "user": {"id": claims.sub, "name": claims.name},
        "expires": claims.exp * 1000,
        "ping_interval_ms": int(config.ping_interval_s * 1000),
        "limits": limits_in_force(config),
    }


def limits_in_force(config: GatewayConfig) -> dict[str, object]:
    """The numbers that a client can keep to; those of limits on trial are not among them."""
    session, user = config.session_limits, config.user_limits(config.limiter_keys)
    rates = {
        "send": session.send,
        "device_send": user.device_send,
        "user_send": config.share_limits.send,
        "other": session.other,
        "bytes_in": session.bytes_in,
        "user_bytes_in": user.bytes_in,
        "upload_bytes": session.upload_bytes,
        "user_upload_bytes": user.upload_bytes,
    }
    counts = {
        "rooms": ("rooms_per_connection", config.rooms_per_connection),
        "connections": ("connections_per_user", config.connections_per_user),
        "device_connections": ("connections_per_device", config.connections_per_device),
    }
    told: dict[str, object] = {
        "frame_bytes": config.text_bytes,
        "text_bytes": TEXT_BYTES,
        "chunk_bytes": CHUNK_DATA_BYTES,
        "file_bytes": config.file_bytes,
        "requests_in_flight": config.requests_in_flight,
        "queue_bytes": config.queue_bytes,
    }
    told |= {name: _rate(rate) for name, rate in rates.items() if name not in config.on_trial}
    told |= {name: count for name, (limit, count) in counts.items() if limit not in config.on_trial}
    if "operation_rates" not in config.on_trial:
        told["operations"] = {str(kind.__struct_config__.tag): _rate(rate) for kind, rate in user.operations.items()}
    return told


def _rate(rate: Rate) -> dict[str, float]:
    return {"per_s": rate.rate_per_s, "burst": rate.burst}
