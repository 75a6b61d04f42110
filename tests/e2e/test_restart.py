"""A gateway that is restarted: whoever is connected comes back, whoever connects meanwhile waits, nobody is refused."""

from __future__ import annotations

import asyncio
import signal
from collections import Counter

from garita_local.stack import Stack
from tests.e2e.people import connected, newcomer
from tests.fakes.wire_clients import Closed, TcpClient, WsClient

WAIT_S = 60.0


async def test_a_restart_of_the_gateway_refuses_nobody(stack: Stack) -> None:
    """Sockets opened without a pause are all served, by the old process or the new one; nothing that was said is lost."""
    outcomes: Counter[str] = Counter()
    over = asyncio.Event()
    async with newcomer(stack) as ana, connected(stack, ana) as client:
        room = (await client.create_room("public", "Patio")).id
        await client.send(room, "before")
        first = stack.pid("gateway-1")
        starts = stack.starts("gateway-1")

        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(knock(stack, outcomes, over))
            await asyncio.sleep(0.2)
            stack.kill("gateway-1", signal.SIGTERM)
            await stack.ready()
            await client.send(room, "after")
            over.set()

        page = await client.history(room)
        assert [event.text for event in page.events if event.op == "message"] == ["before", "after"]
    assert stack.pid("gateway-1") != first
    assert stack.starts("gateway-1") == starts + 1
    assert outcomes.keys() <= {"answered", "told"}
    assert outcomes["answered"] > 20


async def knock(stack: Stack, outcomes: Counter[str], over: asyncio.Event) -> None:
    """Opens sockets on both ports, fifty a second, and counts what became of each."""
    async with asyncio.TaskGroup() as tasks:
        number = 0
        while not over.is_set():
            number += 1
            tasks.create_task(visit(stack, number, outcomes))
            await asyncio.sleep(0.02)


async def visit(stack: Stack, number: int, outcomes: Counter[str]) -> None:
    """One socket: its first request is answered, or it is told that the gateway drains."""
    ports = stack.addresses.gateways[0]
    client: TcpClient | WsClient | None = None
    try:
        async with asyncio.timeout(WAIT_S):
            client = await (TcpClient.open(ports.tcp) if number % 2 else WsClient.open(ports.http))
            answer = await client.ask("rooms")
        outcomes["answered" if answer["code"] == "unauthenticated" else f"{answer}"] += 1
    except Closed as closed:
        code = closed.disconnect["code"] if closed.disconnect else None
        outcomes["told" if code == 4401 else f"closed {closed.code}"] += 1
    except OSError as exc:
        outcomes[type(exc).__name__] += 1
    finally:
        if client is not None:
            client.abort()
