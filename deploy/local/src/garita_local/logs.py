"""Log files of the processes: each writes its own file, the launcher keeps them small.

A process writes by itself (append mode), so that it is never held up by the launcher. Rotation therefore copies and
then empties the file in place; a line written between those two steps is lost, which a log may.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

MAX_LOG_BYTES = 16 * 1024 * 1024  # a busy day of INFO lines
KEPT_LOGS = 3  # beside the one being written: 64 MiB per process at most
TAIL_BYTES = 16 * 1024


def rotate(path: Path, max_bytes: int = MAX_LOG_BYTES, kept: int = KEPT_LOGS) -> bool:
    """Move the text of a log that grew over `max_bytes` into `<name>.1`, older ones one further.

    Returns whether it did.
    """
    if not path.exists() or path.stat().st_size <= max_bytes:
        return False
    for number in range(kept, 1, -1):
        older = path.with_name(f"{path.name}.{number - 1}")
        if older.exists():
            older.replace(path.with_name(f"{path.name}.{number}"))
    shutil.copyfile(path, path.with_name(f"{path.name}.1"))
    with path.open("r+b") as file:
        file.truncate(0)
    return True


def last_words(path: Path, since: int = 0) -> str:
    """The last sentence that a process wrote from position `since` on: a plain line, else the event of a JSON line."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(max(since if since <= end else 0, end - TAIL_BYTES))
            lines = [line.strip() for line in file.read().decode("utf-8", "replace").splitlines()]
    except OSError:
        return ""
    written = [line for line in lines if line]
    plain = [line for line in written if not line.startswith("{")]
    if plain:
        return plain[-1]
    return _event(written[-1]) if written else ""


def _event(line: str) -> str:
    """What a structured line is about, or the line itself when it is not one."""
    try:
        record = json.loads(line)
    except ValueError:
        return line
    return str(record.get("event", line)) if isinstance(record, dict) else line
