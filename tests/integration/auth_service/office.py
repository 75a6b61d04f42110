"""Administrators and bans, as tests need them."""

from __future__ import annotations

import sqlite3
from typing import Any

from garita_common.core import bans
from garita_common.core.bans import Ban
from garita_common.core.channels import BAN_PUSH, BANS_HASH
from tests.integration.auth_service.conftest import Answer, Person, World


async def administrator(world: World, name: str = "jefa") -> Person:
    """An account with a second factor and the role, in a session that has just given the code."""
    person = await world.register(name)
    await world.enrol(person)
    granted = await world.inside("/operator/admins/grant", {"user": name})
    assert granted.status == 200, granted
    await prove(world, person)
    return person


async def prove(world: World, person: Person) -> None:
    """A TOTP code is given in the person's session."""
    world.clock.pass_s(30)
    stepped = await world.post("/step-up", {"method": "totp", "code": world.totp(person)}, token=person.access)
    assert stepped.status == 200, stepped
    person.tokens |= stepped.body


async def console(world: World, person: Person) -> Answer:
    """A refresh for the console; the person's refresh token is the newest one afterwards."""
    answer = await world.refresh(person.tokens["refresh_token"], person.device, "console")
    if answer.status == 200:
        person.tokens["refresh_token"] = answer.body["refresh_token"]
    return answer


async def console_token(world: World, person: Person) -> str:
    """A console token."""
    answer = await console(world, person)
    assert answer.status == 200, answer
    token: str = answer.body["access_token"]
    return token


async def ban(world: World, subject: str, appeal: str = "00000000000000a1", minutes: int = 60) -> Ban:
    """A ban as the detector writes it."""
    now_ms = int(world.clock() * 1000)
    made = Ban(subject, now_ms, now_ms + minutes * 60_000, "flood", "Too much.", appeal, 7)
    await world.redis.hset(BANS_HASH, made.subject, bans.encode(made))
    await world.redis.publish(BAN_PUSH, bans.encode_push([made.subject]))
    return made


async def lift(world: World, subject: str) -> None:
    """The detector takes a ban back."""
    await world.redis.hdel(BANS_HASH, subject)
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))


def audited(world: World) -> list[dict[str, Any]]:
    """Every row of the audit log, oldest first."""
    with sqlite3.connect(f"file:{world.config.database}?mode=ro", uri=True) as db:
        db.row_factory = sqlite3.Row
        return [dict(row) for row in db.execute("SELECT * FROM audit ORDER BY seq")]


def events(world: World) -> list[str]:
    """The names of what is in the audit log, oldest first."""
    return [row["event"] for row in audited(world)]
