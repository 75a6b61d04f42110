"""auth_service.clears: a challenge of the chat, from the question to the clear that a gateway redeems."""

from __future__ import annotations

from typing import Any

import pytest

from garita_common.core import activity
from tests.integration.auth_service.conftest import SERVICE_TOKEN, Answer, Person, World, eventually, solve
from tests.integration.auth_service.test_refreshing import first


async def chat_token(world: World, person: Person) -> str:
    """An access token for the gateway."""
    answer = await world.refresh(first(person), person.device, "chat")
    person.tokens |= {"refresh_token": answer.body["refresh_token"]}
    return str(answer.body["access_token"])


async def asked(world: World, token: str, kind: str = "image") -> tuple[str, str]:
    """A challenge of the chat, and the right answer."""
    body: dict[str, Any] = {"action": "chat", "kinds": [kind]}
    if kind == "audio":
        proof = (await world.post("/challenges", {"action": "chat"}, token=token)).body["params"]
        world.clock.pass_s(1.5)
        body["captcha"] = solve(proof)
    answer = await world.post("/challenges", body, token=token)
    assert answer.status == 201, answer
    async with world.http.get(world.url + answer.body["media_url"]) as response:
        return answer.body["id"], await response.text()


async def solved(world: World, token: str, kind: str = "image") -> Answer:
    """POST …/solve with the right answer."""
    challenge, answer = await asked(world, token, kind)
    return await world.post(f"/challenges/{challenge}/solve", {"answer": answer}, token=token)


async def redeem(world: World, clear: str) -> Any:
    """As a gateway does."""
    answer = await world.inside("/internal/introspect", {"clear": clear}, SERVICE_TOKEN)
    assert answer.status == 200, answer
    return answer.body


@pytest.mark.parametrize("kind", ["image", "audio"])
async def test_the_right_answer_gives_a_clear_for_that_session_once(world: World, kind: str) -> None:
    """To see or to hear; the detector is told who passed."""
    person = await world.register()
    answer = await solved(world, await chat_token(world, person), kind)

    assert (answer.status, answer.body["expires_in"]) == (200, 60)
    told = await redeem(world, answer.body["clear"])
    assert (told["active"], told["sub"], told["sid"]) == (True, person.id, person.tokens["session_id"])

    async def is_told() -> bool:
        passed = [event for event in await world.events() if isinstance(event, activity.CaptchaPassed)]
        return [(event.user, event.device) for event in passed if event.action == "chat" and event.user] == [
            (person.id, told["did"])
        ]

    await eventually(is_told)


async def test_abuse_32_a_clear_is_good_once_and_for_a_minute(world: World) -> None:
    """The second time, and after 60 s, it is nothing."""
    person = await world.register()
    used = (await solved(world, await chat_token(world, person))).body["clear"]
    late = (await solved(world, await chat_token(world, person))).body["clear"]
    assert (await redeem(world, used))["active"]

    assert not (await redeem(world, used))["active"]
    world.clock.pass_s(60)
    assert not (await redeem(world, late))["active"]


async def test_abuse_32_a_challenge_of_the_chat_is_one_sessions_and_takes_one_answer(world: World) -> None:
    """Another session's token does not answer it, nor does a second guess; each uses it up, and the detector is told."""
    person, other = await world.register(), await world.register()
    mine, theirs = await chat_token(world, person), await chat_token(world, other)
    for token, wrong_first in ((theirs, False), (mine, True)):
        challenge, right = await asked(world, mine)
        path = f"/challenges/{challenge}/solve"
        if wrong_first:
            assert (await world.post(path, {"answer": "WRONG"}, token=token)).code == "code_invalid"
        assert (await world.post(path, {"answer": right}, token=token)).code == "code_invalid"
        assert (await world.post(path, {"answer": right}, token=mine)).code == "code_invalid"

    async def are_told() -> bool:
        failed = [event for event in await world.events() if isinstance(event, activity.CaptchaFailed)]
        return {event.user for event in failed} == {person.id, other.id}

    await eventually(are_told)


async def test_abuse_16_a_clear_opens_nothing_and_other_tokens_get_none(world: World) -> None:
    """It is no access token; and only the chat's token asks for these challenges."""
    person = await world.register()
    token = await chat_token(world, person)
    clear = (await solved(world, token)).body["clear"]
    challenge, right = await asked(world, token)

    assert (await world.get("/me", token=clear)).status == 401
    for bad in (None, clear, person.access):
        assert (await world.post("/challenges", {"action": "chat", "kinds": ["image"]}, token=bad)).status == 401
        assert (await world.post(f"/challenges/{challenge}/solve", {"answer": right}, token=bad)).status == 401
    assert (await world.post("/me/totp", {}, token=token)).status == 401
    assert (await redeem(world, clear))["active"]
