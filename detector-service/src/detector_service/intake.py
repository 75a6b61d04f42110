"""The activity streams: every entry is read until it is stored, and acknowledged only then.

Consumer group `detector`, one consumer. A round reads `activity:key` before `activity`; while the first has a whole batch waiting, the second has to
wait too, but for every eighth round. The order of a batch is fixed: commit, publish bans, acknowledge. Whatever fails on the way leaves the entries
pending, and they come again: at once after a fault of Redis or the database, and after 30 s of idleness from a consumer that is gone. An entry that
cannot be read goes to `activity:dead`; so does one that could not be judged in five deliveries.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Mapping
from typing import Any

import redis.asyncio as redis
import structlog
from redis.exceptions import RedisError, ResponseError

from garita_common.core import activity
from garita_common.core.bans import Ban
from garita_common.core.channels import ACTIVITY_GROUP, ACTIVITY_KEY_STREAM, ACTIVITY_STREAM
from garita_common.pipe import Command, Pipe

from .core.facts import Unreadable, decode
from .events import Entry
from .judging import Judge
from .metrics import Metrics
from .publication import Publisher

log = structlog.get_logger()

CONSUMER = "worker-1"
STREAMS = (ACTIVITY_KEY_STREAM, ACTIVITY_STREAM)
DEAD_STREAM = "activity:dead"
DEAD_MAXLEN = 10_000
"""What nobody could read is looked at by a person; ten thousand samples are plenty."""
DEAD_BYTES = 16 * 1024
BATCH = 1024
"""Every batch writes about one page for each address, user and device in it, and syncs once: the larger, the cheaper an event; some 30 ms of work."""
BLOCK_MS = 50
NOISE_EVERY = 8
CLAIM_IDLE_MS = 30_000
CLAIM_EVERY_S = 5.0
MAX_DELIVERIES = 5
MAX_CRASHES = 50
"""Deliveries after which an entry is not even tried: no rule stumbled over it, so the whole process must have. Far above what restarts alone can cause."""
RETRY_S = (0.1, 2.0)

RawEntry = tuple[bytes, Mapping[bytes, bytes] | None]


class Intake:
    """Reads the streams; `run` is its one task. `linked` is whether the last round went well."""

    def __init__(
        self, client: "redis.Redis", judge: Judge, publisher: Publisher, metrics: Metrics, now_ms: Callable[[], int]
    ) -> None:
        """Args: client: without retries; nobody else blocks on it."""
        self._client = client
        self._pipe = Pipe(client)
        self._judge = judge
        self._publisher = publisher
        self._metrics = metrics
        self._now_ms = now_ms
        self.linked = False

    async def run(self) -> None:
        """Reads until cancelled, whatever becomes of Redis and the disk."""
        try:
            await self._run()
        finally:
            await self._pipe.release()

    async def _run(self) -> None:
        delay_s = RETRY_S[0]
        while True:
            try:
                await self._serve()
            except (RedisError, OSError, TimeoutError, sqlite3.Error) as exc:
                if self.linked:
                    delay_s = RETRY_S[0]
                self.linked = False
                self._metrics.faults.labels("intake").inc()
                log.warning("intake_interrupted", error=type(exc).__name__, detail=str(exc)[:200])
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, RETRY_S[1])

    async def _serve(self) -> None:
        for stream in STREAMS:
            await self._ensure_group(stream)
        for stream in STREAMS:
            await self._finish_pending(stream)
        loop, claim_at_s, number = asyncio.get_running_loop(), 0.0, 0
        while True:
            await self._round(number)
            self.linked = True
            number += 1
            if loop.time() >= claim_at_s:
                for stream in STREAMS:
                    await self._claim(stream)
                claim_at_s = loop.time() + CLAIM_EVERY_S

    async def _ensure_group(self, stream: str) -> None:
        try:
            await self._client.xgroup_create(stream, ACTIVITY_GROUP, id="0", mkstream=True)
            log.info("group_made", stream=stream)
        except ResponseError as exc:
            if not str(exc).startswith("BUSYGROUP"):
                raise

    async def _round(self, number: int) -> None:
        """One read of both streams; of the key stream alone while it alone fills batches."""
        replies = await self._read(dict.fromkeys(STREAMS, ">"), BLOCK_MS)
        key = replies.get(ACTIVITY_KEY_STREAM, [])
        await self._take(ACTIVITY_KEY_STREAM, key)
        while len(key) == BATCH and number % NOISE_EVERY:
            key = (await self._read({ACTIVITY_KEY_STREAM: ">"}, None)).get(ACTIVITY_KEY_STREAM, [])
            await self._take(ACTIVITY_KEY_STREAM, key)
            number += 1
        await self._take(ACTIVITY_STREAM, replies.get(ACTIVITY_STREAM, []))

    async def _read(self, streams: Mapping[str, str], block_ms: int | None) -> dict[str, list[RawEntry]]:
        block = () if block_ms is None else ("BLOCK", block_ms)
        command = ("XREADGROUP", "GROUP", ACTIVITY_GROUP, CONSUMER, "COUNT", BATCH, *block, "STREAMS")
        (reply,) = await self._pipe.run([(*command, *streams, *streams.values())])
        return {name.decode(): [_entry(*raw) for raw in entries] for name, entries in reply or ()}

    async def _finish_pending(self, stream: str) -> None:
        """What this consumer was given and did not acknowledge: before a crash, or before a fault."""
        last = "0"
        while True:
            entries = (await self._read({stream: last}, None)).get(stream, [])
            if not entries:
                return
            await self._take_again(stream, entries)
            last = entries[-1][0].decode()

    async def _claim(self, stream: str) -> None:
        """What any consumer has been sitting on for too long."""
        cursor: Any = "0-0"
        while True:
            reply: Any = await self._client.xautoclaim(
                stream, ACTIVITY_GROUP, CONSUMER, CLAIM_IDLE_MS, start_id=cursor, count=BATCH
            )
            cursor, entries = reply[0], reply[1]
            if len(reply) > 2 and reply[2]:
                self._metrics.trimmed.labels(stream).inc(len(reply[2]))
            if entries:
                await self._take_again(stream, entries)
            if cursor in {b"0-0", "0-0"}:
                return

    async def _take_again(self, stream: str, entries: list[RawEntry]) -> None:
        rows: Any = await self._client.xpending_range(
            stream, ACTIVITY_GROUP, min=entries[0][0], max=entries[-1][0], count=2 * BATCH, consumername=CONSUMER
        )
        await self._take(stream, entries, {row["message_id"]: int(row["times_delivered"]) for row in rows})

    async def _take(self, stream: str, raw: list[RawEntry], deliveries: Mapping[bytes, int] | None = None) -> None:
        """Stores, judges, publishes, acknowledges."""
        if not raw:
            self._metrics.lag.labels(stream).set(0)
            return
        deliveries = deliveries or {}
        entries: list[Entry] = []
        dead: list[tuple[bytes, str, bytes]] = []
        for name, fields in raw:
            if not fields:
                self._metrics.trimmed.labels(stream).inc()
                continue
            data = fields.get(activity.FIELD.encode())
            if deliveries.get(name, 1) > MAX_CRASHES:
                dead.append((name, "crashes", data or b""))
                continue
            try:
                entries.append(Entry(stream, name.decode(), decode(data), data or b""))
            except Unreadable as exc:
                dead.append((name, exc.reason, data or b""))
        judged = await self._judge.take(entries)
        if judged.bans or judged.passed:
            changed: dict[str, Ban | None] = {ban.subject: ban for ban, _ in judged.bans}
            await self._publisher.push(changed | dict.fromkeys(judged.passed))
            for _, at_ms in judged.bans:
                self._metrics.delay.observe((self._now_ms() - at_ms) / 1000)
        left = {entry.stream_id.encode(): entry for entry in entries if entry.stream_id in judged.failed}
        for name, entry in left.items():
            if deliveries.get(name, 1) >= MAX_DELIVERIES:
                dead.append((name, "not_judged", entry.data))
        buried = {name for name, _, _ in dead}
        await self._acknowledge(stream, [name for name, _ in raw if name not in left or name in buried], dead)
        self._metrics.lag.labels(stream).set(max(0.0, self._now_ms() / 1000 - int(raw[0][0].split(b"-")[0]) / 1000))

    async def _acknowledge(self, stream: str, names: list[bytes], dead: list[tuple[bytes, str, bytes]]) -> None:
        commands: list[Command] = [
            ("XADD", DEAD_STREAM, "MAXLEN", "~", DEAD_MAXLEN, "*", "stream", stream, "id", name, "error", reason, "e", data[:DEAD_BYTES])
            for name, reason, data in dead
        ]  # fmt: skip
        if names:
            commands.append(("XACK", stream, ACTIVITY_GROUP, *names))
        await self._pipe.run([("MULTI",), *commands, ("EXEC",)] if dead else commands)
        for _, reason, _ in dead:
            self._metrics.dead.labels(reason).inc()


def _entry(name: bytes, fields: list[bytes] | None) -> RawEntry:
    """An entry as XREADGROUP answers it; it has no fields where it was trimmed."""
    return name, dict(zip(fields[::2], fields[1::2], strict=True)) if fields else None
