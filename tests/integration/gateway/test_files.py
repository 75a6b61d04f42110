"""Files through a whole gateway: up over one transport, down over the other, and never over Redis."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from garita_common.core.ids import TransferId
from garita_common.core.wire import encode_chunk, parse_chunk
from tests.fakes.wire_clients import Client

from .rig import rig, user_id

ROOM_MEMBERS = (user_id("ana"), user_id("ben"))
CHUNK = 64 * 1024


async def upload(client: Client, room: str, data: bytes, sha256: str | None = None) -> dict[str, object]:
    """The whole road of an upload; its last answer."""
    digest = sha256 or hashlib.sha256(data).hexdigest()
    begun = await client.change("upload", room=room, name="a.bin", size=len(data), sha256=digest)
    assert begun["op"] == "ok", begun
    offset = acked = begun["offset"]
    while acked < len(data):
        while offset < len(data) and offset - acked < 4 * CHUNK:
            client.send_chunk(encode_chunk(TransferId(begun["upload"]), offset, data[offset : offset + CHUNK]))
            offset += CHUNK
        acked = (await client.push("chunk_ack"))["offset"]
    return await client.change("upload_finish", upload=begun["upload"])


async def download(client: Client, file: str) -> bytes:
    """The whole road of a download."""
    begun = await client.ask("download", file=file)
    assert begun["op"] == "ok", begun
    data = b""
    while True:
        while client.chunks:
            chunk = parse_chunk(client.chunks.pop(0))
            assert (chunk.transfer, chunk.offset) == (begun["transfer"], len(data))
            data += chunk.data
            ack = b'{"op":"chunk_ack","transfer":"%s","offset":%d}' % (begun["transfer"].encode(), len(data))
            client.send_text(ack)
        if len(data) >= 300_000:
            return data
        await client.take()


@pytest.mark.parametrize(("up", "down"), [("tcp", "ws"), ("ws", "tcp")])
async def test_a_file_arrives_as_it_was(tmp_path: Path, redis_url: str, up: str, down: str) -> None:
    """The same bytes, by their hash."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*ROOM_MEMBERS)
        ana, ben = await it.user("ana", up), await it.user("ben", down)
        data = os.urandom(300_000)

        finished = await upload(ana, room.id, data)

        assert finished["op"] == "ok", finished
        file = finished["file"]
        assert isinstance(file, dict)
        assert await download(ben, file["id"]) == data


async def test_a_file_that_is_not_what_was_announced_is_rejected(tmp_path: Path, redis_url: str) -> None:
    """By its hash, and its parts are gone."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*ROOM_MEMBERS)
        ana = await it.user("ana")

        finished = await upload(ana, room.id, b"x" * 1000, sha256="0" * 64)

        assert finished["code"] == "file_rejected"
        assert [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()] == []


async def test_an_upload_goes_on_where_it_was(tmp_path: Path, redis_url: str) -> None:
    """After a lost connection the answer says from where."""
    async with rig(tmp_path, redis_url) as it:
        room = it.chat.room(*ROOM_MEMBERS)
        data = os.urandom(200_000)
        fields = {"room": room.id, "name": "a", "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        cmid = "0190a0a0-0000-7000-8000-000000000001"
        ana = await it.user("ana")
        begun = await ana.ask("upload", cmid=cmid, **fields)
        ana.send_chunk(encode_chunk(TransferId(begun["upload"]), 0, data[:CHUNK]))
        assert (await ana.push("chunk_ack"))["offset"] == CHUNK
        ana.abort()

        again = await (await it.user("ana", "ws")).ask("upload", cmid=cmid, **fields)

        assert (again["upload"], again["offset"]) == (begun["upload"], CHUNK)


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_chunks_of_nothing_are_errors_and_malformed_ones_the_end(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """An unknown transfer is answered; too few bytes for a chunk is no chunk."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana", transport)

        client.send_chunk(encode_chunk(TransferId("ab" * 16), 0, b"x"))
        assert (await client.push("error"))["code"] == "not_found"

        client.send_chunk(b"short")
        closed = await client.end()
        assert closed.disconnect is not None
        assert closed.disconnect["code"] == 4501


@pytest.mark.parametrize("owner", ["upload_bytes", "user_upload_bytes"])
async def test_an_upload_over_its_budget_is_slowed_to_it(tmp_path: Path, redis_url: str, owner: str) -> None:
    """The connection's or the user's: reading pauses, and the file arrives all the same."""
    limits: dict[str, Any] = {f"{owner}_burst": 2 * CHUNK, f"{owner}_per_s": 1024 * 1024}
    async with rig(tmp_path, redis_url, **limits) as it:
        room = it.chat.room(*ROOM_MEMBERS)
        finished = await upload(await it.user("ana"), room.id, os.urandom(300_000))

        assert finished["op"] == "ok"
        assert it.figure("gateway_read_pauses_total") > 0
