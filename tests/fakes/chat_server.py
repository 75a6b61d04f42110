"""A small chat server that speaks docs/protocol.md on both transports, keeps everything in memory and can be told to misbehave.

It is honest: cmids are answered with the first answer, a room's seq has no gaps, resume is decided by the cursor. Faults are switched on one
by one, so a test shows one of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import secrets
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from garita_common.core.ids import TransferId
from garita_common.core.wire import Kind, encode_chunk, encode_frame, parse_chunk
from tests.fakes.chat_peer import Faults, Peer
from tests.fakes.chat_room import Frame, Refused, Room

CHUNK_BYTES = 64 * 1024
HINTS = ("read", "received", "typing")


@dataclass
class Upload:
    """Bytes on their way."""

    id: str
    fields: Frame
    data: bytearray = field(default_factory=bytearray)


class ChatServer:
    """See the module; `tcp` and `ws` are its addresses."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.rooms: dict[str, Room] = {}
        self.peers: list[Peer] = []
        self.connects: list[Frame] = []
        self.requests: Counter[str] = Counter()
        self.answers: dict[tuple[str, str], Frame] = {}
        self.uploads: dict[str, Upload] = {}
        self.files: dict[str, tuple[Frame, bytes]] = {}
        self.me_head = 0
        self.ping_interval_ms = 25_000
        self.refuse_upgrade: tuple[int, Frame, dict[str, str]] | None = None
        self.tcp = self.ws = ""

    # --- what tests do ------------------------------------------------------------------------------------------------------------

    def add_room(self, title: str = "plaza") -> Room:
        room = Room("r" + secrets.token_hex(16), title)
        self.rooms[room.id] = room
        return room

    async def store(self, room: Room, op: str, user: Frame, **fields: Any) -> Frame:
        """An event of a room: kept, and pushed to its members unless a push is to be lost."""
        event = room.add(op, user, **fields)
        await self._push(room, event)
        return event

    async def _push(self, room: Room, event: Frame) -> None:
        also = event.pop("_also", None)
        if self.faults.lose_pushes:
            self.faults.lose_pushes -= 1
            return
        for peer in list(self.peers):
            if peer.user and (peer.user["id"] in room.members or peer.user["id"] == also):
                await peer.say(event)

    async def post(self, room: Room, text: str) -> Frame:
        """A message of somebody else's."""
        user = {"id": "u" + "0" * 32, "name": "otra"}
        return await self.store(room, "message", user, mid=str(uuid.uuid4()), cmid=str(uuid.uuid4()), text=text)

    async def cut_all(self) -> None:
        """Every connection ends without a word."""
        for peer in list(self.peers):
            await peer.cut()

    async def disconnect_all(self, code: int, **fields: Any) -> None:
        """Every connection is told why and closed."""
        for peer in list(self.peers):
            await peer.say(
                {"op": "disconnect", "code": code, "reason": "test", "reconnect": code < 4500, "after_ms": 0} | fields
            )
            await peer.cut(code)

    async def push_all(self, frame: Frame) -> None:
        for peer in list(self.peers):
            await peer.say(frame)

    # --- the protocol -------------------------------------------------------------------------------------------------------------

    async def hear(self, peer: Peer, data: bytes) -> None:
        """One JSON frame."""
        if self.faults.silent:
            return
        frame: Frame = json.loads(data)
        op = frame["op"]
        self.requests[op] += 1
        if op == "pong":
            peer.pongs += 1
        elif op == "chunk_ack":
            await self._continue_download(peer, frame)
        elif op == "connect":
            await self._connect(peer, frame)
        elif peer.user is None:
            await self._refuse(peer, frame, "unauthenticated")
        elif op in HINTS:
            await self._hint(peer, op, frame)
        else:
            await self._request(peer, op, frame)

    async def hear_chunk(self, peer: Peer, payload: bytes) -> None:
        """One binary frame."""
        chunk = parse_chunk(payload)
        upload = self.uploads.get(chunk.transfer)
        if upload is None or self.faults.silent:
            return
        if chunk.offset == len(upload.data):
            upload.data += chunk.data
        limit = self.faults.cut_upload_after
        if limit is not None and len(upload.data) >= limit:
            self.faults.cut_upload_after = None
            await peer.cut()
            return
        await peer.say({"op": "chunk_ack", "transfer": upload.id, "offset": len(upload.data)})

    async def _connect(self, peer: Peer, frame: Frame) -> None:
        self.connects.append(frame)
        token = frame["token"]
        for text, code in ((self.faults.refuse_token, 4403), (self.faults.bad_token, 4500)):
            if text is not None and token == text:
                await peer.say(
                    {"op": "disconnect", "code": code, "reason": "token", "reconnect": code < 4500, "after_ms": 0}
                )
                await peer.cut(code)
                return
        name = token.split(":")[0]
        peer.user = {"id": "u" + hashlib.md5(name.encode()).hexdigest(), "name": name}  # noqa: S324 - a name for a test
        resume = frame.get("resume", {})
        mine = [room for room in self.rooms.values() if peer.user["id"] in room.members]
        states, missed = {}, []
        for room in mine:
            cursor = resume.get(room.id)
            behind = room.events[cursor[1] :] if cursor and cursor[0] == room.epoch else None
            recovered = behind is not None and len(behind) <= self.faults.recover_at_most
            states[room.id] = {"epoch": room.epoch, "head": room.head, "recovered": recovered}
            missed += behind if recovered and behind else []
        await peer.say({
            "op": "ok", "id": frame["id"], "session": "s1", "connection": "c1", "user": peer.user, "expires": 2_000_000_000_000,
            "ping_interval_ms": self.ping_interval_ms, "rooms": states,
            "me": {"head": self.me_head, "recovered": resume.get("@me") == self.me_head},
            "limits": {"frame_bytes": 32768, "text_bytes": 8192, "chunk_bytes": 65536, "file_bytes": 26214400, "rooms": 128},
        })  # fmt: skip
        for event in missed:
            await peer.say(event)

    async def _request(self, peer: Peer, op: str, frame: Frame) -> None:
        assert peer.user is not None
        if self.faults.rate_limited[op] > 0:
            self.faults.rate_limited[op] -= 1
            await self._refuse(peer, frame, "rate_limited", temporary=True, retry_after_ms=20)
            return
        key = (peer.user["id"], frame.get("cmid", ""))
        known = self.answers.get(key) if key[1] else None
        if known is not None and op != "upload":
            await peer.say({"op": "ok", "id": frame["id"], **known, "dup": True})
            return
        try:
            result = await self._carry_out(peer, op, frame)
        except Refused as refused:
            await self._refuse(peer, frame, str(refused))
            return
        if key[1]:
            self.answers[key] = result
        if self.faults.lose_answer(op, frame):
            await peer.cut()
        elif self.faults.busy_unknown[op] > 0:
            self.faults.busy_unknown[op] -= 1
            await self._refuse(peer, frame, "busy", temporary=True, retry_after_ms=20, outcome="unknown")
        else:
            await peer.say({"op": "ok", "id": frame["id"], **result})
            if op == "download":
                await self._continue_download(peer, {"transfer": result["transfer"], "offset": result["offset"]})

    async def _hint(self, peer: Peer, op: str, frame: Frame) -> None:
        """Told to the others of a room (marks to oneself too); refused without an id."""
        assert peer.user is not None
        try:
            push = self._room(frame).hint(op, peer.user, frame)
        except Refused as refused:
            await self._refuse(peer, frame, str(refused))
            return
        for other in list(self.peers):
            if other.user and other.user["id"] in self._room(frame).members and (op != "typing" or other is not peer):
                await other.say(push)

    def _room(self, frame: Frame) -> Room:
        room = self.rooms.get(frame.get("room", ""))
        if room is None:
            raise Refused("not_found")
        return room

    async def _carry_out(self, peer: Peer, op: str, frame: Frame) -> Frame:
        user = peer.user or {}
        match op:
            case "renew":
                return {"expires": 2_000_000_000_000}
            case "rooms":
                return {"rooms": [room.info(user) for room in self.rooms.values()]}
            case "create_room":
                made = self.add_room(frame.get("title") or "")
                made.carry_out("join", user, frame)
                made.out.clear()
                return {"room": made.info(user), "epoch": made.epoch, "seq": made.head}
            case "search" if "room" not in frame:
                mine = [room for room in self.rooms.values() if user["id"] in room.members]
                return {"hits": [hit for room in mine for hit in room.search(frame)["hits"]]}
            case "upload":
                return self._upload(user, frame)
            case "upload_finish":
                return self._finish(frame)
            case "download":
                return self._download(peer, frame)
            case _:
                return await self._in_room(user, op, frame)

    async def _in_room(self, user: Frame, op: str, frame: Frame) -> Frame:
        room = self._room(frame)
        if op == "send":
            result = room.say(user, frame, [self.files[file][0] for file in frame.get("files", ())])
        else:
            result = room.carry_out(op, user, frame)
        events, room.out = room.out, []
        for event in events:
            await self._push(room, event)
        return result

    def _upload(self, user: Frame, frame: Frame) -> Frame:
        known = self.answers.get((user["id"], frame["cmid"]))
        upload_id = known["upload"] if known else secrets.token_hex(16)
        upload = self.uploads.setdefault(upload_id, Upload(upload_id, frame))
        return {"upload": upload_id, "offset": len(upload.data), "chunk_bytes": CHUNK_BYTES, "window": 4}

    def _finish(self, frame: Frame) -> Frame:
        upload = self.uploads.pop(frame["upload"], None)
        if upload is None:
            raise Refused("not_found")
        data, fields = bytes(upload.data), upload.fields
        assert len(data) == fields["size"]
        assert hashlib.sha256(data).hexdigest() == fields["sha256"]
        info = {key: fields[key] for key in ("room", "name", "size", "sha256", "type")} | {
            "id": "f" + secrets.token_hex(16),
            "by": "u",
            "ts": 0,
        }
        self.files[info["id"]] = (info, data)
        return {"file": info}

    def _download(self, peer: Peer, frame: Frame) -> Frame:
        if frame["file"] not in self.files:
            raise Refused("not_found")
        info, _ = self.files[frame["file"]]
        transfer = secrets.token_hex(16)
        peer.downloads[transfer] = (info, frame.get("offset", 0))
        return {"transfer": transfer, "file": info, "offset": frame.get("offset", 0), "window": 4}

    async def _continue_download(self, peer: Peer, ack: Frame) -> None:
        """Sends up to four chunks beyond what is acknowledged."""
        transfer = ack["transfer"]
        if transfer not in peer.downloads:
            return
        info, sent = peer.downloads[transfer]
        data = self.files[info["id"]][1]
        while sent < len(data) and sent - ack["offset"] < 4 * CHUNK_BYTES:
            piece = data[sent : sent + CHUNK_BYTES]
            await peer.say_chunk(encode_chunk(TransferId(transfer), sent, piece))
            sent += len(piece)
            peer.downloads[transfer] = (info, sent)
            limit = self.faults.cut_download_after
            if limit is not None and sent >= limit:
                self.faults.cut_download_after = None
                await peer.cut()
                return

    async def _refuse(self, peer: Peer, frame: Frame, code: str, **fields: Any) -> None:
        error = {"op": "error", "code": code, "message": "refused", "temporary": False}
        named = {"id": frame["id"]} if "id" in frame else {}
        await peer.say(error | named | fields)

    # --- transports ---------------------------------------------------------------------------------------------------------------

    async def _tcp_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async def text(data: str) -> None:
            writer.write(encode_frame(Kind.JSON, data.encode()))
            await writer.drain()

        async def binary(data: bytes) -> None:
            writer.write(encode_frame(Kind.CHUNK, data))
            await writer.drain()

        async def close(code: int | None) -> None:
            writer.close()

        peer = Peer(text, binary, close)
        self.peers.append(peer)
        try:
            while True:
                head = await reader.readexactly(5)
                payload = await reader.readexactly(int.from_bytes(head[1:], "big"))
                await (self.hear if head[0] == Kind.JSON else self.hear_chunk)(peer, payload)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.peers.remove(peer)
            writer.close()

    async def _ws_client(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_upgrade is not None:
            status, body, headers = self.refuse_upgrade
            return web.json_response(body, status=status, headers=headers)
        socket = web.WebSocketResponse(protocols=("garita.v1",), compress=False)
        await socket.prepare(request)

        async def close(code: int | None) -> None:
            if code is not None:
                await socket.close(code=code)
            elif request.transport is not None:
                request.transport.abort()

        peer = Peer(socket.send_str, socket.send_bytes, close)
        self.peers.append(peer)
        try:
            async for message in socket:
                if message.type is WSMsgType.TEXT:
                    await self.hear(peer, message.data.encode())
                elif message.type is WSMsgType.BINARY:
                    await self.hear_chunk(peer, message.data)
        finally:
            self.peers.remove(peer)
        return socket

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[ChatServer]:
        """Both ports are open inside the block."""
        app = web.Application()
        app.router.add_get("/v1/socket", self._ws_client)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        tcp = await asyncio.start_server(self._tcp_client, "127.0.0.1", 0)
        self.ws = f"ws://127.0.0.1:{runner.addresses[0][1]}"
        self.tcp = f"tcp://127.0.0.1:{tcp.sockets[0].getsockname()[1]}"
        try:
            yield self
        finally:
            await self.cut_all()
            tcp.close()
            await runner.cleanup()
