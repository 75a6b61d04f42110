"""auth_service.ending: sessions of mature devices are asked before an unconfirmed one ends them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World, Worlds, eventually

DAY_S = 86_400
ANOTHER = "mochila verde en marte"


async def ripen(world: World, person: Person) -> None:
    """Sixteen days of daily use: the device of the registration is mature."""
    for _ in range(4):
        world.clock.pass_s(4 * DAY_S)
        answer = await world.refresh(person.tokens["refresh_token"], person.device)
        assert answer.status == 200, answer
        person.tokens |= answer.body


async def owner_and_thief(world: World) -> tuple[Person, dict[str, Any]]:
    """Somebody with a mature device, and the tokens of who logged in with the password alone."""
    owner = await world.register()
    await ripen(world, owner)
    return owner, (await world.log_in(owner, device=False)).body["tokens"]


async def is_alive(world: World, access: str) -> bool:
    """Whether an access token opens the account."""
    return (await world.get("/me", token=access)).status == 200


async def change(world: World, access: str, **more: Any) -> Answer:
    """PUT /me/password."""
    return await world.ask("PUT", "/me/password", {"current": PASSWORD, "new": ANOTHER} | more, token=access)


async def asked(world: World, owner: Person) -> dict[str, Any] | None:
    """What the owner's session is asked."""
    rows = (await world.get("/sessions", token=owner.access)).body["sessions"]
    found: dict[str, Any] | None = next(row.get("asked") for row in rows if row["id"] == owner.tokens["session_id"])
    return found


async def stay(world: World, owner: Person, seconds: int) -> None:
    """Time passes, and the owner's client refreshes after it."""
    world.clock.pass_s(seconds)
    answer = await world.refresh(owner.tokens["refresh_token"], owner.device)
    assert answer.status == 200, answer
    owner.tokens |= answer.body


WAYS = ["password", "others", "all", "delete"]


async def end_by(world: World, way: str, access: str, owner: Person) -> Answer:
    """The four ways to end another session."""
    if way == "password":
        return await change(world, access)
    if way == "delete":
        return await world.ask("DELETE", f"/sessions/{owner.tokens['session_id']}", token=access)
    return await world.post("/logout", {"scope": way}, token=access)


@pytest.mark.parametrize("way", WAYS)
async def test_a_mature_device_is_asked_and_ends_after_a_day(world: World, way: str) -> None:
    """The session goes on, knows since when and until when, and ends then; its owner was told. Nothing shortens the day."""
    owner, thief = await owner_and_thief(world)

    answer = await end_by(world, way, thief["access_token"], owner)

    ends_ms = int((world.clock() + DAY_S) * 1000)
    assert (answer.status, answer.body) == (202, {"ends_ms": ends_ms})
    question = await asked(world, owner)
    assert question is not None and question["ends_ms"] == ends_ms
    assert await is_alive(world, thief["access_token"]) is (way != "all")
    told = (await world.outbox())[-1]
    assert told["to"] == owner.email and "chat to answer" in told["text"]
    await stay(world, owner, DAY_S - 60)
    assert await is_alive(world, owner.access)
    world.clock.pass_s(60)

    async def is_over() -> bool:
        return not await is_alive(world, owner.access)

    await eventually(is_over)
    assert owner.tokens["session_id"] in {row.sid for row in await world.revoked()}


async def test_asking_again_does_not_shorten_the_day(world: World) -> None:
    """Nor does it make it longer: the first time stands."""
    owner, thief = await owner_and_thief(world)
    first = (await end_by(world, "others", thief["access_token"], owner)).body
    world.clock.pass_s(60)
    assert (await end_by(world, "others", thief["access_token"], owner)).body == first


async def test_a_confirmed_device_ends_them_at_once(world: World) -> None:
    """The owner's own mature device ends the thief's session, and another of its own."""
    owner, thief = await owner_and_thief(world)
    second = (await world.log_in(owner)).body["tokens"]
    assert (await end_by(world, "others", second["access_token"], owner)).status == 204
    assert [await is_alive(world, one) for one in (owner.access, thief["access_token"])] == [False, False]


async def test_confirming_the_device_that_asks_ends_them(world: World) -> None:
    """A code to an old contact on it: nobody waits any more."""
    owner, thief = await owner_and_thief(world)
    assert (await end_by(world, "others", thief["access_token"], owner)).status == 202
    await confirm(world, owner, thief["access_token"])

    async def is_over() -> bool:
        return not await is_alive(world, owner.access)

    await eventually(is_over)


async def confirm(world: World, person: Person, access: str) -> None:
    """A code to the old contact, given on the device of a session."""
    assert (await world.post("/step-up/send", {"channel": "email"}, token=access)).status == 202
    proof = {"method": "code", "code": await world.code_for(person.email)}
    assert (await world.post("/step-up", proof, token=access)).status == 200


async def test_a_freeze_asks_nobody_any_more(world: World) -> None:
    """Who was told says "not me": the owner's session stays, long after."""
    owner, thief = await owner_and_thief(world)
    await end_by(world, "password", thief["access_token"], owner)
    text = next(row["text"] for row in reversed(await world.outbox()) if "undo.html#" in row["text"])
    token = text.rpartition("#")[2].split()[0]
    assert (await world.post("/undo", {"token": token, "action": "not_me"})).status == 200
    assert await asked(world, owner) is None
    assert not await is_alive(world, thief["access_token"])
    await stay(world, owner, 4 * DAY_S)
    assert await is_alive(world, owner.access)


async def test_no_keeps_the_session_and_every_contact_is_told(world: World) -> None:
    """With a link to undo; the day is over and the session still there."""
    owner, thief = await owner_and_thief(world)
    await end_by(world, "others", thief["access_token"], owner)
    before = await world.outbox()
    path = f"/sessions/{owner.tokens['session_id']}/answer"

    assert (await world.post(path, {"was_me": False}, token=owner.access)).status == 204

    assert await asked(world, owner) is None
    told = await world.newer(before)
    assert [row["to"] for row in told] == [owner.email] and "/undo.html#" in told[0]["text"]
    await stay(world, owner, DAY_S + 60)
    assert await is_alive(world, owner.access)
    assert (await world.post(path, {"was_me": False}, token=owner.access)).code == "not_found"


async def test_yes_ends_it_at_once(world: World) -> None:
    """It was the owner, on a new device."""
    owner, thief = await owner_and_thief(world)
    await end_by(world, "others", thief["access_token"], owner)
    path = f"/sessions/{owner.tokens['session_id']}/answer"
    assert (await world.post(path, {"was_me": True}, token=owner.access)).status == 204
    assert not await is_alive(world, owner.access)


async def test_only_a_mature_device_answers(world: World) -> None:
    """The thief cannot say yes on behalf of the owner, nor a stranger anything."""
    owner, thief = await owner_and_thief(world)
    stranger = await world.register()
    await end_by(world, "others", thief["access_token"], owner)
    path = f"/sessions/{owner.tokens['session_id']}/answer"
    body = {"was_me": True}
    assert (await world.post(path, body, token=thief["access_token"])).code == "step_up_required"
    assert (await world.post(path, body, token=stranger.access)).code == "not_found"
    assert await is_alive(world, owner.access)


async def test_changing_the_password(world: World) -> None:
    """The new one logs in, the old one does not; sessions of devices that are not mature end; keep_this_session says what becomes of this one."""
    person = await world.register()
    other = (await world.log_in(person, device=False)).body["tokens"]
    assert (await change(world, person.access)).status == 204
    assert [await is_alive(world, one) for one in (person.access, other["access_token"])] == [True, False]
    assert (await world.log_in(person)).code == "invalid_credentials"
    assert (await world.log_in(person, ANOTHER)).status == 200
    back = {"current": ANOTHER, "new": PASSWORD, "keep_this_session": False}
    assert (await world.ask("PUT", "/me/password", back, token=person.access)).status == 204
    assert not await is_alive(world, person.access)


async def test_a_password_change_is_refused(world: World) -> None:
    """With a wrong present password, ten of which shut it, and with a weak new one, also one made of the user's own words."""
    person = await world.register("barrilete-azul")
    assert (await change(world, person.access, current="not this one 42")).code == "invalid_credentials"
    for weak in ("short", "barrilete-azul1", "passwordpassword"):
        assert (await change(world, person.access, new=weak)).code == "weak_password"
    for _ in range(9):
        await change(world, person.access, current="not this one 42")
    assert (await change(world, person.access)).code == "rate_limited"
    assert (await world.log_in(person)).status == 200


async def test_an_unconfirmed_newcomer_puts_out_no_confirmed_session(worlds: Worlds) -> None:
    """At the cap of confirmed sessions there is one more for it, and the next newcomer puts that one out."""
    async with worlds(MAX_SESSIONS="2") as world:
        person = await world.register()
        second = (await world.log_in(person)).body["tokens"]
        thieves = [(await world.log_in(person, device=False)).body["tokens"] for _ in range(3)]
        alive = [await is_alive(world, one["access_token"]) for one in (person.tokens, second, *thieves)]
        assert alive == [True, True, False, False, True]


async def test_abuse_68_a_password_thief_puts_nobody_out(world: World) -> None:
    """He changes the password, ends the others and opens 25 sessions: the owner is asked and stays; "no" keeps it; only his own fall over the cap; a code ends it."""
    owner, thief = await owner_and_thief(world)

    assert (await change(world, thief["access_token"])).status == 202
    assert (await world.post("/logout", {"scope": "others"}, token=thief["access_token"])).status == 202
    opened = []
    for _ in range(25):
        world.clock.pass_s(4)
        opened.append((await world.log_in(owner, ANOTHER, device=False)).body["tokens"]["access_token"])

    assert await is_alive(world, owner.access)
    assert [await is_alive(world, token) for token in opened] == [False] * 6 + [True] * 19
    path = f"/sessions/{owner.tokens['session_id']}/answer"
    assert (await world.post(path, {"was_me": False}, token=owner.access)).status == 204
    assert await asked(world, owner) is None
    await stay(world, owner, DAY_S + 60)
    assert await is_alive(world, owner.access)
    fresh = (await world.log_in(owner, ANOTHER, device=False)).body["tokens"]
    await confirm(world, owner, fresh["access_token"])
    assert (await world.post("/logout", {"scope": "others"}, token=fresh["access_token"])).status == 204
    assert not await is_alive(world, owner.access)
