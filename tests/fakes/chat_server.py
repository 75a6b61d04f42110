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
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from garita_common.core.ids import TransferId
from garita_common.core.wire import Kind, encode_chunk, encode_frame, parse_chunk

CHUNK_BYTES = 64 * 1024
Frame = dict[str, Any]


def _never(op: str, frame: Frame) -> bool:
    return False


@dataclass
class Faults:
    """What goes wrong. Counters are used up by one each time."""

    silent: bool = False
    """Hears everything and says nothing: a dead line."""
    lose_answer: Callable[[str, Frame], bool] = _never
    """The request is carried out, and the connection is cut before the answer."""
    busy_unknown: Counter[str] = field(default_factory=Counter)
    """Per operation: carried out, but answered `busy` with outcome unknown."""
    rate_limited: Counter[str] = field(default_factory=Counter)
    """Per operation: refused for a moment."""
    lose_pushes: int = 0
    """So many room events are stored but not pushed."""
    recover_at_most: int = 300
    refuse_token: str | None = None
    """Tokens with this text are closed with 4403."""
    bad_token: str | None = None
    """Tokens with this text are closed with 4500."""
    cut_upload_after: int | None = None
    """Bytes of an upload after which the connection is cut, once."""
    cut_download_after: int | None = None


@dataclass
class Room:
    """A room with its events from seq 1 on."""

    id: str
    title: str
    epoch: str = "a1"
    events: list[Frame] = field(default_factory=list)
    members: set[str] = field(default_factory=set)

    @property
    def head(self) -> int:
        return len(self.events)

    def info(self, user: Frame) -> Frame:
        return {
            "id": self.id, "kind": "public", "title": self.title, "topic": "", "members": len(self.members),
            "epoch": self.epoch, "head": self.head, "role": "member" if user["id"] in self.members else None, "created": 0,
        }  # fmt: skip


@dataclass
class Upload:
    """Bytes on their way."""

    id: str
    fields: Frame
    data: bytearray = field(default_factory=bytearray)


class Peer:
    """One connection; the transport gives it three functions."""

    def __init__(
        self,
        text: Callable[[str], Awaitable[None]],
        binary: Callable[[bytes], Awaitable[None]],
        close: Callable[[int | None], Awaitable[None]],
    ) -> None:
        self._text, self._binary, self._close = text, binary, close
        self.user: Frame | None = None
        self.downloads: dict[str, tuple[Frame, int]] = {}
        self.pongs = 0

    async def say(self, frame: Frame) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._text(json.dumps(frame, ensure_ascii=False))

    async def say_chunk(self, data: bytes) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._binary(data)

    async def cut(self, code: int | None = None) -> None:
        with contextlib.suppress(ConnectionError, RuntimeError):
            await self._close(code)


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
        event = {
            "op": op, "room": room.id, "epoch": room.epoch, "seq": room.head + 1, "ts": time.time_ns() // 10**6, "user": user, **fields
        }  # fmt: skip
        room.events.append(event)
        if self.faults.lose_pushes:
            self.faults.lose_pushes -= 1
            return event
        for peer in list(self.peers):
            if peer.user and peer.user["id"] in room.members:
                await peer.say(event)
        return event

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
        result = await self._carry_out(peer, op, frame)
        if result is None:
            await self._refuse(peer, frame, "not_found")
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

    async def _carry_out(self, peer: Peer, op: str, frame: Frame) -> Frame | None:
        room = self.rooms.get(frame.get("room", ""))
        user = peer.user or {}
        match op:
            case "renew":
                return {"expires": 2_000_000_000_000}
            case "rooms":
                return {"rooms": [room.info(user) for room in self.rooms.values()]}
            case "create_room":
                made = self.add_room(frame.get("title") or "")
                made.members.add(user["id"])
                return {"room": made.info(user), "epoch": made.epoch, "seq": made.head}
            case "join" if room:
                start = room.head
                room.members.add(user["id"])
                await self.store(room, "member", user, change="joined")
                return {"room": room.id, "epoch": room.epoch, "seq": start}
            case "leave" if room:
                room.members.discard(user["id"])
                return {"room": room.id}
            case "send" if room and user["id"] in room.members:
                mid = str(uuid.uuid4())
                files = {"files": [self.files[file][0] for file in frame["files"]]} if frame.get("files") else {}
                event = await self.store(
                    room, "message", user, mid=mid, cmid=frame["cmid"], text=frame["text"], **files
                )
                return {"mid": mid, "seq": event["seq"], "ts": event["ts"]}
            case "history" if room:
                return self._history(room, frame)
            case "upload" if room:
                return self._upload(user, frame)
            case "upload_finish":
                return self._finish(frame)
            case "download":
                return self._download(peer, frame)
            case _:
                return None

    def _history(self, room: Room, frame: Frame) -> Frame:
        limit = frame.get("limit", 50)
        if "after" in frame:
            found = room.events[frame["after"] :]
            page, more = found[:limit], len(found) > limit
        else:
            found = room.events[: frame.get("before", room.head + 1) - 1]
            page, more = found[-limit:], len(found) > limit
        return {"room": room.id, "epoch": room.epoch, "head": room.head, "events": page, "more": more}

    def _upload(self, user: Frame, frame: Frame) -> Frame:
        known = self.answers.get((user["id"], frame["cmid"]))
        upload_id = known["upload"] if known else secrets.token_hex(16)
        upload = self.uploads.setdefault(upload_id, Upload(upload_id, frame))
        return {"upload": upload_id, "offset": len(upload.data), "chunk_bytes": CHUNK_BYTES, "window": 4}

    def _finish(self, frame: Frame) -> Frame | None:
        upload = self.uploads.pop(frame["upload"], None)
        if upload is None:
            return None
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

    def _download(self, peer: Peer, frame: Frame) -> Frame | None:
        if frame["file"] not in self.files:
            return None
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
        error = {"op": "error", "id": frame["id"], "code": code, "message": "refused", "temporary": False}
        await peer.say(error | fields)

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
