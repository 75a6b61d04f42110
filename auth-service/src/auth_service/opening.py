"""What the service finds when it starts: its database and its signing keys; what is wrong with them is said as a setting that is."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from garita_common.config import ConfigError

from . import keys
from .audit import Audit
from .config import AuthConfig
from .keys import KeysUnreadable, Signer
from .parts import Parts
from .store import SchemaTooNew, Store, opened


@asynccontextmanager
async def database(config: AuthConfig) -> AsyncIterator[Store]:
    """The open database.

    Raises:
        ConfigError: it cannot be used.
    """
    async with AsyncExitStack() as stack:
        try:
            store = await stack.enter_async_context(opened(config.database))
        except SchemaTooNew as exc:
            raise ConfigError(str(exc)) from exc
        except (sqlite3.Error, OSError) as exc:
            raise ConfigError(f"GARITA_AUTH_DATABASE: {config.database} cannot be used: {exc}.") from exc
        yield store


async def signer_of(parts: Parts, audit: Audit) -> Signer:
    """The signing keys.

    Raises:
        ConfigError: they were sealed with another key.
    """
    try:
        return await keys.load(parts, audit)
    except KeysUnreadable as exc:
        raise ConfigError("The secret auth_data_key is not the one that the account database was made with.") from exc
