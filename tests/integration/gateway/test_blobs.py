"""The blob store over a real folder: what two processes and a crash may leave, and that it is read right."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from gateway.blobs import STORE_ERRORS, Blobs, open_store
from gateway.core.transfers import Part

UPLOAD = "ab" * 16


def blobs_in(folder: Path) -> Blobs:
    return Blobs(open_store(folder.as_uri()), timeout_s=20.0)


async def test_parts_are_found_as_far_as_they_reach(tmp_path: Path) -> None:
    """Parts up to the first hole count; files of other names do not."""
    blobs = blobs_in(tmp_path / "new" / "folder")
    assert await blobs.found(UPLOAD) == []

    assert await blobs.create_part(UPLOAD, 0, b"abc")
    assert await blobs.create_part(UPLOAD, 3, b"de")
    assert await blobs.create_part(UPLOAD, 9, b"xyz")
    (tmp_path / "new/folder/uploads" / UPLOAD / "note.txt").write_bytes(b"?")

    assert await blobs.found(UPLOAD) == [Part(0, 3), Part(3, 2)]


async def test_a_part_is_never_written_over(tmp_path: Path) -> None:
    """The second part at one offset is refused and the first one stays."""
    blobs = blobs_in(tmp_path)
    assert await blobs.create_part(UPLOAD, 0, b"abc")
    assert not await blobs.create_part(UPLOAD, 0, b"x")

    assert await blobs.assemble(UPLOAD) == (3, hashlib.sha256(b"abc").hexdigest())


async def test_two_processes_assemble_at_once(tmp_path: Path) -> None:
    """Both get the same size and hash, whoever deletes the parts first."""
    one, two = blobs_in(tmp_path), blobs_in(tmp_path)
    for number in range(40):
        await one.create_part(UPLOAD, number * 100, bytes([number]) * 100)

    async with asyncio.TaskGroup() as tasks:
        results = [tasks.create_task(blobs.assemble(UPLOAD)) for blobs in (one, two)]

    digest = hashlib.sha256(b"".join(bytes([number]) * 100 for number in range(40))).hexdigest()
    assert [task.result() for task in results] == [(4000, digest)] * 2
    assert await one.found(UPLOAD) == [Part(0, 4000)]


async def test_a_crash_after_the_blob_leaves_parts_that_a_repeat_deletes(tmp_path: Path) -> None:
    """A blob that is there counts; the parts that were not deleted any more are deleted now."""
    blobs = blobs_in(tmp_path)
    await blobs.create_part(UPLOAD, 0, b"abc")
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / UPLOAD).write_bytes(b"abc")

    assert await blobs.assemble(UPLOAD) == (3, hashlib.sha256(b"abc").hexdigest())
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [UPLOAD]


async def test_ranges(tmp_path: Path) -> None:
    """A range is exactly what was asked for; past the end there is nothing to read."""
    blobs = blobs_in(tmp_path)
    await blobs.create_part(UPLOAD, 0, b"0123456789")
    await blobs.assemble(UPLOAD)

    assert bytes(await blobs.read(f"files/{UPLOAD}", 3, 4)) == b"3456"
    with pytest.raises(FileNotFoundError):
        await blobs.read(f"files/{UPLOAD}", 8, 4)
    with pytest.raises(STORE_ERRORS):
        await blobs.read(f"files/{UPLOAD}", 10, 1)
    with pytest.raises(FileNotFoundError):
        await blobs.read("files/none", 0, 1)


async def test_deleting_is_repeatable(tmp_path: Path) -> None:
    """All of one upload goes, nothing of another one; a second deletion finds nothing to do."""
    blobs = blobs_in(tmp_path)
    await blobs.create_part(UPLOAD, 0, b"abc")
    await blobs.create_part("ef" * 16, 0, b"abc")

    await blobs.delete(UPLOAD)
    await blobs.delete(UPLOAD)

    assert await blobs.found(UPLOAD) == []
    assert await blobs.found("ef" * 16) == [Part(0, 3)]
