"""The audit log's chain: each row's MAC covers its fields and the MAC of the row before.

Whoever changes, inserts or removes a row without the key breaks the chain at that row. Cutting the end off breaks nothing by itself: that is what heads are for,
written elsewhere every minute (`Head`): a log that is shorter than a head, or has another MAC there, was cut or written anew.
"""

import hashlib
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

FIRST = bytes(32)
"""What the first row follows."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row without its MAC."""

    seq: int
    at_ms: int
    event: str
    actor: str
    subject: str
    ip_mark: str
    data: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far the log was at some time."""

    seq: int
    mac: bytes


def mac_of(key: bytes, entry: Entry, before: bytes) -> bytes:
    """The row's MAC. Fields cannot run into each other. Args: before: the MAC of the row before."""
    mac = hmac.new(key, before, hashlib.sha256)
    for field in (entry.seq, entry.at_ms, entry.event, entry.actor, entry.subject, entry.ip_mark, entry.data):
        data = str(field).encode()
        mac.update(len(data).to_bytes(8, "big") + data)
    return mac.digest()


START: Final = Head(0, FIRST)


def first_flaw(
    key: bytes, rows: Iterable[tuple[Entry, bytes]], heads: Sequence[Head] = (), *, after: Head = START
) -> int | None:
    """The number of the first row that is not as it was written, or is missing; None where all are. Args: rows: in order, those after `after`."""
    wanted = {head.seq: head.mac for head in heads}
    before, last = after.mac, after.seq
    for entry, mac in rows:
        if entry.seq != last + 1 or not hmac.compare_digest(mac, mac_of(key, entry, before)):
            return last + 1
        if entry.seq in wanted and not hmac.compare_digest(wanted[entry.seq], mac):
            return entry.seq
        before, last = mac, entry.seq
    missing = [seq for seq in wanted if seq > last]
    return last + 1 if missing else None
