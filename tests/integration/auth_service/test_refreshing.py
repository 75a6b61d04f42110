"""auth_service.refreshing: each refresh token once, and what happens otherwise."""

from __future__ import annotations

import asyncio

from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_HASH
from tests.integration.auth_service.conftest import Person, World, Worlds, eventually


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


async def test_twenty_at_once_give_one_successor(world: World) -> None:
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


async def test_a_stale_parent_ends_the_session(world: World) -> None:
    """Right device, successor never used, 61 s later."""
    person = await world.register()
    successor = (await world.refresh(first(person), person.device)).body["refresh_token"]
    world.clock.pass_s(61)

    assert (await world.refresh(first(person), person.device)).code == "session_ended"
    assert (await world.refresh(successor, person.device)).code == "session_ended"
    assert [row.sid for row in await world.revoked()] == [person.tokens["session_id"]]
    assert any("two places" in message["text"] for message in await world.outbox())


async def test_an_ancestor_ends_the_session(world: World) -> None:
    """A token whose successor's successor was used is nobody's lost answer."""
    person = await world.register()
    token = first(person)
    for _ in range(3):
        token = (await world.refresh(token, person.device)).body["refresh_token"]

    assert (await world.refresh(first(person), person.device)).code == "session_ended"
    assert (await world.refresh(token, person.device)).code == "session_ended"


async def test_another_device_ends_the_session(world: World) -> None:
    """Even within the grace."""
    person, other = await world.register(), await world.register()
    await world.refresh(first(person), person.device)

    assert (await world.refresh(first(person), other.device)).code == "session_ended"
    assert len(await world.revoked()) == 1


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
