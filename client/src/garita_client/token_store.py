"""Where the login is kept between runs: one JSON file that only its owner can read.

The file is replaced as a whole, and a lock beside it makes sure that only one process at a time refreshes a session: a refresh token that
is used twice ends it (docs/auth-api.md §5).
"""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec import Struct

from .core.errors import GaritaError


class BadStore(GaritaError):
    """A file that holds no login."""


class Login(Struct, frozen=True):
    """What it takes to go on with a session; `device` outlives it."""

    server: str
    user: str
    name: str
    refresh_token: str | None
    device: str | None
    session: str | None = None


def default_path() -> Path:
    """`$XDG_CONFIG_HOME/garita/login.json`, by default below `~/.config`."""
    base = os.environ.get("XDG_CONFIG_HOME")
    return (Path(base) if base else Path.home() / ".config") / "garita" / "login.json"


class TokenStore:
    """One login in one file."""

    def __init__(self, path: Path) -> None:
        """Args: path: made at the first `save`, with its folder."""
        self.path = path

    def load(self) -> Login | None:
        """What was saved, None if nothing was.

        Raises:
            BadStore: the file is something else.
        """
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Login)
        except FileNotFoundError:
            return None
        except (msgspec.MsgspecError, UnicodeDecodeError, OSError) as exc:
            raise BadStore(f"{self.path} cannot be read as a saved login. Remove it and log in again.") from exc

    def save(self, login: Login) -> None:
        """Replaces what was there; on return it is on the disk."""
        self._make_folder()
        handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".login-")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(msgspec.json.format(msgspec.json.encode(login)))
                file.flush()
                os.fsync(file.fileno())
            Path(name).replace(self.path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Waits until no other process is between reading and saving. Blocks: call it in a thread."""
        self._make_folder()
        with self.path.with_suffix(".lock").open("w") as lock:
            os.fchmod(lock.fileno(), 0o600)
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _make_folder(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)


class MemoryStore:
    """A login that ends with the program, for programs with many accounts and for tests."""

    def __init__(self, login: Login | None = None) -> None:
        """Args: login: to begin with."""
        self._login = login

    def load(self) -> Login | None:
        """See TokenStore."""
        return self._login

    def save(self, login: Login) -> None:
        """See TokenStore."""
        self._login = login

    @contextmanager
    def locked(self) -> Iterator[None]:
        """See TokenStore."""
        yield
