"""The proof of work that a registration needs (docs/auth-api.md §3). Takes 0.1 to 0.5 s of one core: run it in a thread."""

import hashlib
import struct
from typing import Any

from .errors import GaritaError

MAX_COUNTER = 1_000
MAX_COST = 200_000


class Unsolvable(GaritaError):
    """A challenge that has no solution, is of another kind, or asks for far too much."""


def solve(params: dict[str, Any]) -> dict[str, Any]:
    """The field `captcha` for a challenge's `params`.

    Raises:
        Unsolvable: no counter fits, or the challenge is not of the documented kind.
    """
    try:
        wanted = params["parameters"]
        nonce, salt = bytes.fromhex(wanted["nonce"]), bytes.fromhex(wanted["salt"])
        prefix, cost, length = bytes.fromhex(wanted["keyPrefix"]), int(wanted["cost"]), int(wanted["keyLength"])
        algorithm = str(wanted["algorithm"])
    except (KeyError, TypeError, ValueError) as exc:
        raise Unsolvable("The server's challenge is not of a kind that this client knows.") from exc
    if algorithm != "PBKDF2/SHA-256" or not 0 < cost <= MAX_COST:
        raise Unsolvable("The server's challenge is not of a kind that this client knows.")
    for counter in range(MAX_COUNTER):
        key = hashlib.pbkdf2_hmac("sha256", nonce + struct.pack(">I", counter), salt, cost, length)
        if key.startswith(prefix):
            return {"challenge": params, "solution": {"counter": counter, "derivedKey": key.hex()}}
    raise Unsolvable("The server's challenge has no solution.")
