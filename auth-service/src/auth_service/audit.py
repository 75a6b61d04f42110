"""The audit log: written with what happens, in its transaction; checked on demand; its head said to the log every minute.

What has no transaction of its own (a refused login) is kept for a second and written together. No secret, code, address or number is ever in it: only ids, kinds, and a
keyed mark of the network address.
"""

from collections import Counter, deque

import msgspec
import structlog

from .core.audit_chain import FIRST, START, Entry, Head, first_flaw, mac_of
from .core.audit_events import EVENTS
from .parts import Caller, Parts
from .store import Db, Row, one, rows_of, run

log = structlog.get_logger()

ROWS_A_LOOK = 500
"""About 3 ms of work a minute; a log of 700 000 rows is walked through in a day."""
MAX_WAITING = 10_000
"""Refused logins that wait for their second; what comes beyond that is counted as lost, for a flood must not take the memory."""
MAX_TALLIED = 1000
"""Kinds and addresses told apart in a second; beyond that addresses are not."""


class Audit:
    """Writes and checks the log."""

    def __init__(self, parts: Parts, key: bytes) -> None:
        """Args: key: the secret `audit_key`."""
        self._parts = parts
        self._key = key
        self._tallied: Counter[tuple[str, str, str]] = Counter()
        self._waiting: deque[tuple[int, str, str, str, str, str]] = deque()
        self._said = 0
        self._checked = self._newest = START
        self._is_whole = True

    async def write(
        self, tx: Db, event: str, *, actor: str = "", subject: str = "", caller: Caller | None = None, **data: object
    ) -> None:
        """One event, with the transaction that it belongs to. Args: event: one of `EVENTS`; actor: a device, session or role; data: ids and kinds alone."""
        await self._append(tx, *self._row(event, actor, subject, caller, data))

    def tally(self, event: str, caller: Caller | None = None, **data: object) -> None:
        """One event of many: those of a second that are alike are one row, with their `count`. A flood must not write the log."""
        _, event, _, _, mark, said = self._row(event, "", "", caller, data)
        key = (event, mark, said) if len(self._tallied) < MAX_TALLIED else (event, "", said)
        self._tallied[key] += 1

    def later(
        self, event: str, *, actor: str = "", subject: str = "", caller: Caller | None = None, **data: object
    ) -> None:
        """One event that has no transaction, within a second."""
        if len(self._waiting) >= MAX_WAITING:
            self._parts.metrics.alarms.labels("audit_lost").inc()
            return
        self._waiting.append(self._row(event, actor, subject, caller, data))

    async def flush(self) -> None:
        """Writes what waits."""
        if not self._waiting and not self._tallied:
            return
        now_ms = self._parts.now_ms()
        async with self._parts.store.writing() as tx:
            rows, tallied = list(self._waiting), dict(self._tallied)
            for row in rows:
                await self._append(tx, *row)
            for (event, mark, said), count in tallied.items():
                data = msgspec.json.decode(said, type=dict[str, object]) | {"count": count}
                await self._append(tx, now_ms, event, "", "", mark, msgspec.json.encode(data).decode())
        for _ in rows:
            self._waiting.popleft()
        self._tallied.subtract(tallied)
        self._tallied = +self._tallied

    async def say_head(self) -> None:
        """Writes the head to the service's log, where it has moved."""
        head = await self.head()
        if head.seq > self._said:
            log.info("audit_head", seq=head.seq, mac=head.mac.hex())
            self._said = head.seq

    async def head(self) -> Head:
        """The last row."""
        row = await one(self._parts.store.reading, "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1")
        return Head(row["seq"], row["mac"]) if row else Head(0, FIRST)

    async def look(self) -> None:
        """Checks the next rows, and that what was checked last is still there; from the beginning again once the end is reached. For the metric."""
        reading = self._parts.store.reading
        newest = await one(reading, "SELECT mac FROM audit WHERE seq = ?", (self._newest.seq,))
        is_cut = self._newest.seq > 0 and (newest is None or bytes(newest["mac"]) != self._newest.mac)
        rows = await rows_of(
            reading, "SELECT * FROM audit WHERE seq > ? ORDER BY seq LIMIT ?", (self._checked.seq, ROWS_A_LOOK)
        )
        flaw = first_flaw(self._key, (_read(row) for row in rows), after=self._checked)
        if is_cut or flaw is not None:
            log.error("audit_flaw", row=self._newest.seq if flaw is None else flaw)
            self._is_whole = False
        self._checked = Head(rows[-1]["seq"], bytes(rows[-1]["mac"])) if rows and flaw is None else START
        if self._checked.seq > self._newest.seq:
            self._newest = self._checked
        self._parts.metrics.audit_ok.set(1 if self._is_whole else 0)

    async def flaw(self, heads: list[Head]) -> int | None:
        """The first row that is not as it was written. Args: heads: from the service's log."""
        rows = await rows_of(self._parts.store.reading, "SELECT * FROM audit ORDER BY seq")
        return first_flaw(self._key, (_read(row) for row in rows), heads)

    def _row(
        self, event: str, actor: str, subject: str, caller: Caller | None, data: dict[str, object]
    ) -> tuple[int, str, str, str, str, str]:
        if event not in EVENTS:
            raise LookupError(event)
        mark = self._parts.seals.mark("audit-address", str(caller.unit)).hex()[:32] if caller is not None else ""
        return self._parts.now_ms(), event, actor, subject, mark, msgspec.json.encode(data).decode()

    async def _append(self, tx: Db, at_ms: int, event: str, actor: str, subject: str, ip_mark: str, data: str) -> None:
        row = await one(tx, "SELECT seq, mac FROM audit ORDER BY seq DESC LIMIT 1")
        before, seq = (bytes(row["mac"]), row["seq"] + 1) if row else (FIRST, 1)
        entry = Entry(seq, at_ms, event, actor, subject, ip_mark, data)
        await run(
            tx,
            "INSERT INTO audit (seq, at_ms, event, actor, subject, ip_mark, data, mac) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, at_ms, event, actor, subject, ip_mark, data, mac_of(self._key, entry, before)),
        )


def _read(row: Row) -> tuple[Entry, bytes]:
    entry = Entry(row["seq"], row["at_ms"], row["event"], row["actor"], row["subject"], row["ip_mark"], row["data"])
    return entry, bytes(row["mac"])
