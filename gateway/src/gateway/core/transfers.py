"""The rules of files on their way: which chunk is next, how many may be under way, and who may send them.

An upload is a row of parts in the blob store, each of one or a few chunks and named by its offset. Three offsets describe it: `stored` (every byte before it is in
the store, and this is what a `chunk_ack` says), `received` (every byte before it is in the store or in our memory), and the announced `size`. A chunk is
taken only at `received`, so parts never overlap and never leave a hole; whoever finds the parts again (another process, after a `kill -9`) reads
`stored` off their names alone.

An acknowledgement that repeats the last one means "go on from here": it answers a chunk at another offset, and a part that could not be stored. It is
held back until nothing is under way, so that it never names an offset that a write still in flight is about to pass.

A download is the mirror image: `sent` runs ahead of `acked` by at most the window.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from garita_common.core.errors import BadRequest, Busy, Conflict, LimitReached, NotFound, TooLarge
from garita_common.core.wire import CHUNK_DATA_BYTES

UPLOADS = "uploads"
FILES = "files"
_PART_NAME = re.compile("[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class TransferLimits:
    """What one gateway process spends on files. The defaults are those of docs/protocol.md §6, the rest keeps memory and disk bounded."""

    window: int = 4
    """Chunks under way without an acknowledgement, in each direction: 256 KiB, half of a connection's outgoing queue."""
    chunk_bytes: int = CHUNK_DATA_BYTES
    small_chunk_bytes: int = 8 * 1024
    """An upload may have a part per so many bytes of its size …"""
    spare_parts: int = 64
    """… and so many more, whatever their size. Without this, chunks of one byte would cost a file and a directory entry each."""
    memory_bytes: int = 128 * 1024 * 1024
    """Chunks of all uploads that wait for the store: 512 full windows. Above that new chunks are refused with `busy`."""
    downloads_per_connection: int = 4
    """Each costs a task and up to a window of memory."""
    queue_bytes: int = 128 * 1024
    """A download waits while so much is queued for its connection: a quarter of what would close it as a slow consumer."""
    poll_s: float = 0.02
    """How often a waiting download looks at the queue again: 64 KiB per look is 3 MiB/s for a reader that only just keeps up."""
    ack_timeout_s: float = 60.0
    """A download without any acknowledgement for so long ends, and gives its memory back."""
    retry_s: float = 1.0
    """The pause after the store has failed, before the client is asked to send again."""
    store_timeout_s: float = 30.0
    """One call to the store; a whole assembly has ten times that."""


class Part(NamedTuple):
    """A stored piece of an upload: bytes from `offset` on."""

    offset: int
    size: int


class Took(Enum):
    """What became of a chunk."""

    STORE = "store"
    """It was taken: put it into the store at its offset."""
    ASTRAY = "astray"
    """It is not the next one; when nothing is under way, acknowledge `stored` again."""
    ASTRAY_NOW = "astray_now"
    """The same, and nothing is under way."""


def folder(upload: str) -> str:
    """Where an upload's parts are."""
    return f"{UPLOADS}/{upload}"


def part_key(upload: str, offset: int) -> str:
    """The key of the part that begins at `offset`."""
    return f"{UPLOADS}/{upload}/{offset:016x}"


def blob_key(upload: str) -> str:
    """The key of the finished file."""
    return f"{FILES}/{upload}"


def part_of(key: str, size: int) -> Part | None:
    """The part that a key names, or None for a key that is no part."""
    name = key.rpartition("/")[2]
    return Part(int(name, 16), size) if _PART_NAME.fullmatch(name) else None


def contiguous(parts: Iterable[Part]) -> list[Part]:
    """The parts from the file's beginning up to the first hole, in order. Two parts that begin at one place cannot exist: they would have one key."""
    row: list[Part] = []
    held = 0
    for part in sorted(parts):
        if part.offset == held and part.size > 0:
            row.append(part)
            held += part.size
    return row


def held_bytes(row: list[Part]) -> int:
    """How many bytes a row of contiguous parts holds."""
    return row[-1].offset + row[-1].size if row else 0


def most_parts(size: int, limits: TransferLimits) -> int:
    """How many parts an upload of `size` bytes may have."""
    return limits.spare_parts + size // limits.small_chunk_bytes


class Upload:
    """One upload as this process knows it.

    `owner` is the connection that may send, None when there is none any more; `known` is false until the store was asked how much it has; `held` is true
    while somebody opens, finishes or drops the upload.
    """

    __slots__ = (
        "held",
        "id",
        "known",
        "owner",
        "parts",
        "received",
        "repeat",
        "size",
        "stored",
        "strays",
        "user",
    )

    def __init__(self, upload: str, user: str, size: int) -> None:
        """Args: size: announced, in bytes. Nothing can be sent before `begin`."""
        self.id = upload
        self.user = user
        self.size = size
        self.owner: int | None = None
        self.known = False
        self.held = False
        self.stored = 0
        self.received = 0
        self.parts = 0
        self.strays = 0
        self.repeat = False

    def begin(self, row: list[Part]) -> int:
        """Goes on from what the store holds; returns that offset."""
        self.stored = self.received = held_bytes(row)
        self.parts = len(row)
        self.strays = 0
        self.repeat = False
        self.known = True
        return self.stored

    def take(self, peer: int, offset: int, length: int, under_way: int, limits: TransferLimits) -> Took:
        """Judges a chunk of `length` bytes at `offset` from connection `peer`, while `under_way` chunks are not stored yet.

        Raises:
            NotFound: this connection has not opened the upload, or another one has taken it over.
            Conflict: it is being opened again, finished or dropped.
            TooLarge: past the announced size, or more data than a chunk may have.
            LimitReached: the window is full, or too many small chunks.
            BadRequest: chunk after chunk at wrong offsets.
        """
        if self.owner != peer or not self.known:
            raise NotFound
        if self.held:
            raise Conflict("This upload is being opened again or finished.")
        if length > limits.chunk_bytes:
            raise TooLarge(f"A chunk holds at most {limits.chunk_bytes} bytes.")
        if offset != self.received:
            return self._stray(under_way, limits)
        if offset + length > self.size:
            raise TooLarge("This is more than the announced size.")
        if under_way >= limits.window:
            raise LimitReached(f"At most {limits.window} chunks may wait for their acknowledgement.")
        if self.parts + under_way >= most_parts(self.size, limits):
            raise LimitReached("The chunks of this file are too small.")
        self.strays = 0
        self.received += length
        return Took.STORE

    def store(self, lengths: Iterable[int]) -> list[int]:
        """These chunks are in the store, as one part; returns the offset to acknowledge for each."""
        offsets = []
        for length in lengths:
            self.stored += length
            offsets.append(self.stored)
        self.parts += 1
        return offsets

    def fall_back(self) -> None:
        """What was received but not stored is lost; the client must go on from `stored`."""
        self.received = self.stored
        self.repeat = True

    def recount(self, row: list[Part]) -> None:
        """Another process has stored parts meanwhile: theirs count, what was received here is lost."""
        self.stored = held_bytes(row)
        self.parts = len(row)
        self.fall_back()

    def settle(self) -> bool:
        """Nothing is under way any more; returns whether `stored` must be acknowledged once more."""
        repeat, self.repeat = self.repeat, False
        return repeat

    def _stray(self, under_way: int, limits: TransferLimits) -> Took:
        """A full window of strays may be in flight when the client learns of the first; more than two of them is no accident."""
        self.strays += 1
        if self.strays > 2 * limits.window:
            raise BadRequest("These chunks are not where the upload goes on.")
        if under_way:
            self.repeat = True
            return Took.ASTRAY
        return Took.ASTRAY_NOW


class Download:
    """One download: `sent` bytes are on their way, `acked` of them have arrived."""

    __slots__ = ("acked", "id", "sent", "size")

    def __init__(self, transfer: str, size: int, offset: int) -> None:
        """Args: offset: where to begin, at most `size`."""
        self.id = transfer
        self.size = size
        self.acked = min(offset, size)
        self.sent = self.acked

    def may_send(self, limits: TransferLimits) -> int:
        """The length of the next chunk, or 0 while the window is full or all is sent."""
        room = limits.window * limits.chunk_bytes - (self.sent - self.acked)
        length = min(limits.chunk_bytes, self.size - self.sent)
        return length if length <= room else 0

    def send(self, length: int) -> None:
        """The next `length` bytes have left."""
        self.sent += length

    def acknowledge(self, offset: int) -> bool:
        """Takes an acknowledgement; returns whether it moved the window. One that is behind the last says nothing new.

        Raises:
            BadRequest: it names bytes that were never sent.
        """
        if offset > self.sent:
            raise BadRequest("This acknowledges bytes that were not sent.")
        if offset <= self.acked:
            return False
        self.acked = offset
        return True

    @property
    def all_sent(self) -> bool:
        """Whether nothing is left to send."""
        return self.sent >= self.size


def check_memory(waiting_bytes: int, length: int, limits: TransferLimits) -> None:
    """Refuses a chunk that finds no room.

    Raises:
        Busy: too much already waits for the store.
    """
    if waiting_bytes + length > limits.memory_bytes:
        raise Busy("Too many files are being received. Please resume the upload later.")
