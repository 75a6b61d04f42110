"""`make run` with the real services: what is there when it says ready, what survives, and what is left after it."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import aiohttp
import pytest

from garita_client import Client
from garita_local import ports
from garita_local.stack import Stack
from tests.e2e.conftest import StackMaker
from tests.e2e.people import connected, new_name, newcomer, returning

SERVICES = ("gateway-1", "chat", "auth", "detector")


async def texts(client: Client, room: str) -> list[str]:
    """The messages stored in a room, in their order."""
    page = await client.history(room, limit=100)
    return [event.text for event in page.events if event.op == "message" and event.text is not None]


async def get(address: str) -> tuple[int, str]:
    """Status and text of a page."""
    async with aiohttp.ClientSession() as http, http.get(address) as answer:
        return answer.status, await answer.text()


@pytest.mark.parametrize("name", SERVICES)
async def test_each_service_answers_on_its_inner_port(stack: Stack, name: str) -> None:
    """Alive, ready, and measured."""
    assert (await get(f"{stack.inner(name)}/healthz"))[0] == 200
    assert (await get(f"{stack.inner(name)}/readyz"))[0] == 200
    status, metrics = await get(f"{stack.inner(name)}/metrics")
    assert status == 200
    assert metrics.startswith("# HELP")


async def test_the_page_and_the_accounts_are_one_origin(stack: Stack) -> None:
    """The first gateway serves the web client and passes /v1/auth on."""
    page = await get(f"{stack.http}/")
    keys = await get(f"{stack.http}/v1/auth/.well-known/jwks.json")

    assert page[0] == 200
    assert "<html" in page[1].lower()
    assert keys[0] == 200
    assert json.loads(keys[1])["keys"]


async def test_the_outbox_needs_its_key(stack: Stack) -> None:
    """With the key a list, with another or none nothing."""
    assert (await get(stack.outbox))[0] == 200
    assert (await get(f"{stack.http}/dev/outbox"))[0] in {403, 404}
    assert (await get(stack.outbox[:-1] + ("A" if stack.outbox[-1] != "A" else "B")))[0] in {403, 404}


async def test_a_message_goes_from_one_transport_to_the_other(stack: Stack) -> None:
    """Said over WebSocket, heard over TCP."""
    async with newcomer(stack) as ana, newcomer(stack) as ben:
        async with connected(stack, ana, websocket=True) as speaker, connected(stack, ben) as hearer:
            room = await speaker.create_room("public", "Patio")
            await hearer.join(room.id)

            await speaker.send(room.id, "buenos días")

            async with asyncio.timeout(30):
                async for event in hearer:
                    if event.op == "message":
                        assert event.text == "buenos días"
                        break


@pytest.mark.slow
async def test_every_process_may_be_killed(make_stack: StackMaker) -> None:
    """kill -9 of each in turn while somebody talks: what was acknowledged is there once, in order."""
    stack = make_stack()
    async with newcomer(stack) as ana, connected(stack, ana) as client:
        room = (await client.create_room("public", "Patio")).id
        said: list[str] = []
        for name in stack.names():
            said.append(f"before {name}")
            await client.send(room, said[-1])

            stack.kill(name)
            await stack.ready()

            said.append(f"after {name}")
            await client.send(room, said[-1])

        assert await texts(client, room) == said


@pytest.mark.slow
async def test_a_second_start_finds_everything(make_stack: StackMaker, tmp_path: Path) -> None:
    """Account, room and messages of the first start are there at the second, on other ports."""
    first = make_stack(state=tmp_path / "kept")
    name = new_name()
    async with newcomer(first, name) as ana, connected(first, ana) as client:
        room = (await client.create_room("public", "Patio")).id
        await client.send(room, "hasta mañana")
    token = first.secret("service_token")
    for process in first.names():
        first.kill(process, signal.SIGSTOP)  # the stop that follows has to deal with processes that hang
    make_stack.stop(first)

    second = make_stack(state=tmp_path / "kept")

    assert second.secret("service_token") == token
    async with returning(second, name) as ana, connected(second, ana) as client:
        assert await texts(client, room) == ["hasta mañana"]


@pytest.mark.slow
async def test_the_command_says_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    """As make run starts it: ready, answering, stopped by SIGTERM with 0, its ports free again."""
    http_port, tcp_port = ports.free_ports(2)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-P", "-m", "garita_local", "--state", str(tmp_path / "var"),
        "--http-port", str(http_port), "--tcp-port", str(tcp_port), stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    async with asyncio.timeout(150):
        line = (await process.stdout.readline()).decode()
    facts = json.loads((tmp_path / "var" / "run.json").read_text())
    outbox = await get(facts["outbox"])

    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(30):
        rest, said = await process.communicate()

    assert re.fullmatch(
        rf"garita ready: http://127\.0\.0\.1:{http_port}  tcp 127\.0\.0\.1:{tcp_port}  outbox {re.escape(facts['outbox'])}\n",
        line,
    )
    assert (outbox, rest, process.returncode) == ((200, "[]"), b"", 0)
    assert b"Traceback" not in said
    for row in facts["processes"].values():
        assert not Path(f"/proc/{row['pid']}").exists()
    ports.require_free(http_port, "HTTP_PORT")
    ports.require_free(tcp_port, "TCP_PORT")
    assert not any("Traceback" in log.read_text() for log in (tmp_path / "var" / "log").iterdir())
