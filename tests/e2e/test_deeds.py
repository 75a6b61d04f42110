"""Everything that two people can do to messages and to each other, through the client library and the real stack."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from garita_client import Client, Event, RequestRefused
from garita_client.core.replies import SearchPage
from garita_local.stack import Stack
from tests.e2e.people import connected, newcomer

DEADLINE_S = 30.0


async def until(client: Client, wanted: Callable[[Event], bool]) -> Event:
    """The next event of this kind."""
    async with asyncio.timeout(DEADLINE_S):
        async for event in client:
            if wanted(event):
                return event
    raise AssertionError("the connection has ended")


def is_change(change: str) -> Callable[[Event], bool]:
    return lambda event: event.op == "member" and event.change == change


async def found(client: Client, words: str, room: str) -> SearchPage:
    """What search finds, once the index holds it: it is filled after the message is stored."""
    async with asyncio.timeout(DEADLINE_S):
        while not (page := await client.search(words, room=room)).hits:
            await asyncio.sleep(0.3)
    return page


@pytest.mark.slow
async def test_messages_and_people(stack: Stack) -> None:
    """Answer, edit, react, find, mark, delete; then report, mute, ban, let in again: each is heard by the other and kept by the history."""
    async with (
        newcomer(stack) as one,
        newcomer(stack) as other,
        connected(stack, one) as ana,
        connected(stack, other, websocket=True) as bob,
    ):
        assert bob.welcome is not None
        me = bob.welcome.user.id
        room = (await ana.create_room("public", "Deeds")).id
        await bob.join(room)
        first = await ana.send(room, "the cistern is ful")
        answer = await bob.send(room, "good", reply_to=first.mid)
        edited = await ana.edit(room, first.mid, "the cistern is full")
        await bob.react(room, first.mid, "👍")
        await bob.read(room, edited.seq or 0)
        await bob.typing(room)

        heard = await until(ana, lambda event: event.op == "message" and event.seq == answer.seq)
        assert heard.reply_to == first.mid
        heard = await until(bob, lambda event: event.op == "edited")
        assert (heard.of, heard.text) == (first.seq, "the cistern is full")
        heard = await until(bob, lambda event: event.op == "reaction")
        assert (heard.of, heard.emoji, heard.on) == (first.seq, "👍", True)
        passed = {(await until(ana, lambda event: event.is_passing and event.op != "presence")).op for _ in range(2)}
        assert passed == {"read", "typing"}
        marks = {member.id: member.read for member in (await ana.members(room)).members}
        assert marks[me] >= (edited.seq or 0)
        assert me in {person.id for person in (await ana.presence(room)).here}
        assert [hit.mid for hit in (await found(bob, "cistern ful", room)).hits] == [first.mid]

        await ana.delete(room, answer.mid, note="not good")
        assert (await until(bob, lambda event: event.op == "deleted")).by_moderator
        stored = {event.seq: event for event in (await bob.history(room)).events}
        assert stored[first.seq].text == "the cistern is full"
        assert stored[answer.seq].deleted
        assert not stored[answer.seq].text

        await bob.report(room, first.mid, "other", note="wet")
        await ana.set_role(room, me, "muted")
        await until(bob, is_change("role"))
        with pytest.raises(RequestRefused):
            await bob.send(room, "may I?")
        await bob.read("r" + "0" * 32, 1)
        assert (await until(bob, lambda event: event.op == "refused")).kind == "not_found"
        await ana.ban_member(room, me, note="enough")
        await until(bob, is_change("banned"))
        assert bob.cursor(room) is None
        with pytest.raises(RequestRefused):
            await bob.join(room)
        assert [(one.id, one.note) for one in (await ana.banned(room)).banned] == [(me, "enough")]
        await ana.ban_member(room, me, banned=False)
        await bob.join(room)
        trail = [entry.action for entry in (await ana.audit(room)).entries]
        assert trail == ["unban", "ban", "role", "report", "delete"]
