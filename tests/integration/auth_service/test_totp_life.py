"""auth_service.totp_life and .removing: a TOTP is offered, confirmed, removed, and called lost by those who may."""

from __future__ import annotations

import base64
import sqlite3

from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World

DAY_S = 86_400


async def second(world: World, person: Person, code: str) -> Answer:
    """Both steps of a login, on the person's own device."""
    ticket = (await world.log_in(person)).body["mfa_ticket"]
    return await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": code})


async def strong(world: World, person: Person) -> str:
    """An access token of a login with a code, just now."""
    world.clock.pass_s(30)
    answer = await second(world, person, world.totp(person))
    assert answer.status == 200, answer
    return str(answer.body["tokens"]["access_token"])


async def grown_up(world: World) -> Person:
    """Somebody whose TOTP and device are mature."""
    person = await world.register()
    await world.enrol(person)
    for _ in range(4):
        world.clock.pass_s(10 * DAY_S)
        await strong(world, person)
    return person


def matures_in_days(world: World, table: str) -> list[float]:
    """How long after their making the factors of a table mature."""
    with sqlite3.connect(world.config.database) as db:
        rows = db.execute(f"SELECT matures_ms - added_ms FROM {table} ORDER BY added_ms, id").fetchall()  # noqa: S608 - our own words
    return [round(row[0] / DAY_S / 1000, 3) for row in rows]


async def test_a_removed_totp_is_asked_for_a_week_and_another_may_stand_beside_it(world: World) -> None:
    """Then either gets in; after the week only the new one."""
    person = await world.register()
    await world.enrol(person)
    access = await strong(world, person)
    old = Person(person.name, person.email, person.id, person.tokens, person.seed)

    removed = await world.ask("DELETE", "/me/totp", token=access)
    assert removed.status == 202
    assert removed.body["cancel_until_ms"] == int((world.clock() + 7 * DAY_S) * 1000)
    assert removed.body["effective_ms"] == int((world.clock() + 37 * DAY_S) * 1000)
    assert (await world.ask("DELETE", "/me/totp", token=access)).status == 404
    person.tokens = person.tokens | {"access_token": access}
    await world.enrol(person)
    for one in (old, person):
        assert (await second(world, one, world.totp(one))).status == 200
    world.clock.pass_s(7 * DAY_S)

    assert (await second(world, old, world.totp(old))).code == "invalid_code"
    assert (await second(world, person, world.totp(person))).status == 200


async def test_without_another_login_asks_no_more_after_the_week(world: World) -> None:
    """The removal is what it says."""
    person = await world.register()
    await world.enrol(person)
    await world.ask("DELETE", "/me/totp", token=await strong(world, person))

    world.clock.pass_s(7 * DAY_S - 60)
    assert (await world.log_in(person)).body["methods"] == ["totp"]
    world.clock.pass_s(60)
    assert "tokens" in (await world.log_in(person)).body


async def test_a_removal_can_be_taken_back_within_the_week(world: World) -> None:
    """And everything is as it was."""
    person = await world.register()
    await world.enrol(person)
    access = await strong(world, person)
    removed = (await world.ask("DELETE", "/me/totp", token=access)).body

    assert (await world.ask("DELETE", f"/me/pending-changes/{removed['id']}", token=access)).status == 204
    world.clock.pass_s(8 * DAY_S)
    assert (await second(world, person, world.totp(person))).status == 200


async def test_the_password_alone_removes_nothing(world: World) -> None:
    """A thief with a session and the password is asked for the factor that is to go."""
    person = await world.register()
    await world.enrol(person)
    world.clock.pass_s(301)
    access = (await world.refresh(person.tokens["refresh_token"])).body["access_token"]
    stepped = await world.post("/step-up", {"method": "password", "password": PASSWORD}, token=access)

    answer = await world.ask("DELETE", "/me/totp", token=stepped.body["access_token"])
    assert (answer.code, answer.body["methods"]) == ("step_up_required", ["totp"])


async def test_only_what_is_mature_shortens_a_probation_and_calls_lost(world: World) -> None:
    """A young TOTP: 30 days, and no "lost". One that is mature, on a mature device: 7 days, and what is lost ends at once."""
    young = await world.register()
    await world.enrol(young)
    access = await strong(world, young)
    assert (await world.post("/me/recovery-codes", {}, token=access)).status == 201
    assert (await world.post("/me/totp/lost", {}, token=access)).code == "step_up_required"
    assert matures_in_days(world, "totp") == [30]
    assert matures_in_days(world, "code_sets") == [30]

    person = await grown_up(world)
    access = await strong(world, person)
    codes = (await world.post("/me/recovery-codes", {}, token=access)).body["codes"]
    assert matures_in_days(world, "code_sets") == [30, 7]
    lost = await world.post("/me/recovery-codes/lost", {}, token=access)
    assert [one["effective_ms"] for one in lost.body["removals"]] == [int(world.clock() * 1000)]
    body = {"method": "recovery_code", "code": codes[0]}
    assert (await world.post("/step-up", body, token=access)).code == "invalid_code"
    assert (await world.post("/me/totp/lost", {}, token=access)).status == 200
    assert "tokens" in (await world.log_in(person)).body


async def test_a_seed_is_forgotten_when_another_is_offered(world: World) -> None:
    """Only the newest offer can be confirmed, and it is sealed where it lies."""
    person = await world.register()
    first = (await world.post("/me/totp", {}, token=person.access)).body["secret"]
    newest = (await world.post("/me/totp", {}, token=person.access)).body["secret"]

    with sqlite3.connect(world.config.database) as db:
        rows = db.execute("SELECT sealed_seed FROM totp").fetchall()
    assert len(rows) == 1
    assert not any(base64.b32decode(secret) in rows[0][0] for secret in (first, newest))
