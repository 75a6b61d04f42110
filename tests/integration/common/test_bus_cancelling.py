"""garita_common.bus.connect: a cancellation is heeded, whenever it comes."""

import asyncio

import pytest
import uvloop

from garita_common.bus import connect

MOMENTS = 40
"""Turns of the loop after which it is cancelled: from before the connection is made to after the answer is there."""


async def _cancelled_after(url: str, turns: int) -> bool:
    """Whether a task that asks Redis something and then waits for ever ends when it is cancelled after so many turns."""
    client = connect(url)

    async def ask() -> None:
        await client.get("x")
        await asyncio.sleep(60)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ask())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task], timeout=2)
        heeded = task.cancelled()
        task.cancel()
    await client.aclose()
    return heeded


@pytest.mark.parametrize("run", [asyncio.run, uvloop.run])
def test_no_moment_of_a_command_swallows_a_cancellation(redis_url: str, run: object) -> None:
    """Or a task that loops over Redis would outlive its group, and the process its SIGTERM."""
    assert callable(run)

    async def every_moment() -> list[int]:
        return [turns for turns in range(MOMENTS) if not await _cancelled_after(redis_url, turns)]

    assert run(every_moment()) == []
