"""One command in, one reply out, whatever its bytes are."""

from __future__ import annotations

import os
import uuid

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chat_service import commands
from chat_service.commands import HalfDone
from chat_service.core.limits import RoomBudget
from chat_service.store import Store
from chat_service.turn import Turn
from garita_common.core import frames
from garita_common.core.errors import Internal
from garita_common.core.records import Answered, AskRefused, Attach, Command, RecordUpload, Recover
from tests.fakes.chat_gateway import body, stamped, user_id

from .conftest import GATEWAY, RULES, Desk, ok, send


def with_bytes(op: bytes, *, asked: bool) -> Command:
    """A command whose operation is these bytes."""
    return msgspec.structs.replace(stamped("ana", Attach()), asked=asked, op=msgspec.Raw(op))


@pytest.mark.parametrize(
    "op", [b"\xc1", b"\x80", b"\x93\x01\x02\x03", msgspec.msgpack.encode({"op": "drop_tables", "id": 1})]
)
@pytest.mark.parametrize("asked", [False, True])
async def test_an_operation_that_cannot_be_read_is_refused(desk: Desk, op: bytes, asked: bool) -> None:
    """The client, or the gateway, is told; nothing else happens."""
    ((_, reply),) = (await desk.batch((GATEWAY, with_bytes(op, asked=asked)))).replies

    assert isinstance(reply, Answered | AskRefused)
    assert reply.code == "bad_request"
    assert await desk.count("users") == 0


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=200)
@given(op=st.binary(max_size=200), asked=st.booleans())
async def test_random_bytes_are_refused(desk: Desk, op: bytes, asked: bool) -> None:
    """Whatever they are, there is one reply, and the batch's other command is carried out."""
    done = await desk.batch((GATEWAY, with_bytes(op, asked=asked)), (GATEWAY, stamped("eva", Attach())))

    assert len(done.replies) == 2
    assert not done.is_split


async def test_a_refusal_goes_to_whoever_asked() -> None:
    """A client's request and the record of its file are answered to the client, a gateway's own ask to the gateway."""
    room = "r" + "0" * 32
    for op in (send(room), RecordUpload("c", "0" * 32, 1, "ab")):
        reply = commands.refusal(stamped("ana", op, connection=3, request=4), Internal())
        assert isinstance(reply, Answered)
        assert (reply.connection, reply.request, reply.code) == (3, 4, "internal")
        assert body(reply)["temporary"] is True
    refused = commands.refusal(stamped("ana", Recover(room, "e", 1), connection=3), Internal())
    assert refused == AskRefused(3, user_id("ana"), room, "internal")


async def test_commands_are_tallied_by_operation_and_outcome(desk: Desk) -> None:
    """For the metrics; the names are the fixed ones of the protocol."""
    room = await desk.room("ana")
    ok(await desk.say("ana", send(room)))
    await desk.say("bob", send(room))
    await desk.ask("ana", Recover(room, "", 0), object)

    assert [dict(done.tally) for done in desk.said] == [
        {("create_room", "ok"): 1},
        {("send", "ok"): 1},
        {("send", "forbidden"): 1},
        {("@recover", "ok"): 1},
    ]
    assert commands.op_name(stamped("ana", send(room))) == "send"
    assert commands.op_name(with_bytes(b"\xc1", asked=False)) == "unreadable"


async def test_a_name_is_kept_current(desk: Desk) -> None:
    """The newest name that the gateway vouched for is shown and found; an empty one changes nothing."""
    room = await desk.room("ana")
    await desk.batch((GATEWAY, stamped("ana", send(room), name="Ana.Maria")))
    await desk.batch((GATEWAY, stamped("ana", send(room), name="")))

    members = ok(await desk.say("ana", frames.ListMembers(id=1, room=room)))["members"]
    assert [member["name"] for member in members] == ["ana"]
    await desk.batch((GATEWAY, stamped("ana", Attach(), name="Ana.Maria")))
    direct = frames.CreateRoom(id=1, cmid=uuid.uuid4(), kind="direct", user="ana.maria")
    assert ok(await desk.say("bob", direct))["room"]["peer"]["name"] == "Ana.Maria"


async def test_a_refusal_after_a_write_gives_the_transaction_up(desk: Desk) -> None:
    """A handler that refuses too late must not leave half of its work behind."""
    room = await desk.room("ana")

    class Careless(Store):
        def append(self, *_: object, **__: object) -> object:  # type: ignore[override]  # a fault on purpose
            self.writes += 1
            raise Internal

    def careless(db: object) -> None:
        turn = Turn(Careless(db, 0), 0, os.urandom, RULES, RoomBudget(RULES.room_send, 1))  # type: ignore[arg-type]  # a connection
        command = stamped("ana", send(room))
        commands.execute(turn, GATEWAY, command, commands.read(command))

    with pytest.raises(HalfDone):
        await desk.run(careless)
