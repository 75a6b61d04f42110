"""auth_service.revoking: whatever has ended reaches the gateways, through outages too."""

from __future__ import annotations

import asyncio

from garita_common.bus import Listener, Unlinked
from garita_common.core import revocations
from garita_common.core.channels import REVOKED_CHANNEL, REVOKED_SET
from tests.integration.auth_service.conftest import World, Worlds, eventually


async def test_an_end_is_published_and_kept_to_be_read_again(world: World) -> None:
    """On the channel at once, and in the set with the time as its score."""
    person = await world.register()
    heard: list[bytes] = []

    async def linked() -> None:
        """Nothing is to be repaired."""

    ear = Listener(world.config.redis_url, lambda _, data: heard.append(data), linked)
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(ear.run())

        async def subscribed() -> bool:
            try:
                await ear.subscribe([REVOKED_CHANNEL])
            except Unlinked:
                return False
            return ear.linked

        await eventually(subscribed)
        await world.post("/logout", {}, token=person.access)
        await eventually(lambda: heard)
        task.cancel()

    assert revocations.decode(heard[0]).sid == person.tokens["session_id"]
    assert await world.redis.zcount(REVOKED_SET, int(world.clock() * 1000), int(world.clock() * 1000)) == 1


async def test_an_emptied_redis_gets_the_last_330_s_back(world: World) -> None:
    """And not what no living token can be under."""
    old, new = await world.register(), await world.register()
    await world.post("/logout", {}, token=old.access)
    world.clock.pass_s(200)
    access = (await world.refresh(new.tokens["refresh_token"])).body["access_token"]
    await world.post("/logout", {}, token=access)
    world.clock.pass_s(140)
    await world.redis.flushall()

    async def is_back() -> bool:
        return [row.sid for row in await world.revoked()] == [new.tokens["session_id"]]

    await eventually(is_back)


async def test_what_could_not_be_said_is_said_later(tmp_path, worlds: Worlds) -> None:  # type: ignore[no-untyped-def]
    """Redis was away and the process was restarted in between: the row in the database waits."""
    async with worlds() as world:
        person = await world.register()
    async with worlds(bans_known=False, GARITA_REDIS_URL=f"unix://{tmp_path}/nobody.sock") as world:
        assert (await world.post("/logout", {}, token=person.access)).status == 204
        assert (await world.get("/me", token=person.access)).code == "token_invalid"
    async with worlds() as world:

        async def is_said() -> bool:
            return [row.sid for row in await world.revoked()] == [person.tokens["session_id"]]

        await eventually(is_said)
