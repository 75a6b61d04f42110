"""Rows of uploads and files: all their SQL. Everything here runs on the database's thread, inside a transaction of the caller's."""

import sqlite3

from .core.limits import DAY_MS
from .core.uploads import StoredFile, Upload, UploadState, Usage, upload_of

UPLOAD_COLUMNS = "id, user, room, name, size, sha256, type, state, file"
FILE_COLUMNS = "id, room, user, name, size, sha256, type, ts, key"
SWEEP_AT_ONCE = 100


def usage(db: sqlite3.Connection, user: str, now_ms: int) -> Usage:
    """What a user has open, and has announced within the last 24 h."""
    row = db.execute(
        "SELECT coalesce(sum(state = 'open'), 0), coalesce(sum(size), 0) FROM uploads WHERE user = ? AND created_ms > ?",
        (user, now_ms - DAY_MS),
    ).fetchone()
    return Usage(*row)


def add_upload(db: sqlite3.Connection, upload: Upload, now_ms: int) -> None:
    """Keeps an announced file."""
    db.execute(
        "INSERT INTO uploads (id, user, room, name, size, sha256, type, state, created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            upload.id,
            upload.user,
            upload.room,
            upload.name,
            upload.size,
            upload.sha256,
            upload.type,
            upload.state.value,
            now_ms,
        ),
    )


def upload(db: sqlite3.Connection, upload_id: str) -> Upload | None:
    """An upload by its id, without asking whose it is: `access` does that."""
    row = db.execute(f"SELECT {UPLOAD_COLUMNS} FROM uploads WHERE id = ?", (upload_id,)).fetchone()  # noqa: S608  # constant columns
    if row is None:
        return None
    found_id, user, room, name, size, sha256, media_type, state, file_id = row
    return Upload(found_id, user, room, name, size, sha256, media_type, UploadState(state), file_id)


def end_upload(db: sqlite3.Connection, upload_id: str, state: UploadState, file_id: str | None = None) -> None:
    """Ends an upload for good."""
    db.execute("UPDATE uploads SET state = ?, file = ? WHERE id = ?", (state.value, file_id, upload_id))


def add_file(db: sqlite3.Connection, file: StoredFile) -> None:
    """Keeps a finished file."""
    db.execute(
        f"INSERT INTO files ({FILE_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608  # constant columns
        (file.id, file.room, file.user, file.name, file.size, file.sha256, file.type, file.ts, file.key),
    )


def file(db: sqlite3.Connection, file_id: str) -> StoredFile | None:
    """A finished file by its id, without asking who may see it: `access` does that."""
    row = db.execute(f"SELECT {FILE_COLUMNS} FROM files WHERE id = ?", (file_id,)).fetchone()  # noqa: S608  # constant columns
    return StoredFile(*row) if row else None


def delete_file(db: sqlite3.Connection, file_id: str) -> None:
    """Takes a finished file away; its bytes are left to the sweep."""
    row = db.execute("DELETE FROM files WHERE id = ? RETURNING key", (file_id,)).fetchone()
    if row is not None:
        db.execute("UPDATE uploads SET state = 'expired', cleared = 0, name = '' WHERE id = ?", (upload_of(row[0]),))


def expire_uploads(db: sqlite3.Connection, begun_before_ms: int) -> list[str]:
    """Closes open uploads that are too old; gives those of which bytes may be left in the blob store, however they ended.

    A file that was deleted with its message is an expired upload, whatever its age.
    """
    db.execute(
        "UPDATE uploads SET state = 'expired' WHERE state = 'open' AND id IN"
        " (SELECT id FROM uploads WHERE state <> 'finished' AND cleared = 0 AND created_ms < ?)",
        (begun_before_ms,),
    )
    rows = db.execute(
        "SELECT id FROM uploads WHERE state <> 'finished' AND cleared = 0 AND created_ms < ?"
        " UNION SELECT id FROM uploads WHERE state = 'expired' AND cleared = 0 LIMIT ?",
        (begun_before_ms, SWEEP_AT_ONCE),
    )
    return [row[0] for row in rows]


def mark_cleared(db: sqlite3.Connection, uploads: list[str]) -> None:
    """Says that nothing of these uploads is left in the blob store."""
    db.executemany("UPDATE uploads SET cleared = 1 WHERE id = ?", [(upload_id,) for upload_id in uploads])
