"""Clearing an upload away from a real folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from chat_service.blobs import open_blobs
from garita_common.config import ConfigError


def put(folder: Path, key: str) -> Path:
    """A blob."""
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


async def test_everything_of_an_upload_goes_and_nothing_else(tmp_path: Path) -> None:
    """Its parts and its whole, not another's whose id begins alike."""
    blobs = open_blobs(tmp_path.as_uri())
    gone = [put(tmp_path, key) for key in ("uploads/ab/000", "uploads/ab/deep/001", "uploads/ab/whole", "files/ab")]
    kept = [put(tmp_path, key) for key in ("uploads/abc/000", "files/abc", "files/a")]

    await blobs.clear("ab")
    await blobs.clear("ab")

    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)


async def test_a_folder_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    """Clearing in an empty store is nothing special."""
    await open_blobs((tmp_path / "new" / "blobs").as_uri()).clear("ab")

    assert (tmp_path / "new" / "blobs").is_dir()


@pytest.mark.parametrize("url", ["nonsense", "ftp://somewhere/x", "file://no/slash"])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    """In a sentence that names the setting."""
    with pytest.raises(ConfigError, match="GARITA_CHAT_BLOB_URL"):
        open_blobs(url)


async def test_a_store_that_fails_is_an_os_error(tmp_path: Path) -> None:
    """The sweep tries again later."""
    blobs = open_blobs(tmp_path.as_uri())
    put(tmp_path, "files/ab/inside")  # a folder where the blob should be

    with pytest.raises(OSError):
        await blobs.clear("ab")
