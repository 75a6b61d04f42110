"""Files between clients and the blob store; they never pass Redis.

Who may send or fetch what was decided by the chat service: it hands out directives, and this module carries them out. Chunks of an upload are stored as
parts and acknowledged after that; what is next, and who may send it, is `core.transfers`. Nothing of an upload needs this process to live on: the
parts in the store say how far it came.

`receive_chunk`, `acknowledge`, `open_download` and `closed` never wait. Writers and senders are tasks of the group that `run` owns: one per upload while
chunks of it wait for the store, one per download until all is sent.
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
from obstore.store import ObjectStore

from garita_common.core import pushes
from garita_common.core.errors import AppError, Busy, CloseCode, Conflict, LimitReached, NotFound
from garita_common.core.frames import ChunkAck
from garita_common.core.ids import TransferId
from garita_common.core.records import FinishUpload, OpenDownload, OpenUpload
from garita_common.core.wire import encode_chunk, parse_chunk

from .blobs import STORE_ERRORS, Blobs
from .core.transfers import Download, Took, TransferLimits, Upload, check_memory

log = structlog.get_logger()


class Peer(Protocol):
    """A connection, as far as files need it."""

    @property
    def id(self) -> int:
        """Never used again in this process."""

    @property
    def user(self) -> str:
        """Whose connection it is."""

    @property
    def closed(self) -> bool:
        """Whether it has ended."""

    def send_json(self, data: bytes) -> None:
        """Queues an operation."""

    def send_chunk(self, payload: bytes) -> None:
        """Queues the payload of a chunk frame."""

    def queued_bytes(self) -> int:
        """How much waits for the client to read it."""

    def close(self, code: CloseCode, reason: str) -> None:
        """Ends the connection."""


class _Receiving:
    """An upload with what waits for the store. `lock` is held by whoever opens, finishes or drops it; `callers` counts those who wait too."""

    __slots__ = ("callers", "idle", "lock", "peer", "state", "waiting")

    def __init__(self, state: Upload) -> None:
        self.state = state
        self.peer: Peer | None = None
        self.waiting: deque[memoryview] = deque()
        self.idle = asyncio.Event()
        self.idle.set()
        self.lock = asyncio.Lock()
        self.callers = 0

    @property
    def over(self) -> bool:
        """Nobody sends, nothing waits, nobody is at work: the store alone knows the upload from here on."""
        return self.peer is None and self.idle.is_set() and not self.callers


class _Sending:
    """A download with its task; `moved` is set by each acknowledgement that opens the window."""

    __slots__ = ("moved", "state", "task")

    def __init__(self, state: Download) -> None:
        self.state = state
        self.moved = asyncio.Event()
        self.task: asyncio.Task[None] | None = None


class Transfers:
    """All uploads and downloads of one gateway process."""

    def __init__(self, store: ObjectStore, limits: TransferLimits) -> None:
        """Args: store: where parts and files are; shared with every other gateway."""
        self._blobs = Blobs(store, limits.store_timeout_s)
        self._limits = limits
        self._tasks: asyncio.TaskGroup | None = None
        self._uploads: dict[str, _Receiving] = {}
        self._opened: dict[int, set[str]] = {}
        self._downloads: dict[int, dict[str, _Sending]] = {}
        self._waiting_bytes = 0

    async def run(self) -> None:
        """Owns the tasks until cancelled; then what was not acknowledged is dropped."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    async def open_upload(self, peer: Peer, directive: OpenUpload) -> int:
        """Lets this connection, and from now on no other, send the upload's chunks; returns the offset to go on from.

        Raises:
            NotFound: it is another user's.
            Conflict: another connection took it over meanwhile, or this one has ended.
            Busy: the store does not answer.
        """
        receiving = self._receiving(directive.upload, peer.user, directive.size)
        self._give(receiving, None if peer.closed else peer)
        receiving.state.known = False
        try:
            async with self._alone(receiving):
                row = await self._blobs.found(directive.upload)
                if receiving.peer is not peer:
                    raise Conflict("Another connection has taken this upload over.")
                return receiving.state.begin(row)
        except STORE_ERRORS as exc:
            raise _failed("upload_not_opened", exc) from exc

    def receive_chunk(self, peer: Peer, payload: bytes) -> None:
        """Takes the payload of one chunk frame; the acknowledgement follows when it is stored.

        Raises:
            BadFrame: no chunk.
            Busy: no room, or the process is ending.
            AppError: what `core.transfers.Upload.take` raises.
        """
        chunk = parse_chunk(payload)
        receiving = self._uploads.get(chunk.transfer)
        if receiving is None:
            raise NotFound
        tasks = self._group()
        length = len(chunk.data)
        check_memory(self._waiting_bytes, length, self._limits)
        match receiving.state.take(peer.id, chunk.offset, length, len(receiving.waiting), self._limits):
            case Took.STORE:
                receiving.waiting.append(chunk.data)
                self._waiting_bytes += length
                if receiving.idle.is_set():
                    receiving.idle.clear()
                    tasks.create_task(self._write(receiving), name=f"upload-{chunk.transfer}")
            case Took.ASTRAY_NOW:
                self._acknowledge(receiving, receiving.state.stored)
            case Took.ASTRAY:
                pass

    async def assemble(self, peer: Peer, directive: FinishUpload) -> tuple[int, str]:
        """Makes one blob of the parts, as far as they reach without a hole, and deletes them; returns its size and SHA-256 (hex).

        A repeat finds the blob and reads it again, so that it works after a crash at any point.

        Raises:
            NotFound: it is another user's.
            Busy: the store does not answer; a repeat may.
        """
        receiving = self._receiving(directive.upload, peer.user, directive.size)
        try:
            async with self._alone(receiving):
                result = await self._blobs.assemble(directive.upload)
                self._give(receiving, None)
                return result
        except STORE_ERRORS as exc:
            raise _failed("upload_not_assembled", exc) from exc

    async def drop(self, upload: str) -> None:
        """Deletes what there is of an upload: its parts, what a crash left of an assembly, and a blob that was not accepted."""
        receiving = self._uploads.get(upload)
        try:
            if receiving is None:
                await self._blobs.delete(upload)
                return
            self._give(receiving, None)
            async with self._alone(receiving):
                await self._blobs.delete(upload)
        except STORE_ERRORS as exc:
            _failed("upload_not_dropped", exc)

    def open_download(self, peer: Peer, directive: OpenDownload) -> None:
        """Begins to send a file's chunks; the first leaves in a later turn of the loop, so after an answer that is sent now.

        A failure on the way is told by an `error` with the field `transfer`.

        Raises:
            LimitReached: too many downloads on this connection.
            Busy: the process is ending.
        """
        tasks = self._group()
        mine = self._downloads.get(peer.id, {})
        if len(mine) >= self._limits.downloads_per_connection:
            raise LimitReached("Too many downloads at once.")
        sending = _Sending(Download(directive.transfer, directive.size, directive.offset))
        self._downloads.setdefault(peer.id, mine)[directive.transfer] = sending
        sending.task = tasks.create_task(
            self._send(peer, sending, directive.key), name=f"download-{directive.transfer}"
        )

    def acknowledge(self, peer: Peer, ack: ChunkAck) -> None:
        """Takes a client's `chunk_ack`; one for a download that is over is nothing.

        Raises:
            BadRequest: it names bytes that were never sent.
        """
        sending = self._downloads.get(peer.id, {}).get(ack.transfer)
        if sending is not None and sending.state.acknowledge(ack.offset):
            sending.moved.set()

    def closed(self, peer: Peer) -> None:
        """The connection has ended: its downloads stop; what was received of its uploads is still stored, for whoever resumes them."""
        for sending in self._downloads.pop(peer.id, {}).values():
            if sending.task is not None:
                sending.task.cancel()
        for upload in list(self._opened.get(peer.id, ())):
            receiving = self._uploads[upload]
            self._give(receiving, None)
            self._forget_if_over(receiving)

    def _receiving(self, upload: str, user: str, size: int) -> _Receiving:
        receiving = self._uploads.get(upload)
        if receiving is None:
            receiving = self._uploads[upload] = _Receiving(Upload(upload, user, size))
        if receiving.state.user != user:
            raise NotFound
        return receiving

    def _give(self, receiving: _Receiving, peer: Peer | None) -> None:
        """Makes a connection, or none, the one that may send; keeps the list of what each has opened."""
        upload = receiving.state.id
        if receiving.peer is not None:
            mine = self._opened[receiving.peer.id]
            mine.discard(upload)
            if not mine:
                del self._opened[receiving.peer.id]
        if peer is not None:
            self._opened.setdefault(peer.id, set()).add(upload)
        receiving.peer = peer
        receiving.state.owner = None if peer is None else peer.id

    @asynccontextmanager
    async def _alone(self, receiving: _Receiving) -> AsyncIterator[None]:
        """Nobody else opens, finishes or drops this upload, no chunk is taken, and all that were are stored."""
        receiving.callers += 1
        try:
            async with asyncio.timeout(20 * self._limits.store_timeout_s), receiving.lock:
                receiving.state.held = True
                try:
                    await receiving.idle.wait()
                    yield
                finally:
                    receiving.state.held = False
        finally:
            receiving.callers -= 1
            self._forget_if_over(receiving)

    def _forget_if_over(self, receiving: _Receiving) -> None:
        if receiving.over:
            self._uploads.pop(receiving.state.id, None)

    async def _write(self, receiving: _Receiving) -> None:
        """Stores what waits, in order, until nothing does. Chunks that wait together become one part."""
        try:
            while receiving.waiting:
                chunks = list(receiving.waiting)
                if not await self._write_part(receiving.state, b"".join(chunks)):
                    self._discard(receiving)
                    continue
                for chunk, offset in zip(chunks, receiving.state.store(map(len, chunks)), strict=True):
                    receiving.waiting.popleft()
                    self._waiting_bytes -= len(chunk)
                    self._acknowledge(receiving, offset)
        finally:
            self._discard(receiving)
            receiving.idle.set()
            if receiving.state.settle():
                self._acknowledge(receiving, receiving.state.stored)
            self._forget_if_over(receiving)

    async def _write_part(self, state: Upload, data: bytes) -> bool:
        """Stores one part; false when the client must go on from `stored`: where another process has already stored one, that one counts."""
        try:
            if await self._blobs.create_part(state.id, state.stored, data):
                return True
            row = await self._blobs.found(state.id)
        except STORE_ERRORS as exc:
            _failed("chunk_not_stored", exc)
            await asyncio.sleep(self._limits.retry_s)
            state.fall_back()
        else:
            state.recount(row)
        return False

    def _discard(self, receiving: _Receiving) -> None:
        self._waiting_bytes -= sum(map(len, receiving.waiting))
        receiving.waiting.clear()

    def _acknowledge(self, receiving: _Receiving, offset: int) -> None:
        """Tells whoever sends; not one who is just opening the upload and will read the offset in the answer."""
        if receiving.state.known and receiving.peer is not None and not receiving.peer.closed:
            fields = {"transfer": receiving.state.id, "offset": offset}
            receiving.peer.send_json(pushes.push("chunk_ack", fields))

    async def _send(self, peer: Peer, sending: _Sending, key: str) -> None:
        state = sending.state
        try:
            while not state.all_sent and await self._room(peer, sending):
                data = await self._blobs.read(key, state.sent, state.may_send(self._limits))
                peer.send_chunk(encode_chunk(TransferId(state.id), state.sent, data))
                state.send(len(data))
        except FileNotFoundError as exc:
            _failed("blob_missing", exc)
            _tell(peer, state, NotFound("This file is not there any more."))
        except STORE_ERRORS as exc:
            _tell(peer, state, _failed("blob_not_read", exc))
        except LimitReached as exc:
            _tell(peer, state, exc)
        finally:
            mine = self._downloads.get(peer.id, {})
            mine.pop(state.id, None)
            if not mine:
                self._downloads.pop(peer.id, None)

    async def _room(self, peer: Peer, sending: _Sending) -> bool:
        """Waits until the next chunk may leave; false when the peer has closed.

        Raises:
            LimitReached: no acknowledgement came for too long.
        """
        while not peer.closed:
            sending.moved.clear()
            if not sending.state.may_send(self._limits):
                try:
                    async with asyncio.timeout(self._limits.ack_timeout_s):
                        await sending.moved.wait()
                except TimeoutError as exc:
                    raise LimitReached(
                        "No acknowledgement came; ask for the file again from where it stopped."
                    ) from exc
            elif peer.queued_bytes() >= self._limits.queue_bytes:
                await asyncio.sleep(self._limits.poll_s)
            else:
                return True
        return False

    def _group(self) -> asyncio.TaskGroup:
        if self._tasks is None:
            raise Busy("The gateway is ending. Please come back.")
        return self._tasks


def _tell(peer: Peer, state: Download, exc: AppError) -> None:
    """The answer was `ok` long ago, so what went wrong since names the transfer instead of a request."""
    if not peer.closed:
        fields = {"code": exc.code, "message": exc.sentence, "temporary": exc.temporary, "transfer": state.id}
        peer.send_json(pushes.push("error", fields))


def _failed(event: str, exc: Exception) -> Busy:
    """Logs what the store said, and gives what the client may know of it."""
    log.error(event, error=type(exc).__name__, detail=str(exc).partition("\n")[0])
    return Busy("The file store does not answer. Please repeat the request with the same cmid.", outcome="unknown")
