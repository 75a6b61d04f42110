"""The blob store as far as the chat service needs it: clearing away what uploads left behind."""

from typing import Protocol

import structlog
from obstore.exceptions import BaseError
from obstore.store import ObjectStore, from_url

from garita_common.config import ConfigError

from .core.uploads import blob_key, parts_prefix

log = structlog.get_logger()


class Blobs(Protocol):
    """What the sweep needs of a blob store."""

    async def clear(self, upload: str) -> None:
        """Deletes every byte of an upload.

        Raises:
            OSError: it could not be done now.
        """


class ObstoreBlobs:
    """The store that GARITA_CHAT_BLOB_URL names."""

    def __init__(self, store: ObjectStore) -> None:
        """Args: store: obstore's own."""
        self._store = store

    async def clear(self, upload: str) -> None:
        """See `Blobs`."""
        keys = [blob_key(upload)]
        try:
            async for found in self._store.list(parts_prefix(upload)):
                keys += [entry["path"] for entry in found]
            for key in keys:
                await self._delete(key)
        except BaseError as exc:
            raise OSError("the blob store does not answer") from exc

    async def _delete(self, key: str) -> None:
        try:
            await self._store.delete_async(key)
        except FileNotFoundError:
            log.debug("blob_already_gone")


def open_blobs(url: str) -> ObstoreBlobs:
    """The blob store of an address.

    Raises:
        ConfigError: the address is none that can be used.
    """
    try:
        if url.startswith("file://"):
            return ObstoreBlobs(from_url(url, mkdir=True))
        return ObstoreBlobs(from_url(url))
    except (BaseError, ValueError, OSError) as exc:
        raise ConfigError("GARITA_CHAT_BLOB_URL names no blob store that can be used.") from exc
