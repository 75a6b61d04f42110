"""The abuse cases of the design about what a recovery is shown, and what that is worth."""

from __future__ import annotations

import sqlite3

import pytest

from tests.integration.auth_service.conftest import Person, World, Worlds, eventually
from tests.integration.auth_service.owners import add_phone
from tests.integration.auth_service.rescue import (
    DAY_S,
    FAR,
    HOME,
    NEW_PASSWORD,
    P1,
    P2,
    Rescue,
    begin,
    codes_to,
    grown,
    links_to,
    log_in_from,
    thief_of,
    told,
    two_phones,
    veto,
    with_places,
)

RELEASE = "Somebody says that a phone number of the account is not theirs any more"


async def test_abuse_37_a_thief_cannot_build_himself_a_usual_place(worlds: Worlds) -> None:
    """His daily logins are worth nothing; the owner's, on a confirmed device, are."""
    async with await with_places(worlds) as world:
        owner = await grown(world)
        for _ in range(10):
            world.clock.pass_s(DAY_S)
            await log_in_from(world, owner, HOME)
        world.clock.pass_s(8 * DAY_S)
        own = await begin(world, owner.name, device=owner.device, ip=HOME)
        await own.prove("sms", P1)
        await own.done()
        assert await own.wait_s() == pytest.approx(DAY_S, abs=5)  # 60 + 20 + 8
        far = await begin(world, owner.name, ip=HOME)
        world.clock.pass_s(60)
        await far.prove("sms", P1)
        await far.done()
        assert await far.wait_s() == pytest.approx(3 * DAY_S, abs=65)  # 60 + 8

        thief = await thief_of(world, owner)
        for _ in range(10):
            world.clock.pass_s(DAY_S)
            await log_in_from(world, thief, FAR)
        world.clock.pass_s(8 * DAY_S)
        his = await begin(world, owner.name, device=thief.device, ip=FAR)
        await his.prove("sms", P1)
        await his.done()
        assert await his.wait_s() == pytest.approx(3 * DAY_S, abs=5)  # 60: nothing of it is his


async def test_abuse_40_a_number_that_nobody_confirmed_for_two_years_opens_nothing(world: World) -> None:
    """25 months: 20 points; with the mailbox it is 60."""
    owner = await grown(world, days=760)
    alone = await begin(world, owner.name)
    await alone.prove("sms", P1)
    await alone.done()
    assert await alone.state() == "refused"
    world.clock.pass_s(60)
    both = await begin(world, owner.name)
    await both.prove("sms", P1)
    await both.prove("email", owner.email)
    await both.done()

    assert await both.wait_s() == pytest.approx(3 * DAY_S, abs=5)


async def test_abuse_41_the_next_phone_is_asked_after_three_days_in_which_the_first_can_object(world: World) -> None:
    """Whoever has shown nothing is not heard; a contact's "no" keeps the first one."""
    owner = await two_phones(world)
    nobody = await begin(world, owner.name)
    assert (await nobody.unavailable()).status == 202
    assert await told(world, P1, RELEASE) == 0

    rescue = await begin(world, owner.name)
    await rescue.prove("email", owner.email)
    assert (await rescue.unavailable()).status == 202
    assert await told(world, P1, RELEASE) == await told(world, owner.email, RELEASE) == 1
    world.clock.pass_s(3 * DAY_S - 60)
    await rescue.send("sms", P1)
    assert await codes_to(world, P2) == []
    world.clock.pass_s(60)
    assert (await rescue.prove("sms", P2)).status == 202

    kept = await begin(world, owner.name)
    world.clock.pass_s(60)
    await kept.prove("email", owner.email)
    await kept.unavailable()
    world.clock.pass_s(6 * 3_600)
    await eventually(lambda: links_to_count(world, P1, 2))
    assert (await veto(world, (await links_to(world, P1, RELEASE))[-1])).status == 200
    world.clock.pass_s(3 * DAY_S - 6 * 3_600 + 60)
    await kept.send("sms", P1)


async def links_to_count(world: World, to: str, count: int) -> bool:
    """Whether so many notices of a release have come."""
    return len(await links_to(world, to, RELEASE)) >= count


async def with_question(world: World) -> Person:
    """An account with a secret question that counts."""
    owner = await grown(world)
    body = {"question_id": "first_concert", "answer": "Los Planetas"}
    answer = await world.ask("PUT", "/me/secret-question", body, token=owner.access)
    assert answer.status == 202, answer
    world.clock.pass_s(8 * DAY_S)
    return owner


async def test_abuse_42_a_right_answer_opens_nothing_and_wrong_ones_tell_nothing(world: World) -> None:
    """Without a possession it is refused; the third wrong answer closes the question for a week."""
    owner = await with_question(world)
    alone = await begin(world, owner.name, device=owner.device)
    assert (await alone.show("question", "los planetas")).raw == b"{}"
    await alone.done()
    assert await alone.state() == "refused"

    async def after(answer: str) -> Rescue:
        world.clock.pass_s(DAY_S)
        rescue = await begin(world, owner.name, device=owner.device)
        await rescue.prove("sms", P1)
        assert (await rescue.shown()).body["question"] == "first_concert"
        assert (await rescue.show("question", answer)).raw == b"{}"
        await rescue.done()
        return rescue

    assert points_of(world, await after("LOS PLANETAS!")) == 60 + 20 + 10
    for _ in range(3):
        assert points_of(world, await after("Mecano")) == 60 + 20 - 15
    assert points_of(world, await after("Los Planetas")) == 60 + 20  # it is closed
    world.clock.pass_s(6 * DAY_S)
    assert points_of(world, await after("Los Planetas")) == 60 + 20 + 10


def points_of(world: World, rescue: Rescue) -> int:
    """What a recovery was found to be worth, which no answer tells."""
    with sqlite3.connect(world.config.database, timeout=30) as db:
        return int(db.execute("SELECT points FROM recoveries WHERE id = ?", (rescue.id,)).fetchone()[0])


async def test_abuse_42_strangers_cannot_close_the_question(world: World) -> None:
    """Wrong answers of somebody who has proved nothing are not looked at."""
    owner = await with_question(world)
    for _ in range(3):
        stranger = await begin(world, owner.name)
        await stranger.show("question", "Mecano")
    rescue = await begin(world, owner.name, device=owner.device)
    await rescue.prove("sms", P1)
    await rescue.show("question", "Los Planetas")
    await rescue.done()

    assert await rescue.state() == "approved"


async def test_abuse_43_a_new_password_does_not_turn_the_second_factor_off(world: World) -> None:
    """Login still asks for it."""
    owner = await grown(world)
    await world.enrol(owner)
    world.clock.pass_s(DAY_S)
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert (await rescue.complete()).status == 204

    answer = await world.log_in(owner, NEW_PASSWORD)
    assert answer.body.get("methods") == ["totp"]  # and no text, which would be the same phone again
    assert "tokens" not in answer.body
    ticket = answer.body["mfa_ticket"]
    assert (await world.pay("/login/mfa/send", {"mfa_ticket": ticket}, "login", ticket)).status == 202
    assert await told(world, P1, "your code to log in") == 0


async def test_abuse_44_two_phones_are_one_kind_of_proof(world: World) -> None:
    """For freedom from second factors they wait thirty days; phone and mail a day, and then login asks for no second factor."""
    owner = await two_phones(world)
    await world.enrol(owner)
    world.clock.pass_s(DAY_S)
    phones = await begin(world, owner.name, goal="mfa")
    await phones.prove("sms", P1)
    await phones.unavailable()
    world.clock.pass_s(3 * DAY_S)
    await phones.prove("sms", P2)
    await phones.done()
    assert await phones.wait_s() == pytest.approx(30 * DAY_S, abs=5)

    world.clock.pass_s(DAY_S)
    both = await begin(world, owner.name, goal="mfa")
    await both.prove("sms", P1)
    await both.prove("email", owner.email)
    await both.done()
    assert await both.wait_s() == pytest.approx(DAY_S, abs=5)
    world.clock.pass_s(DAY_S)
    await both.prove("email", owner.email)
    assert (await both.complete("otra marea de sardinas")).code == "invalid_request"
    assert (await both.complete(None)).status == 204
    assert "tokens" in (await world.log_in(owner)).body
    assert await phones.state() == "expired"


@pytest.mark.parametrize("days", [3, 40])
async def test_abuse_57_the_one_contact_waits_a_day(world: World, days: int) -> None:
    """From a new device, and a thief's phone on probation makes it no longer."""
    owner = await grown(world, phone=None, days=days)
    thief = await thief_of(world, owner)
    await add_phone(world, thief.access, P2)
    rescue = await begin(world, owner.name)
    await rescue.prove("email", owner.email)
    await rescue.done()

    assert await rescue.wait_s() == pytest.approx(DAY_S, abs=5)
    shown = await world.get("/me/recoveries", token=thief.access)
    assert len(shown.body["recoveries"]) == 1
