"""Rows of uploads and files."""

from __future__ import annotations

import sqlite3

from chat_service import store_files
from chat_service.core.limits import DAY_MS
from chat_service.core.uploads import StoredFile, Upload, UploadState, Usage

from .conftest import Desk


def upload(number: int, user: str = "u1", state: UploadState = UploadState.OPEN) -> Upload:
    """An upload of 10 bytes."""
    return Upload(f"{number:032x}", user, "r1", "a", 10, "ab", "text/plain", state, None)


async def test_an_upload_and_a_file_are_read_back(desk: Desk) -> None:
    """Every field, and the end that an upload came to."""
    file = StoredFile("f1", "r1", "u1", "a", 10, "ab", "text/plain", 5, "files/x")

    def work(db: sqlite3.Connection) -> None:
        store_files.add_upload(db, upload(1), 5)
        store_files.add_file(db, file)
        assert store_files.upload(db, upload(1).id) == upload(1)
        assert store_files.upload(db, upload(2).id) is None
        store_files.end_upload(db, upload(1).id, UploadState.FINISHED, "f1")
        ended = store_files.upload(db, upload(1).id)
        assert ended is not None
        assert (ended.state, ended.file) == (UploadState.FINISHED, "f1")
        assert store_files.file(db, "f1") == file
        assert store_files.file(db, "f2") is None

    await desk.run(work)


async def test_usage_is_ones_own_of_the_last_day(desk: Desk) -> None:
    """What is older, or another's, does not count; what was given up does."""

    def work(db: sqlite3.Connection) -> None:
        now_ms = 2 * DAY_MS
        store_files.add_upload(db, upload(1), now_ms - DAY_MS)
        store_files.add_upload(db, upload(2), now_ms - DAY_MS + 1)
        store_files.add_upload(db, upload(3, state=UploadState.ABORTED), now_ms)
        store_files.add_upload(db, upload(4, user="u2"), now_ms)
        assert store_files.usage(db, "u1", now_ms) == Usage(open_uploads=1, day_bytes=20)
        assert store_files.usage(db, "u3", now_ms) == Usage(0, 0)

    await desk.run(work)


async def test_old_uploads_expire_and_are_named_until_cleared(desk: Desk) -> None:
    """Open ones are closed; finished ones never named; whatever came to nothing is named once more until it is cleared."""

    def work(db: sqlite3.Connection) -> None:
        store_files.add_upload(db, upload(1), 10)
        store_files.add_upload(db, upload(2, state=UploadState.REJECTED), 11)
        store_files.add_upload(db, upload(3, state=UploadState.FINISHED), 12)
        store_files.add_upload(db, upload(4), 100)
        due = [upload(1).id, upload(2).id]
        assert store_files.expire_uploads(db, 100) == due
        assert store_files.expire_uploads(db, 100) == due
        states = [found.state for found in (store_files.upload(db, upload(n).id) for n in (1, 2, 3, 4)) if found]
        assert states == [UploadState.EXPIRED, UploadState.REJECTED, UploadState.FINISHED, UploadState.OPEN]
        store_files.mark_cleared(db, due)
        assert store_files.expire_uploads(db, 100) == []

    await desk.run(work)
