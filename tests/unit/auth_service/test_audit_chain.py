"""auth_service.core.audit_chain: what was edited, cut or written anew without the key is seen."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from auth_service.core.audit_chain import FIRST, Entry, Head, first_flaw, mac_of

KEY = b"k" * 32


def chain(key: bytes, count: int, before: bytes = FIRST) -> list[tuple[Entry, bytes]]:
    """A log of so many rows."""
    rows = []
    for seq in range(1, count + 1):
        entry = Entry(seq, seq * 10, "login.ok", "d", "u", "ip", "{}")
        before = mac_of(key, entry, before)
        rows.append((entry, before))
    return rows


def test_what_was_written_is_whole() -> None:
    """Also an empty log, and with a head of it."""
    rows = chain(KEY, 5)
    assert first_flaw(KEY, rows) is None
    assert first_flaw(KEY, []) is None
    assert first_flaw(KEY, rows, [Head(3, rows[2][1]), Head(5, rows[4][1])]) is None


@pytest.mark.parametrize("field", ["at_ms", "event", "actor", "subject", "ip_mark", "data"])
def test_an_edited_row_is_found(field: str) -> None:
    """Whichever field; and a row taken out of the middle."""
    rows = chain(KEY, 5)
    changed: dict[str, Any] = {field: 7 if field == "at_ms" else "x"}
    edited = replace(rows[2][0], **changed)
    assert first_flaw(KEY, [*rows[:2], (edited, rows[2][1]), *rows[3:]]) == 3
    assert first_flaw(KEY, [*rows[:2], *rows[3:]]) == 3


def test_who_has_no_key_cannot_mend_it() -> None:
    """A log that was written anew, with hashes or with another key."""
    assert first_flaw(KEY, chain(b"x" * 32, 3)) == 1
    assert first_flaw(KEY, [(entry, hashlib.sha256(mac).digest()) for entry, mac in chain(KEY, 2)]) == 1


def test_a_cut_tail_is_shown_by_a_head() -> None:
    """Alone it is whole; a head that was said before knows better."""
    rows = chain(KEY, 5)
    assert first_flaw(KEY, rows[:3]) is None
    assert first_flaw(KEY, rows[:3], [Head(5, rows[4][1])]) == 4
    assert first_flaw(KEY, rows, [Head(5, b"another")]) == 5
