"""People of end-to-end tests: accounts made through the real API, and connections by the client library."""

from __future__ import annotations

import asyncio
import itertools
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp

from garita_client import Account, AuthApi, Client, MemoryStore
from garita_local.stack import Stack

PASSWORD = "tejado azul de marzo 31"
CODE_TIMEOUT_S = 30.0
_numbers = itertools.count(1)


def new_name() -> str:
    """A user name that this test run has not used, nor an earlier one on the same data."""
    return f"e2e-{time.time_ns() % 10**10}-{next(_numbers)}"


@asynccontextmanager
async def newcomer(stack: Stack, name: str | None = None) -> AsyncIterator[Account]:
    """A new account, logged in."""
    name = name or new_name()
    email = f"{name}@example.org"
    async with AuthApi(f"{stack.http}/v1/auth") as api:
        account = Account(api, MemoryStore())
        flow = await account.register(email=email, password=PASSWORD)
        ticket = await account.verify(flow, await code_for(stack, email))
        await account.complete(flow, ticket, name)
        yield account


@asynccontextmanager
async def returning(stack: Stack, name: str) -> AsyncIterator[Account]:
    """An account of an earlier start, logged in by its password."""
    async with AuthApi(f"{stack.http}/v1/auth") as api:
        account = Account(api, MemoryStore())
        await account.login(name, PASSWORD)
        yield account


async def code_for(stack: Stack, to: str) -> str:
    """The six digits in the newest message that would have been sent to that address."""
    async with asyncio.timeout(CODE_TIMEOUT_S), aiohttp.ClientSession() as http:
        while True:
            async with http.get(stack.outbox) as answer:
                texts = [message["text"] for message in await answer.json() if message["to"] == to]
            found = [match for text in texts if (match := re.search(r"\b(\d{6})\b", text))]
            if found:
                return found[-1][1]
            await asyncio.sleep(0.1)


@asynccontextmanager
async def connected(stack: Stack, account: Account, *, websocket: bool = False) -> AsyncIterator[Client]:
    """The account's connection to the first gateway, up and running."""
    host, port = stack.tcp
    address = f"ws://{stack.http.removeprefix('http://')}/v1/socket" if websocket else f"tcp://{host}:{port}"
    async with Client(address, account) as client:
        await client.connected()
        yield client
