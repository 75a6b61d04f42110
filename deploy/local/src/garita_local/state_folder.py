"""Makes the state folder ready: private folders, room on the disk, and one launcher at a time.

The lock is an flock on an open file, so that it goes with the process, however that ends.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from garita_local.layout import Layout
from garita_local.troubles import CannotStart

# Redis rewrites its log beside the old one and SQLite its journal beside the data: with less than this a start would
# work and the first busy minute would not.
MIN_FREE_BYTES = 64 * 1024 * 1024


def make_folders(layout: Layout) -> None:
    """Make every folder, readable by this user only.

    Raises: CannotStart when the place cannot be written.
    """
    for folder in layout.folders():
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as exc:
            raise cannot_write(folder, exc) from exc
    layout.root.chmod(0o700)


def check_room(root: Path, free_bytes: int | None = None) -> None:
    """Refuse a disk that is about full; `free_bytes` is measured unless given.

    Raises: CannotStart when less than MIN_FREE_BYTES are left or nothing can be written.
    """
    free = shutil.disk_usage(root).free if free_bytes is None else free_bytes
    if free < MIN_FREE_BYTES:
        raise CannotStart(
            f"the disk that holds {root} has only {free // 2**20} MiB left and at least {MIN_FREE_BYTES // 2**20} MiB "
            "are needed; free some space or choose another folder with STATE=."
        )
    probe = root / ".probe"
    try:
        probe.write_bytes(b"garita")
        probe.unlink()
    except OSError as exc:
        raise cannot_write(root, exc) from exc


def cannot_write(place: Path, exc: OSError) -> CannotStart:
    """The sentence for a folder or file that cannot be written, with the system's reason."""
    if exc.errno == errno.ENOSPC:
        return CannotStart(
            f"the disk that holds {place} is full; free some space or choose another folder with STATE=."
        )
    reason = os.strerror(exc.errno) if exc.errno else str(exc)
    return CannotStart(f"{place} cannot be written ({reason}); mend that or choose another folder with STATE=.")


@contextmanager
def locked(layout: Layout) -> Iterator[None]:
    """Hold the state folder for this launcher alone.

    Raises: CannotStart when another launcher holds it.
    """
    try:
        descriptor = os.open(layout.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise cannot_write(layout.lock_file, exc) from exc
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
            raise CannotStart(
                f"another garita (process {holder}) already runs on {layout.root}; stop it first or choose another "
                "folder with STATE=."
            ) from exc
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def write_private(path: Path, text: str) -> None:
    """Put `text` into a file of mode 0600 at once: a reader sees the old text or the new, never a part.

    Raises: CannotStart when the disk does not take it.
    """
    draft = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as exc:
        raise cannot_write(path, exc) from exc
