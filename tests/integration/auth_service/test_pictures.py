"""auth_service.pictures, .picture_pool and .challenge_routes: a picture is looked at once and answered once, for one thing, from one browser."""

from __future__ import annotations

import asyncio
from typing import Any

from tests.integration.auth_service.conftest import (
    ORIGIN,
    PASSWORD,
    PROOF_COST,
    Answer,
    World,
    Worlds,
    eventually,
    solve,
)

WRONG = "wrong wrong wrong 1"


async def ask(world: World, kind: str = "image", flow: str = "ana", **more: Any) -> Answer:
    """POST /challenges for a login."""
    return await world.post("/challenges", {"action": "login", "kinds": [kind], "flow": flow, **more})


async def look(world: World, challenge: dict[str, Any]) -> tuple[int, str, bytes]:
    """GET its file: status, media type, bytes."""
    async with world.http.get(world.url + challenge["media_url"]) as response:
        return response.status, response.content_type, await response.read()


async def guessed_at(world: World, name: str = "ana") -> None:
    """Five wrong passwords of a name: from now on a picture is wanted."""
    for _ in range(5):
        body: dict[str, Any] = {"identifier": name, "password": WRONG}
        answer = await world.post("/login", body)
        if answer.status == 428:
            assert "kinds" not in answer.body
            proof = await asyncio.to_thread(solve, answer.body["challenge"]["params"])
            answer = await world.post("/login", body | {"captcha": proof})
        assert answer.status == 401


async def log_in(world: World, picture: dict[str, Any] | None, name: str = "ana", **more: Any) -> Answer:
    """The right password, the work that is asked, and a picture's answer."""
    body: dict[str, Any] = {"identifier": name, "password": PASSWORD}
    wanted = await world.post("/login", body)
    assert (wanted.status, wanted.body["kinds"]) == (428, ["image", "audio"])
    proof = await asyncio.to_thread(solve, wanted.body["challenge"]["params"])
    return await world.post("/login", body | {"captcha": proof} | ({"picture": picture} if picture else {}), **more)


async def test_a_picture_is_looked_at_once(world: World) -> None:
    """And the media type says what it is; nothing keeps it."""
    challenge = (await ask(world)).body

    first = await look(world, challenge)
    assert (first[0], first[1], len(first[2])) == (200, "image/png", 6)
    assert (await look(world, challenge))[0] == 404
    assert (await look(world, {"media_url": "/v1/auth/challenges/" + "0" * 32 + "/media"}))[0] == 404


async def test_six_guesses_want_a_picture_and_its_answer_lets_go_on(world: World) -> None:
    """By image or by sound, whatever the case; never without; a name of nobody is asked alike."""
    await world.register("ana")
    await guessed_at(world)
    await guessed_at(world, "nobody")

    assert (await log_in(world, None)).status == 428
    answered = await world.picture("login", "ana")
    assert (await log_in(world, answered | {"answer": f" {answered['answer'].lower()}"})).status == 200
    clip = await world.picture("login", "ana", "audio", captcha=await world.proof("login"))
    assert (await log_in(world, clip)).status == 200
    nobody = await world.picture("login", "nobody")
    assert (await log_in(world, nobody, "nobody")).status == 401


async def test_the_owners_device_is_asked_for_no_picture(world: World) -> None:
    """Whoever guesses makes only strangers look at pictures."""
    person = await world.register("ana")
    await guessed_at(world)

    assert (await world.log_in(person)).status == 200


async def test_usual_work_is_not_enough_beside_a_picture(world: World) -> None:
    """Four times as much is wanted; a proof of the usual cost is refused."""
    await world.register("ana")
    await guessed_at(world)
    body = {"identifier": "ana", "password": PASSWORD, "picture": await world.picture("login", "ana")}

    answer = await world.post("/login", body | {"captcha": await world.proof("login")})
    assert (answer.status, answer.body["challenge"]["params"]["parameters"]["cost"]) == (428, 4 * PROOF_COST)


async def test_a_page_gets_a_cookie_for_an_hour_instead_of_a_secret(world: World) -> None:
    """It proves nothing else; with it the answer counts, without it not."""
    await world.register("ana")
    await guessed_at(world)
    web = {"X-Garita-Web": "1", "Origin": ORIGIN}
    body = {"action": "login", "kinds": ["image"], "flow": "ana"}
    asked = await world.post("/challenges", body, headers=web)
    cookie = asked.headers["Set-Cookie"]
    assert "browser" not in asked.body
    assert cookie.startswith("bw=")
    assert "Max-Age=3600" in cookie
    assert "HttpOnly" in cookie
    picture = {"id": asked.body["id"], "answer": (await look(world, asked.body))[2].decode()}
    held = web | {"Cookie": f"bw={asked.cookies['bw']}"}

    assert (await log_in(world, picture, headers=held)).status == 200


async def test_an_empty_pool_is_busy_and_the_challenge_stays_good(worlds: Worlds) -> None:
    """Nothing is made on the way of a request."""
    async with worlds(CAPTCHA_CLIPS="0") as world:
        asked = await ask(world, "audio", captcha=await world.proof("login"))
        status, _, _ = await look(world, asked.body)

        assert asked.status == 201
        assert [status, (await look(world, asked.body))[0]] == [503, 503]


async def test_the_pool_is_filled_ahead(world: World) -> None:
    """Before anybody asks; the gauge says how many there are."""
    await eventually(lambda: _holds(world, "image", 20))
    await eventually(lambda: _holds(world, "audio", 4))


async def _holds(world: World, kind: str, count: int) -> bool:
    return await world.metric(f'auth_pictures_held{{kind="{kind}"}}') >= count


async def test_redis_holds_no_answer(world: World) -> None:
    """Only a keyed mark of it."""
    challenge = (await ask(world)).body
    answer = (await look(world, challenge))[2]

    kept = await world.redis.get(f"auth:tmp:picture:{challenge['id']}:shown")
    assert isinstance(kept, bytes)
    assert answer not in kept
