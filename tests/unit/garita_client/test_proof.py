"""The proof of work."""

import hashlib
import struct
from typing import Any

import pytest

from garita_client.core.proof import Unsolvable, solve


def challenge(counter: int, **changes: Any) -> dict[str, Any]:
    key = hashlib.pbkdf2_hmac("sha256", b"\x01" * 16 + struct.pack(">I", counter), b"\x02" * 16, 2, 32)
    wanted = {
        "algorithm": "PBKDF2/SHA-256", "cost": 2, "keyLength": 32, "keyPrefix": key[:16].hex(),
        "nonce": "01" * 16, "salt": "02" * 16,
    }  # fmt: skip
    return {"parameters": wanted | changes, "signature": "s"}


def test_counter_is_found() -> None:
    """The one counter that fits, with its key, beside the challenge as it came."""
    params = challenge(321)

    solved = solve(params)

    assert solved["challenge"] is params
    assert solved["solution"]["counter"] == 321
    assert solved["solution"]["derivedKey"].startswith(params["parameters"]["keyPrefix"])


@pytest.mark.parametrize("changes", [{"keyPrefix": "00" * 16}, {"cost": 10**9}, {"algorithm": "SCRYPT"}, {"nonce": 5}])
def test_hopeless_is_refused(changes: dict[str, Any]) -> None:
    """No solution, far too much work, another kind, or nonsense: a sentence, not a loop."""
    with pytest.raises(Unsolvable):
        solve(challenge(3, **changes))


def test_empty_is_refused() -> None:
    """A challenge without parameters."""
    with pytest.raises(Unsolvable):
        solve({})
