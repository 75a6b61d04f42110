"""The state folder: private, with room, and for one launcher at a time."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from garita_local import state_folder
from garita_local.layout import Layout
from garita_local.state_folder import MIN_FREE_BYTES
from garita_local.troubles import CannotStart


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "var")
    state_folder.make_folders(made)
    return made


def test_folders_are_for_this_user_only(layout: Layout) -> None:
    """Every folder has mode 0700."""
    assert {folder.stat().st_mode & 0o777 for folder in layout.folders()} == {0o700}


def test_a_place_that_cannot_be_a_folder_is_said_in_one_sentence(tmp_path: Path) -> None:
    """A file where the state folder should be."""
    (tmp_path / "var").write_text("in the way")

    with pytest.raises(CannotStart, match=r"cannot be written.*STATE="):
        state_folder.make_folders(Layout(tmp_path / "var"))


def test_room_is_checked_at_the_limit_and_one_byte_below(layout: Layout) -> None:
    """Exactly enough is enough."""
    state_folder.check_room(layout.root, free_bytes=MIN_FREE_BYTES)

    with pytest.raises(CannotStart, match="MiB left"):
        state_folder.check_room(layout.root, free_bytes=MIN_FREE_BYTES - 1)


def test_a_full_disk_is_called_so() -> None:
    """The system's reason decides the sentence."""
    full = state_folder.cannot_write(Path("/srv"), OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))
    other = state_folder.cannot_write(Path("/srv"), OSError(errno.EROFS, os.strerror(errno.EROFS)))

    assert "is full" in str(full)
    assert "Read-only file system" in str(other)


def test_two_launchers_never_share_a_state_folder(layout: Layout) -> None:
    """The second is refused while the first holds it, and let in afterwards."""
    with state_folder.locked(layout):
        with pytest.raises(CannotStart, match=rf"process {os.getpid()}"), state_folder.locked(layout):
            pass
    with state_folder.locked(layout):
        pass


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    """Mode 0600, the new text, and no draft left beside it."""
    path = tmp_path / "run.json"
    path.write_text("an older and longer text")
    path.chmod(0o644)

    state_folder.write_private(path, "new")

    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert os.listdir(tmp_path) == ["run.json"]  # noqa: PTH208  the names are all that matters


def test_a_folder_that_is_gone_is_said_in_one_sentence(tmp_path: Path) -> None:
    """Writing where nothing can be written is trouble with a reason, not a traceback."""
    with pytest.raises(CannotStart, match="cannot be written"):
        state_folder.write_private(tmp_path / "none" / "run.json", "text")
