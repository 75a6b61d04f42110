"""The gateway processes of one host, by a folder in which each keeps its counts in a file that all map into memory.

A file belongs to the process that holds its lock, so the kernel itself tells who is gone, kill -9 included: whoever then gets the lock removes the file.
Files come into the folder locked and whole. The folder is looked through once a second and when it has changed; in between a count costs a few reads of
memory per process. The
hash is keyed, so nobody can choose addresses that fall into one place.
"""

import fcntl
import hashlib
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from garita_common.config import ConfigError, Secret

from .core.counts import Table

log = structlog.get_logger()

_MAGIC = int.from_bytes(b"GARITA\x00\x01", "big")
_HEADER_CELLS = 2
_CELL_BYTES = 8
_SUFFIX = ".counts"


@dataclass(frozen=True, slots=True)
class _Neighbour:
    file: int
    table: Table


class HostCounts:
    """This process's table, and those beside it."""

    def __init__(self, folder: Path, key: Secret, connections: int) -> None:
        """Args: key: the same for all processes; connections: of one process, which take two keys each."""
        self._folder = folder
        self._key = hashlib.sha256(key.bytes()).digest()
        self._places = 1 << (4 * connections - 1).bit_length()
        self._name = f"{os.getpid()}-{os.urandom(4).hex()}{_SUFFIX}"
        self._own: Table | None = None
        self._looked_ns = 0
        self._others: dict[str, _Neighbour] = {}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Takes part while the block runs.

        Raises:
            ConfigError: the folder cannot be used.
        """
        try:
            file = self._create()
        except OSError as exc:
            raise ConfigError(
                f"GARITA_GATEWAY_SHARED_COUNTS must be a folder that the gateway may write to: {exc.strerror}."
            ) from exc
        try:
            self.look()
            yield
        finally:
            (self._folder / self._name).unlink(missing_ok=True)
            os.close(file)
            for name in list(self._others):
                self._forget(name)

    @property
    def processes(self) -> int:
        """How many processes share the host, this one included."""
        return 1 + len(self._others)

    def elsewhere(self, key: str) -> int:
        """How many connections the others hold of a key; somebody who has just come is found by the folder's time."""
        if self._has_changed():
            self.look()
        if not self._others:
            return 0
        number = self._hash(key)
        return sum(other.table.count(number) for other in self._others.values())

    def publish(self, key: str, count: int) -> None:
        """This process now holds `count` of a key."""
        if self._own is not None:
            self._own.set(self._hash(key), count)

    def look(self) -> None:
        """Finds out who has come and who has gone."""
        self._looked_ns = self._folder.stat().st_mtime_ns
        names = {path.name for path in self._folder.glob("*" + _SUFFIX)} - {self._name}
        for name in self._others.keys() - names:
            self._forget(name)
        for name in names:
            try:
                self._look_at(name)
            except OSError:
                self._forget(name)  # it went between the listing and now

    def _has_changed(self) -> bool:
        """Whether somebody came or went; a folder that is gone tells nothing, and who was known stays known."""
        try:
            return self._folder.stat().st_mtime_ns != self._looked_ns
        except OSError:
            return False

    def _look_at(self, name: str) -> None:
        held = self._others.get(name)
        file = held.file if held is not None else os.open(self._folder / name, os.O_RDONLY)
        if _is_dead(file):
            (self._folder / name).unlink(missing_ok=True)
            if held is None:
                os.close(file)
            else:
                self._forget(name)
            log.info("neighbour_gone")
        elif held is None:
            table = _mapped(file, mmap.ACCESS_READ)
            if table is None:
                os.close(file)
                log.error("neighbour_unreadable")
            else:
                self._others[name] = _Neighbour(file, table)

    def _forget(self, name: str) -> None:
        held = self._others.pop(name, None)
        if held is not None:
            os.close(held.file)

    def _create(self) -> int:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._folder / (self._name + ".new")
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(file, (_HEADER_CELLS + 2 * self._places) * _CELL_BYTES)
        os.pwrite(file, _MAGIC.to_bytes(8, "little") + self._places.to_bytes(8, "little"), 0)
        self._own = _mapped(file, mmap.ACCESS_WRITE)
        path.rename(self._folder / self._name)
        return file

    def _hash(self, key: str) -> int:
        return int.from_bytes(hashlib.blake2b(key.encode(), key=self._key, digest_size=8).digest(), "big") or 1


def _is_dead(file: int) -> bool:
    """Whether nobody holds the file's lock but us, who look."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _mapped(file: int, access: int) -> Table | None:
    """A file's table; None where it is none of this version."""
    size = os.fstat(file).st_size
    if size < _HEADER_CELLS * _CELL_BYTES or size % _CELL_BYTES:
        return None
    cells = memoryview(mmap.mmap(file, size, access=access)).cast("Q")
    if cells[0] != _MAGIC or len(cells) != _HEADER_CELLS + 2 * cells[1]:
        return None
    return Table(cells[_HEADER_CELLS:])
