"""S-01: any process dies, or stands still, while people talk."""

import asyncio
import os
import signal
import sqlite3
import uuid
from typing import Any

import pytest

from tests.attack import people, raw
from tests.attack.conftest import Target

STILL_S = 8.0
DEADLINE_S = 90.0


async def send_until_stored(target: Target, person: people.Person, room: str, text: str) -> dict[str, Any]:
    """Sends one message with one cmid, over as many connections as it takes."""
    cmid = str(uuid.uuid4())
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                async with asyncio.timeout(15), target.connected(person) as connection:
                    answer = await connection.request("send", cmid=cmid, room=room, text=text)
                    if answer["op"] == "ok":
                        return answer | {"cmid": cmid}
            except (raw.Closed, OSError, AssertionError, TimeoutError):
                await asyncio.sleep(0.3)


@pytest.mark.parametrize("process", ["chat", "gateway-1", "redis", "auth", "detector"])
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSTOP])
async def test_what_was_acknowledged_is_stored_once_and_the_stack_comes_back(
    target: Target, process: str, how: signal.Signals
) -> None:
    """Messages sent before, during and after are each stored once, in an order without gaps."""
    person = await target.person()
    async with target.connected(person) as connection:
        room = (await connection.change("create_room", kind="public", title="survival"))["room"]["id"]
        acknowledged = [(await connection.change("send", room=room, text="before"))["mid"]]
        pid = target.pid(process)
        os.kill(pid, how)
    try:
        async with asyncio.TaskGroup() as tasks:
            meanwhile = tasks.create_task(send_until_stored(target, person, room, "during"))
            await asyncio.sleep(STILL_S if how is signal.SIGSTOP else 0)
            if how is signal.SIGSTOP:
                os.kill(pid, signal.SIGCONT)
    finally:
        if how is signal.SIGSTOP:
            os.kill(pid, signal.SIGCONT)
    acknowledged.append(meanwhile.result()["mid"])
    acknowledged.append((await send_until_stored(target, person, room, "after"))["mid"])

    async def all_ready() -> bool:
        target.refresh()
        for name, row in target.facts["processes"].items():
            if "inner" in row and not await is_ready(row["inner"]):
                return name == "never"
        return True

    await raw.eventually(all_ready, DEADLINE_S)
    with sqlite3.connect(f"file:{target.state}/chat/chat.sqlite3?mode=ro", uri=True) as database:
        frames = [row[0] for row in database.execute("SELECT frame FROM events WHERE room = ? ORDER BY seq", (room,))]
    stored = [mid for mid in acknowledged for frame in frames if mid.encode() in bytes(frame)]
    assert stored == acknowledged


async def is_ready(inner: str) -> bool:
    """Whether a service says that it is ready."""
    import aiohttp

    try:
        async with aiohttp.ClientSession() as http, http.get(f"{inner}/readyz") as answer:
            return answer.status == 200
    except (OSError, aiohttp.ClientError):
        return False
