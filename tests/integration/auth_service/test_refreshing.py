"""auth_service.refreshing: each refresh token once, and what happens otherwise."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_HASH
from tests.integration.auth_service.conftest import Answer, Person, World, Worlds, eventually
from tests.integration.auth_service.killing import Asked, Round, killed_again_and_again
from tests.integration.auth_service.owners import rows


def first(person: Person) -> str:
    """The refresh token that registration gave."""
    return str(person.tokens["refresh_token"])


async def test_each_token_gives_the_next(world: World) -> None:
    """A chain, however long, with the audience asked for."""
    person = await world.register()
    token = first(person)
    for audience in ("chat", "auth", "chat"):
        answer = await world.refresh(token, audience=audience)
        assert (answer.status, answer.body["audience"]) == (200, audience)
        assert answer.body["refresh_token"] != token
        token = answer.body["refresh_token"]


async def test_a_lost_answer_is_given_again_three_times(world: World) -> None:
    """The same device gets the same successor, then a conflict; the session lives."""
    person = await world.register()
    successor = (await world.refresh(first(person), person.device)).body["refresh_token"]

    again = [await world.refresh(first(person), person.device) for _ in range(4)]

    assert [answer.status for answer in again] == [200, 200, 200, 409]
    assert {answer.body["refresh_token"] for answer in again[:3]} == {successor}
    assert (await world.refresh(successor, person.device)).status == 200


async def test_abuse_19_twenty_at_once_give_one_successor(world: World) -> None:
    """However many tabs ask."""
    person = await world.register()

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.refresh(first(person), person.device)) for _ in range(20)]

    answers = [task.result() for task in asked]
    given = {answer.body["refresh_token"] for answer in answers if answer.status == 200}
    assert len(given) == 1
    assert sorted(answer.status for answer in answers) == [200] * 4 + [409] * 16
    assert (await world.refresh(given.pop(), person.device)).status == 200


async def test_twenty_at_once_without_the_device_leave_nothing_alive(world: World) -> None:
    """One got a successor, and the next one told us that two parties hold the token."""
    person = await world.register()

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.refresh(first(person))) for _ in range(20)]

    statuses = sorted(task.result().status for task in asked)
    assert statuses == [200] + [401] * 19
    assert [row.sid for row in await world.revoked()] == [person.tokens["session_id"]]


async def ended(world: World, person: Person, living: str) -> None:
    """The session has ended for everybody who holds a token of it, the gateways know, and the owner is told."""
    assert (await world.refresh(living, person.device)).code == "session_ended"
    assert [row.sid for row in await world.revoked()] == [person.tokens["session_id"]]
    assert any("two places" in message["text"] for message in await world.outbox() if message["to"] == person.email)


@pytest.mark.parametrize("rotations", [1, 2, 3], ids=["parent", "grandparent", "older"])
async def test_abuse_20_an_old_token_ends_the_session(world: World, rotations: int) -> None:
    """After the grace, or at once where the successor's successor was used: that is nobody's lost answer."""
    person = await world.register()
    token = first(person)
    for _ in range(rotations):
        token = (await world.refresh(token, person.device)).body["refresh_token"]
    if rotations < 3:
        world.clock.pass_s(61 if rotations == 1 else 11)

    assert (await world.refresh(first(person), person.device)).code == "session_ended"
    await ended(world, person, token)


@pytest.mark.parametrize("has_other", [False, True], ids=["none", "another"])
async def test_abuse_21_without_its_device_a_replay_ends_the_session(world: World, has_other: bool) -> None:
    """Within the grace."""
    person = await world.register()
    device = (await world.register()).device if has_other else None
    successor = (await world.refresh(first(person), person.device)).body["refresh_token"]

    assert (await world.refresh(first(person), device)).code == "session_ended"
    await ended(world, person, successor)


async def test_abuse_21_with_its_device_from_elsewhere_the_fork_shows_later(worlds: Worlds) -> None:
    """Who stole the device's secret too gets the same successor; that is noted, and the next rotation but one ends the session."""
    async with worlds(TRUSTED_PROXIES="127.0.0.1") as world:

        async def refresh(token: str, address: str) -> Answer:
            body = {"refresh_token": token, "device_hint": person.device}
            return await world.post("/token/refresh", body, headers={"X-Forwarded-For": address})

        person = await world.register(headers={"X-Forwarded-For": "198.51.100.1"})
        owners = await refresh(first(person), "198.51.100.1")
        thiefs = await refresh(first(person), "203.0.113.9")
        assert thiefs.body["refresh_token"] == owners.body["refresh_token"]
        assert await rows(
            world, "SELECT event, subject FROM audit WHERE event LIKE 'refresh.%' AND event <> 'refresh.ok'"
        ) == [{"event": "refresh.prefix_changed", "subject": person.id}]

        next_one = await refresh(owners.body["refresh_token"], "198.51.100.1")
        assert next_one.status == 200
        world.clock.pass_s(61)
        assert (await refresh(thiefs.body["refresh_token"], "203.0.113.9")).code == "session_ended"
        await ended(world, person, next_one.body["refresh_token"])


async def test_abuse_66_a_stale_parent_ends_the_session(world: World) -> None:
    """Right device, successor never used, 61 s later."""
    person = await world.register()
    successor = (await world.refresh(first(person), person.device)).body["refresh_token"]
    world.clock.pass_s(61)

    assert (await world.refresh(first(person), person.device)).code == "session_ended"
    await ended(world, person, successor)


async def test_abuse_66_three_tabs_within_a_minute_get_one_successor(world: World) -> None:
    """The last of them at its last second; and the session goes on."""
    person = await world.register()
    given = set()
    for pause_s in (0, 30, 30):
        world.clock.pass_s(pause_s)
        given.add((await world.refresh(first(person), person.device)).body["refresh_token"])

    assert len(given) == 1
    assert (await world.refresh(given.pop(), person.device)).status == 200


async def test_a_guessed_secret_does_nothing_to_the_session(world: World) -> None:
    """Who knows an id but not the secret cannot log anybody out."""
    person = await world.register()
    token = first(person)
    forged = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBA")

    assert (await world.refresh(forged, person.device)).code == "session_ended"
    assert (await world.refresh(token, person.device)).status == 200


async def test_unknown_tokens_are_counted_and_good_ones_are_not(worlds: Worlds) -> None:
    """60 failed look-ups an hour from one address; a valid token works all the same."""
    async with worlds(GARITA_LOOPBACK="public", BAD_TOKENS_PER_PREFIX_PER_H="3") as world:
        person = await world.register()
        codes = [(await world.refresh("rt1.x")).code for _ in range(4)]

        assert codes == ["session_ended"] * 3 + ["rate_limited"]
        assert (await world.refresh(first(person), person.device)).status == 200


async def test_a_session_refreshes_thirty_times_a_minute(worlds: Worlds) -> None:
    """The limit is the session's; one past it waits, and the token stays good."""
    async with worlds(REFRESHES_PER_SESSION_PER_MIN="2") as world:
        person = await world.register()
        token = first(person)
        for _ in range(2):
            token = (await world.refresh(token)).body["refresh_token"]
        refused = await world.refresh(token)
        assert (refused.status, refused.code) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) == refused.body["retry_after"] > 0
        world.clock.pass_s(60)

        assert (await world.refresh(token)).status == 200


async def test_a_session_ends_without_refreshes(world: World) -> None:
    """After 30 days; and nothing is revoked, for it had ended anyway."""
    person = await world.register()
    world.clock.pass_s(30 * 86_400)

    assert (await world.refresh(first(person), person.device)).code == "session_ended"


async def test_the_console_needs_the_role_and_a_fresh_second_factor(world: World) -> None:
    """Neither is there: refused, and the token stays good."""
    person = await world.register()

    assert (await world.refresh(first(person), person.device, "console")).code == "step_up_required"
    assert (await world.refresh(first(person), person.device)).status == 200


async def test_a_banned_user_gets_no_chat_token(world: World) -> None:
    """But still one for its account; the refusal says why and until when."""
    person = await world.register()
    subject = bans.user_subject(person.id)
    now_ms = int(world.clock() * 1000)
    ban = bans.Ban(subject, now_ms, now_ms + 60_000, "flood", "Too many messages.", "appeal-1")
    await world.redis.hset(BANS_HASH, subject, bans.encode(ban))
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))
    token = first(person)

    async def refused() -> bool:
        nonlocal token
        answer = await world.refresh(token, person.device, "chat")
        if answer.status == 200:
            token = answer.body["refresh_token"]
            return False
        assert (answer.code, answer.body["reason"], answer.body["appeal"]) == (
            "banned",
            "Too many messages.",
            "appeal-1",
        )
        return True

    await eventually(refused)
    assert (await world.refresh(token, person.device)).status == 200


async def test_abuse_53_a_killed_rotation_is_whole_or_not_there(worlds: Worlds, tmp_path: Path, redis_url: str) -> None:
    """The token is used up and has one successor, or neither; who asks again goes on with the session either way, and with the same successor if there was one."""
    async with worlds() as world:
        world.clock.now_s = time.time() - 60  # before what the killed processes do, whatever the set-up takes
        person = await world.register()
        ready = world.config.database

    def is_whole(left: Round) -> bool:
        whole = bool(left.one("SELECT used_ms IS NOT NULL FROM refresh_tokens WHERE parent IS NULL"))
        assert left.one("SELECT count(*) FROM refresh_tokens WHERE parent IS NOT NULL") == whole
        assert left.one("SELECT count(*) FROM refresh_tokens WHERE sealed_successor IS NOT NULL") == whole
        assert left.one("SELECT count(*) FROM sessions WHERE ended_ms IS NOT NULL") == 0
        return whole

    async def afterwards(left: Round, whole: bool) -> None:
        again = await left.post(asked.path, asked.body)
        assert again.status == 200, again
        assert left.one("SELECT replays FROM refresh_tokens WHERE parent IS NULL") == whole
        assert left.one("SELECT count(*) FROM refresh_tokens WHERE parent IS NOT NULL") == 1
        if left.answered is not None:
            assert again.body["refresh_token"] == left.answered.body["refresh_token"]
        following = asked.body | {"refresh_token": again.body["refresh_token"]}
        assert (await left.post(asked.path, following)).status == 200

    body = {"refresh_token": first(person), "audience": "chat", "device_hint": person.device}
    asked = Asked("/token/refresh", body)
    await killed_again_and_again(tmp_path, redis_url, ready, asked, is_whole, afterwards)


async def test_abuse_53_a_killed_alarm_is_whole_or_not_there(worlds: Worlds, tmp_path: Path, redis_url: str) -> None:
    """A token that was used long ago ends its session and tells the owner, all at once or not yet; and then the next one who shows it does that."""
    async with worlds() as world:
        world.clock.now_s = time.time() - 60  # before what the killed processes do, whatever the set-up takes
        person = await world.register()
        token = first(person)
        for _ in range(3):
            token = (await world.refresh(token, person.device)).body["refresh_token"]
        ready = world.config.database

    def is_whole(left: Round) -> bool:
        whole = bool(left.one("SELECT count(*) FROM sessions WHERE ended_ms IS NOT NULL"))
        assert left.one("SELECT count(*) FROM revocations") == whole
        assert left.one("SELECT count(*) FROM notices WHERE kind = 'session_stolen'") == whole
        assert left.one("SELECT count(*) FROM audit WHERE event = 'refresh.reused'") == whole
        assert left.one("SELECT count(*) FROM tellings") == 0
        mails = left.one("SELECT count(*) FROM outbox")
        assert mails + len(left.told) >= 1 if whole else mails == len(left.told) == 0
        return whole

    async def afterwards(left: Round, whole: bool) -> None:
        if whole:
            await eventually(lambda: person.email in left.told)
        assert (await left.post(asked.path, asked.body)).code == "session_ended"
        living = asked.body | {"refresh_token": token}
        assert (await left.post(asked.path, living)).code == "session_ended"
        await eventually(lambda: person.email in left.told)

    asked = Asked("/token/refresh", {"refresh_token": first(person), "audience": "auth", "device_hint": person.device})
    await killed_again_and_again(tmp_path, redis_url, ready, asked, is_whole, afterwards)
