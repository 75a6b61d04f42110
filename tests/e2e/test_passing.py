"""What is said in passing, through the whole stack: who is here, who writes, how far somebody has read."""

from __future__ import annotations

import asyncio

from garita_client import Client, Event
from tests.e2e.conftest import StackMaker
from tests.e2e.people import connected, newcomer

WAIT_S = 60.0


async def heard(client: Client, op: str) -> Event:
    """The next event of a kind."""
    async with asyncio.timeout(WAIT_S):
        async for event in client:
            if event.op == op:
                return event
    raise AssertionError("the client ended")


async def test_a_small_room_sees_who_comes_writes_reads_and_is_gone(make_stack: StackMaker) -> None:
    """Each is told to the other; the page of those who are here says the same."""
    stack = make_stack(env={"GARITA_GATEWAY_PRESENCE_GRACE_S": "0"})
    async with newcomer(stack) as ana, newcomer(stack) as ben, connected(stack, ana) as watcher:
        room = (await watcher.create_room("public", "Patio")).id
        async with connected(stack, ben, websocket=True) as visitor:
            await visitor.join(room)
            sent = await visitor.send(room, "hola")
            assert len((await watcher.presence(room)).here) == 2

            await visitor.typing(room)
            assert (await heard(watcher, "typing")).room == room
            await watcher.read(room, sent.seq)
            assert (await heard(visitor, "read")).read == sent.seq

        assert not (await heard(watcher, "presence")).here
        assert len((await watcher.presence(room)).here) == 1
        async with connected(stack, ben):
            assert (await heard(watcher, "presence")).here
            assert len((await watcher.presence(room)).here) == 2
