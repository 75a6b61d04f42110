"""The auth service's public keys: fetched at the start and every few minutes, and kept when a fetch fails.

A token with an unknown key never causes a fetch: a stranger must not be able to make this gateway call another service.
"""

import asyncio
from collections.abc import Callable

import aiohttp
import structlog

from garita_common.core.tokens import Keyring

log = structlog.get_logger()

PATH = "/v1/auth/.well-known/jwks.json"
MAX_BYTES = 64 * 1024
RETRY_S = (0.2, 5.0)


class KeyFeed:
    """Keeps a keyring up to date; `run` is its one task."""

    def __init__(self, auth_url: str, on_keys: Callable[[Keyring], None], *, every_s: float, timeout_s: float) -> None:
        """Args: auth_url: the auth service's base address; timeout_s: for one fetch."""
        self._url = auth_url.rstrip("/") + PATH
        self._on_keys = on_keys
        self._every_s = every_s
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)

    async def run(self) -> None:
        """Fetches until cancelled: soon again after a failure, at leisure after a success."""
        delay_s = RETRY_S[0]
        async with aiohttp.ClientSession(timeout=self._timeout) as session:
            while True:
                try:
                    self._on_keys(await self._fetch(session))
                    delay_s = RETRY_S[0]
                    await asyncio.sleep(self._every_s)
                except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as exc:
                    if delay_s >= RETRY_S[1]:
                        log.warning("keys_not_fetched", error=type(exc).__name__)
                    await asyncio.sleep(delay_s)
                    delay_s = min(delay_s * 2, RETRY_S[1])

    async def _fetch(self, session: aiohttp.ClientSession) -> Keyring:
        async with session.get(self._url, allow_redirects=False) as answer:
            if answer.status != 200:
                raise ValueError(f"the key set was answered with status {answer.status}")
            data = await answer.content.read(MAX_BYTES)
        keyring = Keyring.parse(data)
        if not len(keyring):
            raise ValueError("the key set is empty")
        return keyring
