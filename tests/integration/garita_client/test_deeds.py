"""The library's operations on messages and members, and what is said in passing, against the small real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from garita_client import Client, Event, RequestRefused
from tests.fakes.chat_room import Room
from tests.fakes.chat_server import ChatServer
from tests.integration.garita_client.test_connection import DEADLINE_S, FixedTokens, client_at, eventually, until


@pytest.fixture
async def server() -> AsyncIterator[ChatServer]:
    async with ChatServer().running() as server:
        yield server


@pytest.fixture
async def ana(server: ChatServer) -> AsyncIterator[Client]:
    """The owner of `room`."""
    async with client_at(server.tcp) as client:
        yield client


@pytest.fixture
async def bob(server: ChatServer) -> AsyncIterator[Client]:
    """Somebody else, on the other transport."""
    async with client_at(server.ws, FixedTokens("bob")) as client:
        yield client


@pytest.fixture
async def room(server: ChatServer, ana: Client, bob: Client) -> Room:
    """Ana's room, with Bob in it."""
    room = server.add_room()
    for client in (ana, bob):
        await client.join(room.id, timeout_s=DEADLINE_S)
    return room


def id_of(client: Client) -> str:
    assert client.welcome is not None
    return client.welcome.user.id


async def test_messages_change(room: Room, ana: Client, bob: Client) -> None:
    """A reply, an edit, a reaction and a deletion reach the other in order; search and history know what is left."""
    first = await ana.send(room.id, "helo")
    reply = await bob.send(room.id, "hi", reply_to=first.mid)
    edited = await ana.edit(room.id, first.mid, "hello")
    await bob.react(room.id, first.mid, "👍")
    found = await bob.search("hello", room=room.id)
    deleted = await bob.delete(room.id, reply.mid)

    replied = await until(ana, "message"), await until(ana, "message")
    assert replied[1].reply_to == first.mid
    event = await until(bob, "edited")
    assert (event.seq, event.of, event.text) == (edited.seq, first.seq, "hello")
    event = await until(bob, "reaction")
    assert (event.of, event.emoji, event.on) == (first.seq, "👍", True)
    assert (await until(bob, "deleted")).seq == deleted.seq
    assert [hit.mid for hit in found.hits] == [first.mid]
    history = {event.seq: event for event in (await bob.history(room.id)).events}
    assert history[first.seq].edited == edited.ts
    assert history[reply.seq].deleted
    assert not history[reply.seq].text


async def test_moderation(room: Room, ana: Client, bob: Client) -> None:
    """Roles, title, banning and its undoing, the trail of it, and a report that Bob makes."""
    target = await ana.send(room.id, "spam, spam")
    await bob.report(room.id, target.mid, "spam")
    with pytest.raises(RequestRefused) as refused:
        await bob.kick(room.id, id_of(ana))
    await ana.set_role(room.id, id_of(bob), "moderator", note="trusted")
    info = await ana.set_room(room.id, topic="the well")
    await ana.ban_member(room.id, id_of(bob), note="enough")
    banned = (await ana.banned(room.id)).banned
    with pytest.raises(RequestRefused):
        await bob.join(room.id)
    await ana.ban_member(room.id, id_of(bob), banned=False)
    trail = (await ana.audit(room.id)).entries

    assert refused.value.code == "forbidden"
    assert (info.topic, info.title) == ("the well", "plaza")
    assert [(one.name, one.note) for one in banned] == [("bob", "enough")]
    assert [entry.action for entry in trail] == ["unban", "ban", "set_room", "role", "report"]
    assert (trail[-1].by, trail[-1].reason, trail[3].role, trail[3].note) == (None, "spam", "moderator", "trusted")
    changes = []
    while "banned" not in changes:
        changes.append((await until(bob, "member")).change)
    assert changes[-2:] == ["role", "banned"]
    assert bob.cursor(room.id) is None


async def test_repeat_of_a_lost_change(server: ChatServer, room: Room, ana: Client) -> None:
    """An edit whose answer was lost with the connection is made once."""
    lost: list[str] = []
    server.faults.lose_answer = lambda op, _: op == "edit" and not lost and not lost.append(op)  # type: ignore[func-returns-value]
    message = await ana.send(room.id, "one")

    changed = await ana.edit(room.id, message.mid, "two", timeout_s=DEADLINE_S)

    assert changed.dup
    assert [event["op"] for event in room.events].count("edited") == 1


async def test_said_in_passing(room: Room, ana: Client, bob: Client) -> None:
    """Typing and marks reach the other without moving a cursor; the marks stand in the list of members."""
    sent = await ana.send(room.id, "hola")
    before = await _settled(bob, room, sent.seq)

    assert await bob.typing(room.id)
    assert await bob.read(room.id, sent.seq)

    assert (await until(ana, "typing")).user is not None
    mark = await until(ana, "read")
    assert (mark.read, mark.received) == (sent.seq, sent.seq)
    assert bob.cursor(room.id) == before
    read = {member.name: member.read for member in (await ana.members(room.id)).members}
    assert read["bob"] == sent.seq
    assert {person.name for person in (await ana.presence(room.id)).here} == {"ana", "bob"}


async def test_refused_hint_is_an_event(room: Room, ana: Client, bob: Client) -> None:
    """A hint has no answer: its refusal comes as `refused`, and the connection goes on."""
    await ana.set_role(room.id, id_of(bob), "muted")

    await bob.typing(room.id)

    assert (await until(bob, "refused")).kind == "forbidden"
    assert bob.is_connected


async def test_hint_without_a_connection(server: ChatServer, room: Room, bob: Client) -> None:
    """It is not kept for later: the caller is told, and marks can be said again."""
    server.faults.silent = True
    await server.cut_all()
    await eventually("the end", lambda: not bob.is_connected)

    assert not await bob.read(room.id, 1)


async def test_slow_program_is_spared_what_passes(room: Room, ana: Client, bob: Client) -> None:
    """For a program that reads slowly, typing and marks are dropped before anything else suffers."""
    bob._inbox._capacity = 4
    sent = await ana.send(room.id, "1")
    sent = await ana.send(room.id, "2")
    await _settled(bob, room, sent.seq)
    for _ in range(20):
        await ana.typing(room.id)
    await ana.send(room.id, "last")

    seen: list[Event] = []
    async with asyncio.timeout(DEADLINE_S):
        async for event in bob:
            seen.append(event)
            if event.text == "last":
                break
    assert "typing" not in [event.op for event in seen]
    assert bob.counters.connections == 1


async def _settled(client: Client, room: Room, seq: int) -> object:
    """The cursor, once it stands at `seq`."""
    await eventually("the push", lambda: (cursor := client.cursor(room.id)) is not None and cursor.seq >= seq)
    return client.cursor(room.id)
