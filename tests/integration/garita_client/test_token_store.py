"""Where a login is kept."""

import stat
import threading
from pathlib import Path

import pytest

from garita_client.token_store import BadStore, Login, TokenStore

LOGIN = Login("http://127.0.0.1:8080", "u1", "ana", "rt1.x", "dv1.x", "s1")


def test_login_comes_back_and_is_private(tmp_path: Path) -> None:
    """What was saved is read again; nobody else may read it."""
    store = TokenStore(tmp_path / "garita" / "login.json")
    assert store.load() is None

    store.save(LOGIN)

    assert store.load() == LOGIN
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(store.path.parent.stat().st_mode) == 0o700
    assert [path.name for path in store.path.parent.iterdir()] == ["login.json"]


def test_other_files_are_refused(tmp_path: Path) -> None:
    """A broken file is told with what to do."""
    path = tmp_path / "login.json"
    path.write_text("{")

    with pytest.raises(BadStore, match="log in again"):
        TokenStore(path).load()


def test_lock_lets_one_in(tmp_path: Path) -> None:
    """Another holder waits until the first has finished."""
    store, entered = TokenStore(tmp_path / "login.json"), threading.Event()

    def enter() -> None:
        with TokenStore(store.path).locked():
            entered.set()

    other = threading.Thread(target=enter)
    with store.locked():
        other.start()
        assert not entered.wait(0.1)
    assert entered.wait(10)
    other.join(10)
