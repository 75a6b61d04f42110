"""Oldest phone first, unless the gateway for texts has said twice, a day apart, that there is no such number."""

from __future__ import annotations

import contextlib
import sqlite3

from tests.integration.auth_service.conftest import World
from tests.integration.auth_service.rescue import P1, P2, begin, codes_to, two_phones

DAY_S = 86_400


def refused(world: World, ago_s: float) -> None:
    """The gateway refused the oldest phone for good, so long ago."""
    at_ms = int((world.clock.now_s - ago_s) * 1000)
    with contextlib.closing(sqlite3.connect(world.config.database)) as db:
        db.execute(
            "INSERT INTO delivery_failures SELECT mark, ?, 'unknown' FROM contacts WHERE kind = 'sms' ORDER BY proved_ms LIMIT 1",
            (at_ms,),
        )
        db.commit()


async def test_a_number_that_is_gone_makes_room_for_the_next(world: World) -> None:
    """One refusal is bad luck; a second a day later is an answer."""
    owner = await two_phones(world)
    refused(world, 2 * DAY_S)
    once = await begin(world, owner.name)
    await once.send("sms", P1)
    assert await codes_to(world, P2) == []

    refused(world, DAY_S - 1)
    world.clock.pass_s(120)
    twice = await begin(world, owner.name)
    await twice.send("sms", P2)
