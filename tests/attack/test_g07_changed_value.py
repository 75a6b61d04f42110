"""G-07: every operation × standing × state, with real ids of other people's rooms, files and uploads.

The expected answer is computed from the gate table alone; the running stack must give exactly that.
"""

import hashlib
import itertools
import uuid
from contextlib import AsyncExitStack
from typing import Any

import pytest

from garita_common.core import frames, gate
from garita_common.core.gate import Standing, State
from tests.attack import raw
from tests.attack.conftest import Target

SECRET = "nobody else may read this"  # a text, looked for in every answer
DATA = b"the bytes of a file"
STANDINGS = [Standing.STRANGER, Standing.VISITOR, Standing.MEMBER, Standing.OWNER]
SOCKETS = 4  # of each person, taken in turn
ERROR_PAUSE_S = 0.3 / SOCKETS  # 20 errors within 5 s would end a connection
NO_SUCH = {"room": "r" + "0" * 32, "file": "f" + "0" * 32, "upload": "0" * 32}


class Voice:
    """One person on several connections, which speak in turn."""

    def __init__(self, connections: list[raw.RawConnection]) -> None:
        """Args: connections: of the same person."""
        self.first = connections[0]
        self._turns = itertools.cycle(connections)

    async def request(self, op: str, **fields: Any) -> dict[str, Any]:
        """A request over the next connection."""
        return await next(self._turns).request(op, **fields)


class Scene:
    """Two rooms of Ana's (one private, one public) with a message and a file each, and who is what to them."""

    def __init__(self) -> None:
        """Nothing is there yet."""
        self.rooms: dict[str, str] = {}
        self.files: dict[str, str] = {}
        self.uploads: dict[str, str] = {}
        self.by: dict[tuple[str, Standing], Voice] = {}
        self.member_name = self.member_id = ""
        self.mid = ""


async def make(target: Target, stack: AsyncExitStack) -> Scene:
    """The scene, with a live connection per standing."""
    scene = Scene()
    ana, ben, eve, ian = [await target.person() for _ in range(4)]
    voices = [
        Voice([await stack.enter_async_context(target.connected(person, **how)) for _ in range(SOCKETS)])
        for person, how in ((ana, {}), (ben, {"websocket": True}), (eve, {}), (ian, {"gateway": 2}))
    ]
    owner, member = voices[0].first, voices[1].first
    scene.member_name = ben.name
    for kind in ("private", "public"):
        room = (await owner.change("create_room", kind=kind, title=f"{kind} {SECRET}"))["room"]["id"]
        scene.rooms[kind] = room
        if kind == "private":
            for person in (ben, ian):
                assert (await owner.change("invite", room=room, user=person.name))["op"] == "ok"
        assert (await member.change("join", room=room))["op"] == "ok"
        scene.files[kind] = await upload(owner, room)
        scene.uploads[kind] = (await announce(owner, room))["upload"]
        sent = await owner.change("send", room=room, text=SECRET, files=[scene.files[kind]])
        assert sent["op"] == "ok", sent
        scene.mid = sent["mid"]
        scene.by[kind, Standing.OWNER], scene.by[kind, Standing.MEMBER] = voices[:2]
    members = (await owner.request("members", room=scene.rooms["public"]))["members"]
    scene.member_id = next(entry["id"] for entry in members if entry["name"] == ben.name)
    scene.by["private", Standing.STRANGER] = scene.by["public", Standing.VISITOR] = voices[2]
    scene.by["private", Standing.VISITOR] = voices[3]
    return scene


async def announce(connection: raw.RawConnection, room: str) -> dict[str, Any]:
    """An upload that has begun."""
    digest = hashlib.sha256(DATA).hexdigest()
    answer = await connection.change(
        "upload", room=room, name="note.txt", size=len(DATA), sha256=digest, type="text/plain"
    )
    assert answer["op"] == "ok", answer
    return answer


async def upload(connection: raw.RawConnection, room: str) -> str:
    """A finished file's id."""
    started = await announce(connection, room)
    chunk = bytes.fromhex(started["upload"]) + (0).to_bytes(8, "big") + DATA
    assert isinstance(connection, raw.RawTcp)
    await connection.send_raw(b"\x02" + len(chunk).to_bytes(4, "big") + chunk)
    await connection.push("chunk_ack")
    done = await connection.change("upload_finish", upload=started["upload"])
    assert done["op"] == "ok", done
    return str(done["file"]["id"])


def requests(scene: Scene, kind: str) -> list[tuple[type[frames.ClientOp], dict[str, Any]]]:
    """Each operation that names something of the scene, with values that would be right for somebody."""
    room, file, pending = scene.rooms[kind], scene.files[kind], scene.uploads[kind]
    digest = hashlib.sha256(DATA).hexdigest()
    return [
        (frames.GetRoom, {"room": room}),
        (frames.ListMembers, {"room": room}),
        (frames.History, {"room": room}),
        (frames.History, {"room": room, "after": 0}),
        (frames.Send, {"room": room, "text": "x", "reply_to": scene.mid}),
        (frames.Send, {"room": room, "text": "x", "files": [file]}),
        (frames.Upload, {"room": room, "name": "n", "size": 5, "sha256": digest}),
        (frames.UploadFinish, {"upload": pending}),
        (frames.UploadAbort, {"upload": pending}),
        (frames.Download, {"file": file}),
        (frames.Invite, {"room": room, "user": scene.member_name}),
        (frames.SetRoom, {"room": room, "title": "mine"}),
        (frames.Kick, {"room": room, "user": scene.member_id}),
        (frames.BanMember, {"room": room, "user": scene.member_id}),
        (frames.SetRole, {"room": room, "user": scene.member_id, "role": "owner"}),
        (frames.ListBanned, {"room": room}),
        (frames.Audit, {"room": room}),
        (frames.Report, {"room": room, "mid": scene.mid, "reason": "spam"}),
        (frames.Edit, {"room": room, "mid": scene.mid, "text": "x"}),
        (frames.Delete, {"room": room, "mid": scene.mid}),
        (frames.Search, {"room": room, "text": SECRET}),
    ]


def expected(kind: type[frames.ClientOp], standing: Standing) -> set[str]:
    """The codes that the table allows to answer with; empty: the operation may succeed."""
    if kind in (frames.UploadFinish, frames.UploadAbort) and standing is not Standing.OWNER:
        return {"not_found"}  # somebody else's upload is nothing to anyone
    needed = gate.TABLE[kind].standing
    if needed is None:
        needed = gate.FILE_STANDING[kind]
    if standing >= needed:
        return set()
    return {"not_found"} if standing is Standing.STRANGER else {"forbidden"}


@pytest.mark.parametrize("kind", ["private", "public"])
async def test_no_standing_gets_more_than_the_table_gives(target: Target, no_traceback: None, kind: str) -> None:
    """Below the standing the answer is not_found or forbidden and holds nothing of the room; changed ids are not_found for everybody."""
    async with AsyncExitStack() as stack:
        scene = await make(target, stack)
        for standing in STANDINGS:
            connection = scene.by.get((kind, standing))
            if connection is None:
                continue
            for operation, fields in requests(scene, kind):
                codes = expected(operation, standing)
                if codes:
                    answer = await ask(connection, operation, fields)
                    assert answer["op"] == "error", (kind, standing, operation, answer)
                    assert answer["code"] in codes, (kind, standing, operation, answer)
                    assert SECRET not in str(answer)
                changed = fields | {name: value for name, value in NO_SUCH.items() if name in fields}
                answer = await ask(connection, operation, changed)
                assert answer.get("code") == "not_found", (kind, standing, operation, answer)
        reader = scene.by[kind, Standing.MEMBER]
        for operation, fields in requests(scene, kind):
            if operation in (frames.GetRoom, frames.ListMembers, frames.History, frames.Download):
                assert (await ask(reader, operation, fields))["op"] == "ok", operation


@pytest.mark.parametrize("websocket", [False, True])
async def test_before_connect_only_connect_and_logout_are_answered(
    target: Target, no_traceback: None, websocket: bool
) -> None:
    """Every other operation is unauthenticated, with real ids too."""
    async with AsyncExitStack() as stack:
        scene = await make(target, stack)
        source = raw.fresh_address()
        for operation, fields in requests(scene, "private"):
            assert State.NEW not in gate.TABLE[operation].states
            opened = raw.websocket(target.http(), source) if websocket else raw.tcp(target.tcp(), source)
            async with opened as connection:
                answer = await ask(connection, operation, fields)
            assert answer["code"] == "unauthenticated", (operation, answer)


async def test_lists_hold_only_what_one_may_see(target: Target) -> None:
    """A private room is in nobody else's lists, a direct one only in its two."""
    async with AsyncExitStack() as stack:
        scene = await make(target, stack)
        stranger = scene.by["private", Standing.STRANGER]
        seen: list[str] = []
        for scope in ("mine", "public"):
            after: dict[str, Any] = {}
            while True:
                page = await stranger.request("rooms", scope=scope, limit=100, **after)
                assert page["op"] == "ok", page
                seen += [room["id"] for room in page["rooms"]]
                if "next" not in page:
                    break
                after = {"after": page["next"]}

    assert scene.rooms["public"] in seen
    assert scene.rooms["private"] not in seen


async def test_who_is_put_out_hears_nothing_more(target: Target, no_traceback: None) -> None:
    """On none of the user's connections, whichever gateway has them, nor after coming back with a cursor; the others go on."""
    async with AsyncExitStack() as stack:
        ana, ben, eve = [await target.person() for _ in range(3)]
        owner, other = [await stack.enter_async_context(target.connected(person)) for person in (ana, eve)]
        out = [await stack.enter_async_context(target.connected(ben, gateway=gateway)) for gateway in (1, 2)]
        room = (await owner.change("create_room", kind="public", title="door"))["room"]["id"]
        for connection in (out[0], other):
            assert (await connection.change("join", room=room))["op"] == "ok"
        for connection in (*out, other):
            while (await connection.push("member"))["user"]["name"] != eve.name:
                pass
        epoch = (await owner.request("history", room=room))["epoch"]
        ben_id = next(m["id"] for m in (await owner.request("members", room=room))["members"] if m["name"] == ben.name)

        assert (await owner.change("ban_member", room=room, user=ben_id))["op"] == "ok"
        for connection in (*out, other):
            while (push := await connection.push("member"))["change"] != "banned":
                pass
            assert (push["user"]["id"], push["by"]["name"]) == (ben_id, ana.name)
        assert (await owner.change("send", room=room, text=SECRET))["op"] == "ok"

        assert (await other.push("message"))["text"] == SECRET
        for connection in out:
            assert (await connection.request("rooms"))["rooms"] == []
            assert SECRET not in str(connection.pushes)
        again = await stack.enter_async_context(target.connected(ben, resume={room: [epoch, 1]}))
        assert (await again.request("history", room=room))["code"] == "not_found"
        assert SECRET not in str(again.pushes)


async def ask(
    connection: Voice | raw.RawConnection, operation: type[frames.ClientOp], fields: dict[str, Any]
) -> dict[str, Any]:
    """One request, with a cmid where the operation takes one; waits where the server says to."""
    name = str(operation.__struct_config__.tag)
    changes = {"cmid": str(uuid.uuid4())} if "cmid" in operation.__struct_fields__ else {}
    while True:
        answer = await connection.request(name, **fields, **changes)
        if answer.get("code") != "rate_limited":
            await raw.pause(ERROR_PAUSE_S if answer["op"] == "error" else 0)
            return answer
        await raw.pause(answer.get("retry_after_ms", 500) / 1000)
