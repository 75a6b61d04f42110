"""Rows of what users have used up today: all their SQL, on the database's thread, inside a transaction."""

import sqlite3


def used(db: sqlite3.Connection, user: str, what: str, day: int) -> int:
    """How often a user did this on this day."""
    row = db.execute(
        "SELECT used FROM allowances WHERE user = ? AND what = ? AND day = ?", (user, what, day)
    ).fetchone()
    return int(row[0]) if row else 0


def use(db: sqlite3.Connection, user: str, what: str, day: int) -> None:
    """Counts once more; what was counted on another day is forgotten."""
    db.execute(
        "INSERT INTO allowances (user, what, day, used) VALUES (?1, ?2, ?3, 1)"
        " ON CONFLICT (user, what) DO UPDATE SET used = CASE WHEN day = ?3 THEN used + 1 ELSE 1 END, day = ?3",
        (user, what, day),
    )
