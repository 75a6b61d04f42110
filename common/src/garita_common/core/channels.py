"""Names in Redis: every channel, stream, hash and key prefix that more than one service uses (docs/architecture.md §5)."""

from zlib import crc32

SHARDS = 64

ACTIVITY_KEY_STREAM = "activity:key"
ACTIVITY_STREAM = "activity"
ACTIVITY_GROUP = "detector"
ACTIVITY_MAXLEN = 1_000_000

BANS_HASH = "bans"
BANS_GENERATION = "bans:generation"
BAN_PUSH = "ban:push"

GATEWAYS_ALIVE = "gw:alive"
"""Sorted set: gateway id → Unix milliseconds of its last heartbeat. An id is random per process start, so it is the epoch of all that a node left behind."""

REVOKED_CHANNEL = "auth:revoked"
REVOKED_SET = "auth:revoked:recent"
REVOKED_KEEP_S = 330


def shard_of(key: str) -> int:
    """The shard of a room or, for what belongs to no room, of a user: 0 … 63."""
    return crc32(key.encode()) % SHARDS


def shard_in(shard: int) -> str:
    """Where gateways publish command batches for a shard."""
    return f"chat:in:{shard}"


def gateway(gateway_id: str) -> str:
    """Where one gateway process hears its replies."""
    return f"gw:{gateway_id}"


def room(room_id: str) -> str:
    """Where a room's events are published."""
    return f"room:{room_id}"


def user(user_id: str) -> str:
    """Where what concerns one user, wherever connected, is published."""
    return f"user:{user_id}"


def peer(gateway_id: str) -> str:
    """Where one gateway process hears the others: that a connection of its own has to make room for a newer one."""
    return f"peer:{gateway_id}"


def presence(gateway_id: str) -> str:
    """Set of the users who are connected to one gateway process; it counts while that id is alive in `GATEWAYS_ALIVE`."""
    return f"presence:{gateway_id}"


def shared_limit(limit: str, subject: str) -> str:
    """A token bucket that all gateways share, of one limit and one user or device."""
    return f"glim:{limit}:{subject}"
