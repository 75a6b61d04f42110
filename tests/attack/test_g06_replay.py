"""G-06: a request that is sent again."""

import uuid

from tests.attack.conftest import Target


async def test_a_replayed_send_is_stored_once_and_answered_alike(target: Target, no_traceback: None) -> None:
    """Also over another connection and the other gateway; with other content it is a conflict."""
    person = await target.person()
    cmid = str(uuid.uuid4())
    async with target.connected(person) as connection:
        room = (await connection.change("create_room", kind="public", title="replay"))["room"]["id"]
        first = await connection.request("send", cmid=cmid, room=room, text="once")
        again = await connection.request("send", cmid=cmid, room=room, text="once")
        other = await connection.request("send", cmid=cmid, room=room, text="twice")
    async with target.connected(person, gateway=2, websocket=True) as connection:
        later = await connection.request("send", cmid=cmid, room=room, text="once")
        events = (await connection.request("history", room=room))["events"]

    assert first["op"] == "ok"
    assert (again["mid"], again["seq"], again["dup"]) == (first["mid"], first["seq"], True)
    assert (later["mid"], later["dup"]) == (first["mid"], True)
    assert other["code"] == "conflict"
    assert [event["text"] for event in events if event["op"] == "message"] == ["once"]


async def test_somebody_elses_cmid_is_not_theirs(target: Target) -> None:
    """A cmid belongs to its sender: another user who knows it gets no answer of the first one's."""
    ana, eve = await target.person(), await target.person()
    cmid = str(uuid.uuid4())
    async with target.connected(ana) as one, target.connected(eve) as other:
        room = (await one.change("create_room", kind="private", title="secret"))["room"]["id"]
        assert (await one.request("send", cmid=cmid, room=room, text="hidden"))["op"] == "ok"

        stolen = await other.request("send", cmid=cmid, room=room, text="hidden")

    assert stolen["code"] == "not_found"
