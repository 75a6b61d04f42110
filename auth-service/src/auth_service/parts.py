"""What the parts of the service share: the store, keys, clock, chance and counters, made once by `app`."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from garita_common.core import addresses

from .config import AuthConfig
from .core.sealing import NONCE_BYTES, Seals
from .metrics import Metrics
from .store import Store

SECRET_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Parts:
    """Shared parts. `clock` gives Unix seconds, `entropy` random bytes."""

    config: AuthConfig
    store: Store
    seals: Seals
    metrics: Metrics
    clock: Callable[[], float]
    entropy: Callable[[int], bytes]

    def now_ms(self) -> int:
        """The time in Unix milliseconds."""
        return int(self.clock() * 1000)

    def new_id(self) -> str:
        """A random id of 32 hexadecimal digits."""
        return self.entropy(16).hex()

    def new_secret(self) -> bytes:
        """A random secret of 256 bits."""
        return self.entropy(SECRET_BYTES)

    def seal(self, purpose: str, row: str, plain: bytes) -> bytes:
        """`Seals.seal` with a fresh nonce."""
        return self.seals.seal(purpose, row, plain, self.entropy(NONCE_BYTES))

    def random_below(self, bound: int) -> int:
        """A uniformly random number from 0 to `bound` - 1."""
        bits = (bound - 1).bit_length()
        while True:
            number = int.from_bytes(self.entropy((bits + 7) // 8), "big") & ((1 << bits) - 1)
            if number < bound:
                return number


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, as the edge has found out. `counted`: limits and bans per address apply. `web`: browser mode."""

    address: addresses.Address
    counted: bool
    web: bool
    label: str
    request_id: str
    device_cookie: str | None = None
    refresh_cookie: str | None = None
    browser_cookie: str | None = None

    @property
    def unit(self) -> str:
        """The address unit that limits are counted on."""
        return addresses.unit(self.address)

    @property
    def client_id(self) -> str:
        """What kind of client this is, for the session's list and the token."""
        return "web" if self.web else "native"


def entropy_of_system(count: int) -> bytes:
    """Random bytes of the operating system."""
    return secrets.token_bytes(count)
