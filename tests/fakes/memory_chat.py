"""A small, honest chat service in memory: it hears `chat:in:*`, keeps rooms, members and events, and answers in the record contract.

It knows public rooms, personal logs and files as far as a gateway can see a difference. Faults are asked for by its switches: `deaf` drops commands, `awake`
cleared keeps them waiting, `mute` stores events without publishing them, so that tests can make the gaps and silences that Redis makes.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec

from garita_common import bus
from garita_common.core import channels, errors, frames, pushes, records
from garita_common.core.records import (
    NO_REQUEST,
    Answered,
    AskRefused,
    Attach,
    Attached,
    AttachRoom,
    Batch,
    Command,
    CompareHeads,
    Directive,
    DropUpload,
    FinishUpload,
    GatewayAsk,
    HeadsCompared,
    Here,
    OpenDownload,
    OpenUpload,
    PersonalBatch,
    PersonalEvent,
    RecordUpload,
    Recover,
    Recovered,
    Repair,
    Reply,
    RoomBatch,
    RoomEvent,
    RoomHead,
    TellPresent,
)

_json = msgspec.json.encode


@dataclass
class Room:
    """One room: its members by id, and its events."""

    id: str
    epoch: str = "a1"
    members: dict[str, str] = field(default_factory=dict)
    events: list[RoomEvent] = field(default_factory=list)


class MemoryChat:
    """One chat service. `commands` holds everything that was heard, for tests to look at; `here` who came (true) and went."""

    def __init__(self, redis_url: str) -> None:
        self.rooms: dict[str, Room] = {}
        self.logs: dict[str, list[PersonalEvent]] = {}
        self.commands: list[Command] = []
        self.batches: list[int] = []
        self.here: list[tuple[str, bool]] = []
        self.hints: list[frames.HintOp] = []
        self.deaf = False
        self.awake = asyncio.Event()
        self.awake.set()
        self.mute = False
        self.refuse = ""
        self.recover_limit = 300
        self._answers: dict[tuple[str, uuid.UUID], tuple[bytes, Directive | None]] = {}
        self._uploads: dict[str, frames.Upload] = {}
        self._files: dict[str, dict[str, Any]] = {}
        self._client = bus.connect(redis_url)
        self._listener = bus.Listener(redis_url, self._heard, self._linked)
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._ready = asyncio.Event()
        self._numbers = itertools.count(1)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[MemoryChat]:
        """Serves while the block runs."""
        async with asyncio.TaskGroup() as tasks:
            listening = [
                tasks.create_task(self._listener.run(), name="fake-chat-bus"),
                tasks.create_task(self._want(), name="fake-chat-channels"),
                tasks.create_task(self._serve(), name="fake-chat"),
            ]
            try:
                async with asyncio.timeout(20):
                    await self._ready.wait()
                yield self
            finally:
                for task in listening:
                    task.cancel()
        await self._client.aclose()

    async def stop_listening(self) -> None:
        """Leaves all shards, as a service that is not there."""
        await self._listener.unsubscribe([channels.shard_in(shard) for shard in range(channels.SHARDS)])

    async def _want(self) -> None:
        shards = [channels.shard_in(shard) for shard in range(channels.SHARDS)]
        while True:
            try:
                await self._listener.subscribe(shards)
            except (bus.Unlinked, TimeoutError):
                await asyncio.sleep(0.01)
            else:
                self._ready.set()
                return

    async def _linked(self) -> None:
        pass

    def _heard(self, channel: str, data: bytes) -> None:
        self._queue.put_nowait(data)

    async def _serve(self) -> None:
        while True:
            batch = records.decode_batch(await self._queue.get())
            await self.awake.wait()
            await self.carry_out(batch)

    async def carry_out(self, batch: Batch) -> None:
        """Answers one batch, and publishes what it led to after the answers were decided."""
        commands = [command for command in batch.commands if not self._is_presence(command)]
        if commands:
            self.commands += commands
            self.batches.append(len(commands))
        if self.deaf:
            return
        replies: list[Reply] = []
        for command in commands:
            reply = await self._one(command)
            if reply is not None:
                replies.append(reply)
        if replies:
            await self._client.publish(channels.gateway(batch.gateway), records.encode(replies))

    def _is_presence(self, command: Command) -> bool:
        """Keeps who came and went apart: it comes at times of its own, between what a test asks for."""
        ask = records.decode_ask(command.op) if command.asked else None
        if not isinstance(ask, Here):
            return False
        assert (command.connection, command.request) == (0, NO_REQUEST)
        self.here.append((command.user, ask.here))
        return True

    async def _one(self, command: Command) -> Reply | None:
        if command.asked:
            ask = records.decode_ask(command.op)
            if self.refuse and not isinstance(ask, RecordUpload):
                room = getattr(ask, "room", "")
                return AskRefused(command.connection, command.user, room, self.refuse)
            return await self._ask(command, ask)
        op = records.decode_room_op(command.op)
        request = None if command.request == NO_REQUEST else command.request
        try:
            return await self._op(command, op)
        except errors.AppError as exc:
            return Answered(command.connection, command.user, command.request, pushes.error(request, exc), exc.code)

    async def _ask(self, command: Command, ask: GatewayAsk) -> Reply | None:
        match ask:
            case Attach():
                mine = [room for room in self.rooms.values() if command.user in room.members]
                heads = [RoomHead(room.id, room.epoch, len(room.events)) for room in mine]
                return Attached(command.connection, command.user, heads, len(self.logs.get(command.user, ())))
            case Recover() if ask.room == "@me":
                return self._recover_log(command, ask)
            case Recover() | Repair():
                return self._recover(command, ask)
            case CompareHeads():
                known = [self.rooms[room] for room in ask.rooms if room in self.rooms]
                return HeadsCompared([RoomHead(room.id, room.epoch, len(room.events)) for room in known])
            case RecordUpload():
                return self._record(command, ask)
            case Here():
                return None

    def _recover_log(self, command: Command, ask: Recover) -> Recovered:
        log = self.logs.get(command.user, [])
        events = [RoomEvent(event.seq, event.frame) for event in log[max(ask.seq, 0) :]] if ask.seq >= 0 else []
        return Recovered(command.connection, command.user, "@me", "", len(log), ask.seq >= 0, events)

    def _recover(self, command: Command, ask: Recover | Repair) -> Recovered:
        room = self.rooms.get(ask.room)
        own = isinstance(ask, Repair)
        if room is None or (not own and command.user not in room.members):
            return Recovered(command.connection, command.user, ask.room, "", 0, False, [], gone=True)
        head = len(room.events)
        missed = room.events[ask.seq :] if ask.epoch == room.epoch and ask.seq <= head else None
        if missed is None or len(missed) > min(ask.limit, self.recover_limit):
            return Recovered(command.connection, command.user, room.id, room.epoch, head, False, [])
        return Recovered(command.connection, command.user, room.id, room.epoch, head, True, missed)

    async def _op(self, command: Command, op: frames.RoomOp) -> Reply | None:
        match op:
            case frames.CreateRoom():
                return await self._create(command, op)
            case frames.Join():
                return await self._join(command, op)
            case frames.Leave():
                room = self._member(command, op.room)
                del room.members[command.user]
                await self._store(room, {"op": "member", "change": "left", "user": _user(command)}, left=command.user)
                return self._ok(command, op, {"room": room.id})
            case frames.Send():
                return await self._send(command, op)
            case frames.History():
                room = self._member(command, op.room)
                events = [msgspec.json.decode(event.frame) for event in room.events[-op.limit :]]
                fields = {"room": room.id, "epoch": room.epoch, "head": len(room.events), "events": events}
                return self._ok(command, op, fields | {"more": False})
            case frames.Upload():
                return self._upload(command, op)
            case frames.UploadFinish():
                upload = self._uploads[op.upload]
                directive = FinishUpload(op.upload, str(op.cmid), upload.size)
                return Answered(command.connection, command.user, op.id, b"", "", directive)
            case frames.UploadAbort():
                self._uploads.pop(op.upload, None)
                return self._ok(command, op, {"upload": op.upload}, DropUpload(op.upload))
            case frames.Download():
                return self._download(command, op)
            case frames.Read() | frames.Received() | frames.Typing():
                self._member(command, op.room)
                self.hints.append(op)
                return None
            case frames.Presence():
                members = [[user, name] for user, name in self._member(command, op.room).members.items()]
                page = members[: op.limit]
                more = page[-1][0] if len(members) > op.limit else ""
                return Answered(command.connection, command.user, op.id, b"", "", TellPresent(op.room, page, more))
            case _:
                return self._ok(command, op, {"rooms": sorted(self.rooms)})

    async def _create(self, command: Command, op: frames.CreateRoom) -> Reply:
        room = Room("r" + uuid.uuid4().hex)
        self.rooms[room.id] = room
        room.members[command.user] = command.name
        await self._store(room, {"op": "member", "change": "joined", "user": _user(command)})
        attach = AttachRoom(room.id, room.epoch, 0)
        fields = {"room": {"id": room.id, "title": op.title}, "epoch": room.epoch, "seq": 0}
        return self._ok(command, op, fields, attach)

    async def _join(self, command: Command, op: frames.Join) -> Reply:
        room = self.rooms.get(op.room)
        if room is None:
            raise errors.NotFound
        before = len(room.events)
        room.members[command.user] = command.name
        await self._store(room, {"op": "member", "change": "joined", "user": _user(command)})
        attach = AttachRoom(room.id, room.epoch, before)
        await self.tell(command.user, {"kind": "joined", "room": room.id}, attach)
        return self._ok(command, op, {"room": room.id, "epoch": room.epoch, "seq": before}, attach)

    async def _send(self, command: Command, op: frames.Send) -> Reply:
        key = (command.user, op.cmid)
        if key in self._answers:
            frame, directive = self._answers[key]
            fields = msgspec.json.decode(frame) | {"id": op.id, "dup": True}
            return Answered(command.connection, command.user, op.id, _json(fields), "", directive)
        room = self._member(command, op.room)
        mid = str(uuid.uuid4())
        fields = {"op": "message", "mid": mid, "cmid": str(op.cmid), "text": op.text, "user": _user(command)}
        seq = await self._store(room, fields)
        reply = self._ok(command, op, {"mid": mid, "seq": seq, "ts": command.received_ms})
        self._answers[key] = (reply.frame, None)
        return reply

    def _upload(self, command: Command, op: frames.Upload) -> Answered:
        self._member(command, op.room)
        transfer = hashlib.sha256(op.cmid.bytes).hexdigest()[:32]
        self._uploads[transfer] = op
        fields = {"upload": transfer, "offset": 0, "chunk_bytes": 65536, "window": 4}
        return self._ok(command, op, fields, OpenUpload(transfer, op.room, op.size, op.sha256))

    def _record(self, command: Command, ask: RecordUpload) -> Answered:
        op = self._uploads.pop(ask.upload)
        if (ask.size, ask.sha256) != (op.size, op.sha256):
            frame = pushes.error(command.request, errors.FileRejected())
            return Answered(
                command.connection, command.user, command.request, frame, "file_rejected", DropUpload(ask.upload)
            )
        file = {"id": "f" + uuid.uuid4().hex, "room": op.room, "name": op.name, "size": op.size, "sha256": op.sha256}
        self._files[file["id"]] = file | {"key": f"files/{ask.upload}"}  # type: ignore[index]
        return Answered(command.connection, command.user, command.request, pushes.ok(command.request, {"file": file}))

    def _download(self, command: Command, op: frames.Download) -> Answered:
        file = self._files.get(op.file)
        if file is None:
            raise errors.NotFound
        self._member(command, file["room"])
        transfer = uuid.uuid4().hex
        directive = OpenDownload(transfer, file["key"], file["size"], op.offset)
        return self._ok(command, op, {"transfer": transfer, "offset": op.offset, "window": 4}, directive)

    def _member(self, command: Command, room_id: str) -> Room:
        room = self.rooms.get(room_id)
        if room is None or command.user not in room.members:
            raise errors.NotFound
        return room

    def _ok(
        self, command: Command, op: frames.Request, fields: dict[str, Any], directive: Directive | None = None
    ) -> Answered:
        return Answered(command.connection, command.user, op.id, pushes.ok(op.id, fields), "", directive)

    async def _store(self, room: Room, fields: dict[str, Any], left: str = "") -> int:
        seq = len(room.events) + 1
        frame = _json({**fields, "room": room.id, "epoch": room.epoch, "seq": seq, "ts": next(self._numbers)})
        event = RoomEvent(seq, frame, left)
        room.events.append(event)
        if not self.mute:
            await self.publish(room, [event])
        return seq

    async def say(self, room: Room, text: str, *, publish: bool = True) -> RoomEvent:
        """Stores a message of nobody in particular, and publishes it unless told not to."""
        seq = len(room.events) + 1
        frame = _json({"op": "message", "text": text, "room": room.id, "epoch": room.epoch, "seq": seq})
        event = RoomEvent(seq, frame)
        room.events.append(event)
        if publish:
            await self.publish(room, [event])
        return event

    async def publish(self, room: Room, events: list[RoomEvent], *passing: dict[str, Any]) -> None:
        """Says events of a room to whoever listens, and something in passing."""
        batch = RoomBatch(room.id, room.epoch, events, [_json(push) for push in passing])
        await self._client.publish(channels.room(room.id), records.encode(batch))

    async def mention(self, user: str, *passing: dict[str, Any]) -> None:
        """Says something in passing to a user's connections."""
        batch = PersonalBatch(user, [], [_json(push) for push in passing])
        await self._client.publish(channels.user(user), records.encode(batch))

    async def tell(
        self, user: str, fields: dict[str, Any], attach: AttachRoom | None = None, *, publish: bool = True
    ) -> None:
        """Adds to a user's own log."""
        log = self.logs.setdefault(user, [])
        frame = _json({"op": "notice", "log": "@me", "seq": len(log) + 1, **fields})
        event = PersonalEvent(len(log) + 1, frame, attach)
        log.append(event)
        if publish:
            await self._client.publish(channels.user(user), records.encode(PersonalBatch(user, [event])))

    def room(self, *members: str) -> Room:
        """A new room with these users in it, and no events."""
        room = Room("r" + uuid.uuid4().hex, members=dict.fromkeys(members, "somebody"))
        self.rooms[room.id] = room
        return room


def _user(command: Command) -> dict[str, str]:
    return {"id": command.user, "name": command.name}
