"""The blob store as uploads and downloads need it: parts that are created once, one blob made of them, and ranges of it.

Two gateways may do all of this at the same time for the same upload. A part is created, never written over; a blob appears whole or not at all; whoever finds
something deleted by the other goes on. Every call has a deadline and fails with one of `STORE_ERRORS`.
"""

import asyncio
import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import LocalStore, ObjectStore

from .core.transfers import Part, blob_key, contiguous, folder, part_key, part_of

STORE_ERRORS: Final = (OSError, BaseError)
"""Whatever the store answers with when it cannot; deadlines are among them (TimeoutError is an OSError)."""
ASSEMBLY_BYTES: Final = 5 * 1024 * 1024
"""Object stores take no smaller piece of a multi-part object."""
ASSEMBLIES: Final = 2
"""Files put together at the same time: each may hold two such pieces."""
HASH_BYTES: Final = 64 * 1024
"""Hashed between two turns of the loop: about 0.1 ms."""
DELETE_TRIES: Final = 3


def open_store(url: str) -> ObjectStore:
    """The blob store at an address; a folder (`file:///…`) is made when it is not there, and emptied folders are removed."""
    if url.startswith("file:"):
        return obstore.store.from_url(url, mkdir=True, automatic_cleanup=True)
    return obstore.store.from_url(url)


class Blobs:
    """Parts and files of the whole stack."""

    def __init__(self, store: ObjectStore, timeout_s: float) -> None:
        """Args: timeout_s: for one call to the store; an assembly and a deletion have ten times that."""
        self._store = store
        self._timeout_s = timeout_s
        self._assemblies = asyncio.Semaphore(ASSEMBLIES)

    async def found(self, upload: str) -> list[Part]:
        """What there is of an upload from its beginning on; an assembled blob counts as one part."""
        async with asyncio.timeout(self._timeout_s):
            with suppress(FileNotFoundError):
                return [Part(0, (await obstore.head_async(self._store, blob_key(upload)))["size"])]
            return contiguous(await self._parts(upload))

    async def create_part(self, upload: str, offset: int, data: bytes) -> bool:
        """Stores a part; false if there is one at that offset already."""
        async with asyncio.timeout(self._timeout_s):
            try:
                await obstore.put_async(self._store, part_key(upload, offset), data, mode="create", use_multipart=False)
            except AlreadyExistsError:
                return False
            return True

    async def assemble(self, upload: str) -> tuple[int, str]:
        """Makes one blob of the parts and deletes them; returns its size and SHA-256 (hex). Where the blob is there already it is read again."""
        async with asyncio.timeout(10 * self._timeout_s), self._assemblies:
            try:
                result = await self._read(upload)
            except FileNotFoundError:
                try:
                    result = await self._join(upload)
                except FileNotFoundError:  # another process was quicker and has deleted the parts
                    result = await self._read(upload)
            await self._delete_parts(upload)
            return result

    async def delete(self, upload: str) -> None:
        """Deletes all that there is of an upload: parts, blob, and what a process that was killed has left half written."""
        async with asyncio.timeout(10 * self._timeout_s):
            await self._delete_parts(upload)
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, blob_key(upload))
            if isinstance(self._store, LocalStore) and self._store.prefix is not None:
                await asyncio.to_thread(_delete_staged, Path(self._store.prefix), upload)

    async def read(self, key: str, start: int, length: int) -> memoryview:
        """A range of a blob.

        Raises:
            FileNotFoundError: there is no such blob, or it is shorter.
        """
        async with asyncio.timeout(self._timeout_s):
            data = memoryview(await obstore.get_range_async(self._store, key, start=start, length=length))
        if len(data) != length:
            raise FileNotFoundError
        return data

    async def _parts(self, upload: str) -> list[Part]:
        listed = await obstore.list(self._store, folder(upload)).collect_async()
        found = (part_of(meta["path"], meta["size"]) for meta in listed)
        return [part for part in found if part is not None]

    async def _join(self, upload: str) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0
        async with obstore.open_writer_async(
            self._store, blob_key(upload), buffer_size=ASSEMBLY_BYTES, max_concurrency=1
        ) as writer:
            for part in contiguous(await self._parts(upload)):
                found = await obstore.get_async(self._store, part_key(upload, part.offset))
                data = await found.bytes_async()
                await _hash(digest, memoryview(data))
                size += len(data)
                await writer.write(data)
        return size, digest.hexdigest()

    async def _read(self, upload: str) -> tuple[int, str]:
        digest = hashlib.sha256()
        size = 0
        found = await obstore.get_async(self._store, blob_key(upload))
        async for data in found.stream(min_chunk_size=HASH_BYTES):
            await _hash(digest, memoryview(data))
            size += len(data)
        return size, digest.hexdigest()

    async def _delete_parts(self, upload: str) -> None:
        """Deletes the parts; another process may be doing the same."""
        for _ in range(DELETE_TRIES):
            keys = [part_key(upload, part.offset) for part in await self._parts(upload)]
            if not keys:
                return
            with suppress(FileNotFoundError):
                await obstore.delete_async(self._store, keys)


async def _hash(digest: "hashlib._Hash", data: memoryview) -> None:
    for start in range(0, len(data), HASH_BYTES):
        digest.update(data[start : start + HASH_BYTES])
        await asyncio.sleep(0)


def _delete_staged(root: Path, upload: str) -> None:
    """The local store writes beside the final name, with `#` and a number after it, and lists no such file."""
    for pattern in (f"{blob_key(upload)}#*", f"{folder(upload)}/*#*"):
        for path in root.glob(pattern):
            path.unlink(missing_ok=True)
    with suppress(OSError):
        (root / folder(upload)).rmdir()
