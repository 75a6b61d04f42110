"""Files through the lasting connection, with connections that break on the way."""

import hashlib
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from garita_client import Client, RequestRefused, TransferFailed, download, upload
from tests.fakes.chat_server import ChatServer

from .test_connection import DEADLINE_S, FAST, FixedTokens

SIZE = 1_000_003


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer().running() as server:
        yield server


@pytest.fixture(params=["tcp", "ws"])
async def client(request: pytest.FixtureRequest, server: ChatServer) -> AsyncIterator[Client]:
    async with Client(server.tcp if request.param == "tcp" else server.ws, FixedTokens(), timing=FAST) as client:
        yield client


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "source.bin"
    path.write_bytes(os.urandom(SIZE))
    return path


@pytest.mark.parametrize("cut", [None, 300_000])
async def test_file_goes_there_and_back(server: ChatServer, client: Client, source: Path, cut: int | None) -> None:
    """The same bytes arrive, also when the connection breaks in the middle of both ways."""
    room = server.add_room()
    server.faults.cut_upload_after = server.faults.cut_download_after = cut
    steps: list[int] = []
    await client.join(room.id, timeout_s=DEADLINE_S)

    file = await upload(client, room.id, source, progress=lambda done, _: steps.append(done), stall_s=DEADLINE_S)
    target = source.with_name("target.bin")
    await download(client, file.id, target, stall_s=DEADLINE_S)

    assert hashlib.sha256(target.read_bytes()).hexdigest() == hashlib.sha256(source.read_bytes()).hexdigest()
    assert steps == sorted(steps)
    assert steps[-1] == SIZE
    assert client.counters.connections == (1 if cut is None else 3)
    assert not target.with_name("target.bin.part").exists()


async def test_wrong_bytes_are_not_kept(server: ChatServer, client: Client, source: Path) -> None:
    """A file whose hash differs is not saved under its name."""
    room = server.add_room()
    await client.join(room.id, timeout_s=DEADLINE_S)
    file = await upload(client, room.id, source, stall_s=DEADLINE_S)
    info, data = server.files[file.id]
    server.files[file.id] = (info, bytes([data[0] ^ 1]) + data[1:])
    target = source.with_name("target.bin")

    with pytest.raises(TransferFailed):
        await download(client, file.id, target, stall_s=DEADLINE_S)

    assert not target.exists()


async def test_refusal_is_raised(server: ChatServer, client: Client, tmp_path: Path) -> None:
    """A file that is not there."""
    with pytest.raises(RequestRefused):
        await download(client, "f" + "0" * 32, tmp_path / "x", stall_s=DEADLINE_S)
