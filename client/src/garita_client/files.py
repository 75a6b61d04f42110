"""Files in both directions, with windows, resuming and a progress callback.

A transfer outlives connections: after a loss the upload is announced again with the same `cmid`, the download asked for again from the
bytes that are here, and both go on. It fails when it makes no progress until `stall_s`, or when the bytes are not what was announced.
"""

import asyncio
import hashlib
import mimetypes
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from garita_common.core.ids import TransferId
from garita_common.core.wire import encode_chunk

from .client import Client
from .core import saying
from .core.errors import TransferFailed
from .core.hearing import FileInfo, Ok
from .core.replies import DownloadBegun, FileReply, UploadBegun, read_reply
from .core.transfers import Receiving, Sending
from .link import Link, LinkLost

Progress = Callable[[int, int], None]
"""Called with the bytes that are done and the bytes in all."""

STALL_S = 60.0
QUIET_S = 10.0
"""Without news for so long on a standing connection a transfer is begun anew from where it is."""

HASH_STEP_BYTES = 1024 * 1024


async def upload(
    client: Client,
    room: str,
    path: Path,
    *,
    name: str | None = None,
    media_type: str | None = None,
    progress: Progress | None = None,
    stall_s: float = STALL_S,
) -> FileInfo:
    """Sends a file to a room; the finished file, to be named in a message. The file must not change meanwhile.

    Raises:
        TransferFailed: no progress, or the file changed.
        RequestRefused: `too_large`, `quota`, `forbidden` …
    """
    size, sha256 = await asyncio.to_thread(_measure, path)
    kind = media_type or mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    fields = {
        "room": room, "name": name or path.name, "size": size, "sha256": sha256, "type": kind, "cmid": str(uuid.uuid4())
    }  # fmt: skip
    with await asyncio.to_thread(path.open, "rb") as source:
        transfer = _Upload(client, source, fields, size, progress, stall_s)
        upload_id = await transfer.run()
    answer = await client.ask("upload_finish", {"upload": upload_id}, timeout_s=stall_s)
    return read_reply(answer, FileReply).file


async def download(
    client: Client, file: str, target: Path, *, progress: Progress | None = None, stall_s: float = STALL_S
) -> FileInfo:
    """Fetches a file to `target` (replaced only when all is here and the hash is right; until then `target.part` holds what has come).

    Raises:
        TransferFailed: no progress, or the bytes are not the file's.
        RequestRefused: `not_found` …
    """
    part = target.with_name(target.name + ".part")
    with await asyncio.to_thread(part.open, "w+b") as sink:
        transfer = _Download(client, sink, file, progress, stall_s)
        info = await transfer.run()
        sha256 = await asyncio.to_thread(_hash_of, sink)
    if sha256 != info.sha256:
        part.unlink()
        raise TransferFailed("The bytes that came are not the file's: its SHA-256 differs.")
    part.replace(target)
    return info


class _Upload:
    """One upload; hears its acknowledgements."""

    def __init__(
        self,
        client: Client,
        source: BinaryIO,
        fields: dict[str, object],
        size: int,
        progress: Progress | None,
        stall_s: float,
    ) -> None:
        self._client = client
        self._source = source
        self._fields = fields
        self._size = size
        self._progress = progress
        self._stall_s = stall_s
        self._sending: Sending | None = None
        self._link: Link | None = None
        self._upload_id = ""
        self._news = asyncio.Event()
        self._failure: TransferFailed | None = None

    def chunk(self, offset: int, data: memoryview) -> None:
        """An upload gets no pieces."""

    def acknowledged(self, offset: int) -> None:
        """See `ports.TransferSink`."""
        if self._sending is None:
            return
        try:
            self._sending.acknowledged(offset)
        except TransferFailed as exc:
            self._failure = exc
        self._news.set()

    async def run(self) -> str:
        """All bytes over; the upload's id."""
        moved_at, best = time.monotonic(), -1
        try:
            while True:
                await self._begin()
                await self._push()
                sending = self._sending
                if sending is not None and sending.done:
                    return self._upload_id
                if sending is not None and sending.acked > best:
                    moved_at, best = time.monotonic(), sending.acked
                if time.monotonic() - moved_at > self._stall_s:
                    raise TransferFailed("The upload makes no progress.")
        finally:
            self._client.transfers.pop(self._upload_id, None)

    async def _begin(self) -> None:
        """Announces the file, again with the same `cmid` after a loss."""
        await self._client.ask("upload", self._fields, timeout_s=self._stall_s, on_ok=self._begun)

    def _begun(self, answer: Ok) -> None:
        begun = read_reply(answer, UploadBegun)
        self._link, self._upload_id = self._client.link, begun.upload
        self._sending = Sending.begin(self._size, begun.offset, begun.chunk_bytes, begun.window)
        self._client.transfers[begun.upload] = self

    async def _push(self) -> None:
        """Sends while the connection stands and the server says how far it is."""
        sending, link = self._sending, self._link
        if sending is None or link is None:
            return
        while not sending.done and not link.over:
            if self._failure is not None:
                raise self._failure
            piece = sending.next_piece()
            if piece is None:
                if not await self._wait_for_news():
                    return
                continue
            offset, length = piece
            data = await asyncio.to_thread(_read_at, self._source, offset, length)
            try:
                await link.say(encode_chunk(TransferId(self._upload_id), offset, data), chunk=True)
            except LinkLost:
                return

    async def _wait_for_news(self) -> bool:
        """Until the next acknowledgement; False when none comes for too long."""
        self._news.clear()
        try:
            async with asyncio.timeout(QUIET_S):
                await self._news.wait()
        except TimeoutError:
            return False
        if self._progress is not None and self._sending is not None:
            self._progress(self._sending.acked, self._size)
        return True


class _Download:
    """One download; hears its pieces, which wait in a queue no longer than the server's window."""

    def __init__(self, client: Client, sink: BinaryIO, file: str, progress: Progress | None, stall_s: float) -> None:
        self._client = client
        self._sink = sink
        self._file = file
        self._progress = progress
        self._stall_s = stall_s
        self._receiving: Receiving | None = None
        self._info: FileInfo | None = None
        self._link: Link | None = None
        self._transfer = ""
        self._pieces: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue(maxsize=64)

    def acknowledged(self, offset: int) -> None:
        """A download gets no acknowledgements."""

    def chunk(self, offset: int, data: memoryview) -> None:
        """See `ports.TransferSink`. A server that does not keep to its window loses what does not fit, and must send it again."""
        if not self._pieces.full():
            self._pieces.put_nowait((offset, bytes(data)))

    async def run(self) -> FileInfo:
        """All bytes here."""
        moved_at, best = time.monotonic(), -1
        try:
            while True:
                await self._begin()
                await self._pull()
                receiving, info = self._receiving, self._info
                if receiving is not None and info is not None:
                    if receiving.done:
                        return info
                    if receiving.arrived > best:
                        moved_at, best = time.monotonic(), receiving.arrived
                if time.monotonic() - moved_at > self._stall_s:
                    raise TransferFailed("The download makes no progress.")
        finally:
            self._client.transfers.pop(self._transfer, None)

    async def _begin(self) -> None:
        """Asks for the file from the bytes on that are here."""
        self._client.transfers.pop(self._transfer, None)
        offset = self._receiving.arrived if self._receiving is not None else 0
        fields = {"file": self._file, "offset": offset}
        await self._client.ask("download", fields, timeout_s=self._stall_s, on_ok=self._begun)

    def _begun(self, answer: Ok) -> None:
        begun = read_reply(answer, DownloadBegun)
        while not self._pieces.empty():
            self._pieces.get_nowait()
        self._link, self._transfer, self._info = self._client.link, begun.transfer, begun.file
        self._receiving = Receiving(begun.file.size, begun.offset)
        self._client.transfers[begun.transfer] = self

    async def _pull(self) -> None:
        """Takes pieces while they come."""
        receiving, link = self._receiving, self._link
        quiet_since = time.monotonic()
        while receiving is not None and link is not None and not receiving.done:
            try:
                async with asyncio.timeout(1.0):
                    offset, data = await self._pieces.get()
            except TimeoutError:
                if link.over or time.monotonic() - quiet_since > QUIET_S:
                    return
                continue
            quiet_since = time.monotonic()
            if receiving.take(offset, len(data)):
                await asyncio.to_thread(_write_at, self._sink, offset, data)
                if self._progress is not None:
                    self._progress(receiving.arrived, receiving.size)
            try:
                await link.say(saying.chunk_ack(self._transfer, receiving.arrived))
            except LinkLost:
                if not receiving.done:
                    return


def _measure(path: Path) -> tuple[int, str]:
    """Size and SHA-256 of a file."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as file:
        while piece := file.read(HASH_STEP_BYTES):
            digest.update(piece)
            size += len(piece)
    return size, digest.hexdigest()


def _hash_of(file: BinaryIO) -> str:
    file.flush()
    file.seek(0)
    digest = hashlib.sha256()
    while piece := file.read(HASH_STEP_BYTES):
        digest.update(piece)
    return digest.hexdigest()


def _read_at(file: BinaryIO, offset: int, length: int) -> bytes:
    file.seek(offset)
    data = file.read(length)
    if len(data) != length:
        raise TransferFailed("The file became shorter while it was sent.")
    return data


def _write_at(file: BinaryIO, offset: int, data: bytes) -> None:
    file.seek(offset)
    file.write(data)
