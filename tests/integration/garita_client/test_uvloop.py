"""The library on uvloop, whose transports are no asyncio ones."""

import uvloop

from garita_client import Client
from tests.fakes.chat_server import ChatServer

from .test_connection import FAST, FixedTokens, texts


def test_both_transports_work_on_uvloop() -> None:
    """Join, send, lose the connection, hear what was missed."""

    async def talk() -> None:
        async with ChatServer().running() as server:
            for address in (server.tcp, server.ws):
                async with Client(address, FixedTokens(), timing=FAST) as client:
                    room = server.add_room()
                    await client.join(room.id)
                    await client.send(room.id, "one")
                    await server.cut_all()
                    await server.post(room, "two")
                    assert await texts(client, "two") == ["one", "two"]

    uvloop.run(talk())
