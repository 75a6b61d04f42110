"""Files through a real folder: upload, resume, finish, fetch, and what happens when connections end and the store fails."""

import asyncio
import hashlib
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from garita_common.core.errors import BadFrame, BadRequest, Busy, CloseCode, Conflict, LimitReached, NotFound, TooLarge
from garita_common.core.frames import ChunkAck
from garita_common.core.ids import TransferId
from garita_common.core.records import FinishUpload, OpenDownload, OpenUpload
from garita_common.core.wire import encode_chunk, parse_chunk
from gateway.blobs import open_store
from gateway.core.transfers import TransferLimits
from gateway.transfers import Transfers

UPLOAD = "ab" * 16
DOWNLOAD = "cd" * 16
CHUNK = 64 * 1024
QUICK = TransferLimits(retry_s=0.01, poll_s=0.001)
WAIT_S = 20.0


class WirePeer:
    """A connection whose client we are: what was sent to it, and how much of it is unread."""

    def __init__(self, number: int = 1, user: str = "u1") -> None:
        self.id = number
        self.user = user
        self.closed = False
        self.unread = 0
        self.acks: list[int] = []
        self.errors: list[str] = []
        self.data = bytearray()
        self.unacked = 0
        self.most_unacked = 0

    def send_json(self, data: bytes) -> None:
        frame = msgspec.json.decode(data)
        if frame["op"] == "chunk_ack":
            assert frame["transfer"] == UPLOAD
            self.acks.append(frame["offset"])
        else:
            assert frame["transfer"] == DOWNLOAD
            self.errors.append(frame["code"])

    def send_chunk(self, payload: bytes) -> None:
        chunk = parse_chunk(payload)
        assert (chunk.transfer, chunk.offset) == (DOWNLOAD, len(self.data))
        self.data += chunk.data
        self.unacked += 1
        self.most_unacked = max(self.most_unacked, self.unacked)

    def queued_bytes(self) -> int:
        return self.unread

    def close(self, code: CloseCode, reason: str) -> None:
        raise AssertionError((code, reason))


@asynccontextmanager
async def running(folder: Path, limits: TransferLimits = QUICK) -> AsyncIterator[Transfers]:
    """One gateway process's transfers over a folder, ended at the end of the block."""
    transfers = Transfers(open_store(folder.as_uri()), limits)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(transfers.run())
        await asyncio.sleep(0)
        yield transfers
        task.cancel()


async def until(condition: Callable[[], bool]) -> None:
    """Waits for something that another task brings about."""
    async with asyncio.timeout(WAIT_S):
        while not condition():
            await asyncio.sleep(0.001)


def announce(data: bytes) -> OpenUpload:
    return OpenUpload(UPLOAD, "r1", len(data), hashlib.sha256(data).hexdigest())


def finish(data: bytes) -> FinishUpload:
    return FinishUpload(UPLOAD, "cmid", len(data))


def chunk(data: bytes, offset: int, length: int = CHUNK) -> bytes:
    return encode_chunk(TransferId(UPLOAD), offset, data[offset : offset + length])


async def send_all(transfers: Transfers, peer: WirePeer, data: bytes, offset: int, stop: int | None = None) -> int:
    """Sends like a good client: never more than four chunks ahead of the acknowledgements. Returns the last acknowledged offset."""
    peer.acks.clear()
    sent = offset
    stop = len(data) if stop is None else stop
    while True:
        acked = max([offset, *peer.acks])
        if acked >= stop:
            return acked
        if sent < stop and sent - acked < 4 * CHUNK:
            piece = data[sent : min(sent + CHUNK, stop)]
            transfers.receive_chunk(peer, encode_chunk(TransferId(UPLOAD), sent, piece))
            sent += len(piece)
        else:
            await until(lambda acked=acked: max([offset, *peer.acks]) > acked)  # type: ignore[misc]


async def test_a_file_goes_up_and_down(tmp_path: Path) -> None:
    """A file of five MiB comes back with the same bytes, and nothing but the file is left in the store."""
    data = os.urandom(5 * 1024 * 1024 + 17)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        assert await transfers.open_upload(peer, announce(data)) == 0
        await send_all(transfers, peer, data, 0)
        assert await transfers.assemble(peer, finish(data)) == (len(data), hashlib.sha256(data).hexdigest())

        transfers.open_download(peer, OpenDownload(DOWNLOAD, f"files/{UPLOAD}", len(data), 0))
        while len(peer.data) < len(data):
            await until(lambda: peer.unacked > 0)
            peer.unacked = 0
            transfers.acknowledge(peer, ChunkAck(transfer=DOWNLOAD, offset=len(peer.data)))

    assert bytes(peer.data) == data
    assert peer.most_unacked <= QUICK.window
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()] == [
        f"files/{UPLOAD}"
    ]


async def test_each_chunk_is_acknowledged_in_order(tmp_path: Path) -> None:
    """Four chunks sent together give four acknowledgements, even if they were stored as one part."""
    data = os.urandom(4 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        for number in range(4):
            transfers.receive_chunk(peer, chunk(data, number * CHUNK))
        await until(lambda: len(peer.acks) == 4)

    assert peer.acks == [CHUNK, 2 * CHUNK, 3 * CHUNK, 4 * CHUNK]


async def test_an_upload_resumes_in_another_process(tmp_path: Path) -> None:
    """What was acknowledged is found again by another gateway over the same folder, and the file is whole at the end."""
    data = os.urandom(10 * CHUNK)
    async with running(tmp_path) as first:
        peer = WirePeer()
        await first.open_upload(peer, announce(data))
        acked = await send_all(first, peer, data, 0, stop=3 * CHUNK + 100)

    async with running(tmp_path) as second:
        peer = WirePeer()
        offset = await second.open_upload(peer, announce(data))
        assert offset == acked
        await send_all(second, peer, data, offset)
        assert await second.assemble(peer, finish(data)) == (len(data), hashlib.sha256(data).hexdigest())


async def test_two_processes_cannot_spoil_an_upload(tmp_path: Path) -> None:
    """Two gateways that store the same upload at once make one whole file: parts are never written over."""
    data = os.urandom(12 * CHUNK)
    one, two = WirePeer(1), WirePeer(2)
    async with running(tmp_path) as first, running(tmp_path) as second:
        await first.open_upload(one, announce(data))
        await second.open_upload(two, announce(data))
        first.receive_chunk(one, chunk(data, 0, 100))
        await until(lambda: one.acks == [100])

        second.receive_chunk(two, chunk(data, 0, 50))
        await until(lambda: two.acks == [100])
        await send_all(second, two, data, 100)

        assert await first.assemble(one, finish(data)) == (len(data), hashlib.sha256(data).hexdigest())
        assert await second.assemble(two, finish(data)) == (len(data), hashlib.sha256(data).hexdigest())


async def test_finishing_may_be_repeated(tmp_path: Path) -> None:
    """A second `upload_finish`, also of another process after a crash, gives the same size and hash."""
    data = os.urandom(3 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        await send_all(transfers, peer, data, 0)
        first = await transfers.assemble(peer, finish(data))
        again = await transfers.assemble(peer, finish(data))

    async with running(tmp_path) as transfers:
        later = await transfers.assemble(peer, finish(data))
        assert await transfers.open_upload(peer, announce(data)) == len(data)

    assert first == again == later == (len(data), hashlib.sha256(data).hexdigest())


async def test_an_unfinished_upload_is_told_by_its_size(tmp_path: Path) -> None:
    """Finishing too early gives the true size, so that the chat service can refuse it; nothing at all is a file of no bytes."""
    data = os.urandom(3 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        await send_all(transfers, peer, data, 0, stop=CHUNK)
        assert await transfers.assemble(peer, finish(data)) == (CHUNK, hashlib.sha256(data[:CHUNK]).hexdigest())
        await transfers.drop(UPLOAD)
        assert await transfers.assemble(peer, finish(data)) == (0, hashlib.sha256(b"").hexdigest())


async def test_dropping_leaves_nothing(tmp_path: Path) -> None:
    """Parts, a refused blob and what a killed process left half written are deleted; dropping again does nothing."""
    data = os.urandom(3 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        await send_all(transfers, peer, data, 0)
        (tmp_path / "uploads" / UPLOAD / f"{0:016x}#1").write_bytes(b"half")
        (tmp_path / "files").mkdir()
        (tmp_path / "files" / f"{UPLOAD}#2").write_bytes(b"half")
        (tmp_path / "files" / ("ef" * 16)).write_bytes(b"another file")
        await transfers.drop(UPLOAD)
        with pytest.raises(NotFound):
            transfers.receive_chunk(peer, chunk(data, 0))
        await transfers.drop(UPLOAD)

    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["ef" * 16]


async def test_who_may_send(tmp_path: Path) -> None:
    """Not another user, not a second connection; after a re-opening only the newer one, after the first has closed another one."""
    data = os.urandom(4 * CHUNK)
    one, two, stranger = WirePeer(1), WirePeer(2), WirePeer(3, "u2")
    async with running(tmp_path) as transfers:
        await transfers.open_upload(one, announce(data))
        with pytest.raises(NotFound):
            transfers.receive_chunk(two, chunk(data, 0))
        with pytest.raises(NotFound):
            await transfers.open_upload(stranger, announce(data))
        with pytest.raises(NotFound):
            await transfers.assemble(stranger, finish(data))
        transfers.receive_chunk(one, chunk(data, 0))

        assert await transfers.open_upload(two, announce(data)) == CHUNK
        with pytest.raises(NotFound):
            transfers.receive_chunk(one, chunk(data, CHUNK))
        transfers.receive_chunk(two, chunk(data, CHUNK))
        await until(lambda: two.acks == [2 * CHUNK])

        two.closed = True
        transfers.closed(two)
        with pytest.raises(NotFound):
            transfers.receive_chunk(two, chunk(data, 2 * CHUNK))
        assert await transfers.open_upload(one, announce(data)) == 2 * CHUNK


async def test_a_closed_connection_leaves_what_it_sent(tmp_path: Path) -> None:
    """Chunks that were received before a connection ended are stored, and the next one goes on behind them."""
    data = os.urandom(4 * CHUNK)
    peer, next_peer = WirePeer(1), WirePeer(2)
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        transfers.receive_chunk(peer, chunk(data, 0))
        transfers.receive_chunk(peer, chunk(data, CHUNK))
        peer.closed = True
        transfers.closed(peer)

        assert await transfers.open_upload(next_peer, announce(data)) == 2 * CHUNK
    assert peer.acks == []


async def test_an_upload_cannot_be_opened_by_a_closed_connection(tmp_path: Path) -> None:
    """A connection that ended while the store was asked owns nothing."""
    data = os.urandom(CHUNK)
    peer = WirePeer()
    peer.closed = True
    async with running(tmp_path) as transfers:
        with pytest.raises(Conflict):
            await transfers.open_upload(peer, announce(data))


async def test_a_chunk_elsewhere_is_answered_with_the_offset(tmp_path: Path) -> None:
    """A wrong offset is answered by a `chunk_ack` with the right one, and the upload goes on."""
    data = os.urandom(2 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        transfers.receive_chunk(peer, chunk(data, CHUNK))
        assert peer.acks == [0]

        transfers.receive_chunk(peer, chunk(data, 0))
        transfers.receive_chunk(peer, chunk(data, 0))
        await until(lambda: peer.acks == [0, CHUNK, CHUNK])
        transfers.receive_chunk(peer, chunk(data, CHUNK))
        await until(lambda: peer.acks[-1] == 2 * CHUNK)


async def test_bad_chunks_are_refused(tmp_path: Path) -> None:
    """No chunk, an unknown transfer, too much, and a fifth unacknowledged one: each its own error, and the good ones are stored."""
    data = os.urandom(5 * CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        with pytest.raises(BadFrame):
            transfers.receive_chunk(peer, b"x" * 24)
        with pytest.raises(NotFound):
            transfers.receive_chunk(peer, encode_chunk(TransferId("00" * 16), 0, b"x"))
        with pytest.raises(TooLarge):
            transfers.receive_chunk(peer, encode_chunk(TransferId(UPLOAD), 0, b"x" * (CHUNK + 1)))
        for number in range(4):
            transfers.receive_chunk(peer, chunk(data, number * CHUNK))
        with pytest.raises(LimitReached):
            transfers.receive_chunk(peer, chunk(data, 4 * CHUNK))
        await until(lambda: len(peer.acks) == 4)
        transfers.receive_chunk(peer, chunk(data, 4 * CHUNK))
        with pytest.raises(TooLarge):
            transfers.receive_chunk(peer, encode_chunk(TransferId(UPLOAD), 5 * CHUNK, b"x"))
        await until(lambda: len(peer.acks) == 5)


async def test_a_failing_store_asks_for_the_chunk_again(tmp_path: Path) -> None:
    """While parts cannot be written nothing is acknowledged anew; the client is asked to go on from what is stored, and then it works."""
    data = os.urandom(2 * CHUNK)
    peer = WirePeer()
    blocked = tmp_path / "uploads"
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))
        blocked.write_bytes(b"a file where a folder must be")
        transfers.receive_chunk(peer, chunk(data, 0))
        await until(lambda: peer.acks == [0])

        blocked.unlink()
        transfers.receive_chunk(peer, chunk(data, 0))
        await until(lambda: peer.acks == [0, CHUNK])


async def test_a_failing_store_is_busy(tmp_path: Path) -> None:
    """Opening and finishing are refused with `busy` while the store cannot answer."""
    data = os.urandom(CHUNK)
    peer = WirePeer()
    async with running(tmp_path / "blobs") as transfers:
        (tmp_path / "blobs").rmdir()
        (tmp_path / "blobs").write_bytes(b"a file where the store must be")
        with pytest.raises(Busy):
            await transfers.open_upload(peer, announce(data))
        with pytest.raises(Busy):
            await transfers.assemble(peer, finish(data))


async def stored(folder: Path, data: bytes) -> OpenDownload:
    """A finished file in the store, ready to be fetched."""
    (folder / "files").mkdir(parents=True)
    (folder / "files" / UPLOAD).write_bytes(data)
    return OpenDownload(DOWNLOAD, f"files/{UPLOAD}", len(data), 0)


async def test_a_download_stops_at_its_window(tmp_path: Path) -> None:
    """Four chunks leave without an acknowledgement; each acknowledgement lets as many more leave as it covers."""
    data = os.urandom(10 * CHUNK)
    peer = WirePeer()
    directive = await stored(tmp_path, data)
    async with running(tmp_path) as transfers:
        transfers.open_download(peer, directive)
        assert not peer.data
        await until(lambda: len(peer.data) == 4 * CHUNK)
        await asyncio.sleep(0.05)
        assert len(peer.data) == 4 * CHUNK

        transfers.acknowledge(peer, ChunkAck(transfer=DOWNLOAD, offset=3 * CHUNK))
        await until(lambda: len(peer.data) == 7 * CHUNK)
        with pytest.raises(BadRequest):
            transfers.acknowledge(peer, ChunkAck(transfer=DOWNLOAD, offset=8 * CHUNK))
        transfers.acknowledge(peer, ChunkAck(transfer=DOWNLOAD, offset=7 * CHUNK))
        await until(lambda: len(peer.data) == 10 * CHUNK)
    assert bytes(peer.data) == data


async def test_a_download_waits_for_a_slow_reader(tmp_path: Path) -> None:
    """Nothing leaves while a quarter of the outgoing queue is full."""
    peer = WirePeer()
    peer.unread = QUICK.queue_bytes
    directive = await stored(tmp_path, os.urandom(CHUNK))
    async with running(tmp_path) as transfers:
        transfers.open_download(peer, directive)
        await asyncio.sleep(0.05)
        assert not peer.data

        peer.unread = QUICK.queue_bytes - 1
        await until(lambda: len(peer.data) == CHUNK)


async def test_a_download_ends_with_its_connection(tmp_path: Path) -> None:
    """After `closed` nothing is sent, and late acknowledgements are nothing."""
    peer = WirePeer()
    directive = await stored(tmp_path, os.urandom(10 * CHUNK))
    async with running(tmp_path) as transfers:
        transfers.open_download(peer, directive)
        await until(lambda: len(peer.data) == 4 * CHUNK)
        peer.closed = True
        transfers.closed(peer)
        transfers.acknowledge(peer, ChunkAck(transfer=DOWNLOAD, offset=4 * CHUNK))
        await asyncio.sleep(0.05)
    assert len(peer.data) == 4 * CHUNK


async def test_a_missing_blob_is_told(tmp_path: Path) -> None:
    """A file that is gone, or shorter than recorded, ends the download with an error that names the transfer."""
    peer = WirePeer()
    directive = await stored(tmp_path, os.urandom(CHUNK))
    async with running(tmp_path) as transfers:
        transfers.open_download(peer, msgspec.structs.replace(directive, key="files/none"))
        await until(lambda: peer.errors == ["not_found"])
        transfers.open_download(peer, msgspec.structs.replace(directive, size=CHUNK + 1))
        await until(lambda: len(peer.errors) == 2)
    assert bytes(peer.data) == (tmp_path / "files" / UPLOAD).read_bytes()


async def test_a_download_without_acknowledgements_ends(tmp_path: Path) -> None:
    """A client that never acknowledges is told, and its memory is given back; there are only so many downloads at once."""
    limits = TransferLimits(ack_timeout_s=0.05, downloads_per_connection=1)
    peer = WirePeer()
    directive = await stored(tmp_path, os.urandom(10 * CHUNK))
    async with running(tmp_path, limits) as transfers:
        transfers.open_download(peer, directive)
        with pytest.raises(LimitReached):
            transfers.open_download(peer, directive)
        await until(lambda: peer.errors == ["limit"])
        peer.data.clear()
        transfers.open_download(peer, directive)


async def test_nothing_begins_after_the_end(tmp_path: Path) -> None:
    """A gateway that is ending takes no chunk and begins no download."""
    data = os.urandom(CHUNK)
    peer = WirePeer()
    async with running(tmp_path) as transfers:
        await transfers.open_upload(peer, announce(data))

    with pytest.raises(Busy):
        transfers.receive_chunk(peer, chunk(data, 0))
    with pytest.raises(Busy):
        transfers.open_download(peer, OpenDownload(DOWNLOAD, "files/x", 1, 0))
