"""The abuse cases of the design that are about getting an account: a thief plays them against the live API."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World, Worlds, eventually
from tests.integration.auth_service.owners import add_email, add_phone, fresh, states, stored
from tests.integration.auth_service.rescue import (
    DAY_S,
    NEW_PASSWORD,
    P1,
    P2,
    Rescue,
    begin,
    codes_to,
    grown,
    links_to,
    step_up,
    thief_of,
    told,
)

HELD = "A recovery of the account is waiting for its time to pass"
RELEASE = "Somebody says that a phone number of the account is not theirs any more"
M2 = "thief@example.net"
HOME, FAR = "198.51.100.7", "203.0.113.9"


async def veto(world: World, link: str) -> Answer:
    """Somebody uses a notice's link."""
    return await world.post("/undo", {"token": link, "action": "cancel"})


async def held(world: World, owner: Person, rescue: Rescue, before: int = 0) -> str:
    """The link in the newest notice to the owner's mailbox that a recovery waits."""

    async def came() -> bool:
        return len(await links_to(world, owner.email, HELD)) > before

    await eventually(came)
    return (await links_to(world, owner.email, HELD))[-1]


async def log_in_from(world: World, person: Person, ip: str) -> None:
    """A login on the person's device, from an address."""
    answer = await world.log_in(person, headers={"X-Forwarded-For": ip})
    assert answer.status == 200, answer
    person.tokens |= {key: value for key, value in answer.body["tokens"].items() if key != "device"}


async def living(world: World, token: str, kind: str) -> dict[str, str]:
    """The contacts of a kind that have rights."""
    found = await states(world, token, kind)
    return {value: state for value, state in found.items() if state != "retired"}


async def test_the_lock_out_story(world: World) -> None:
    """Abuse case 34: a thief with the password does everything at once, and ends with nothing; the owner has the account and his contacts."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    token = await step_up(world, thief)
    await add_phone(world, token, P2)
    await add_email(world, token, M2)
    for kind, value in (("phones", P1), ("emails", owner.email)):
        contact = await stored(world, token, value, kind)
        removed = await world.ask("DELETE", f"/me/{kind}/{contact['id']}", token=token)
        assert removed.status == 202, removed
    changed = await world.ask("PUT", "/me/password", {"current": PASSWORD, "new": "ahora es solo mio"}, token=token)
    assert changed.status in (202, 204), changed
    await world.post("/logout", {"scope": "others"}, token=token)
    for to in (owner.email, P1):
        assert await told(world, to, "A phone number is being removed") + await told(
            world, to, "An e-mail address is being removed"
        ), to
    assert not await told(world, M2, "is being removed")
    world.clock.pass_s(20 * DAY_S)

    his = await begin(world, M2, device=thief.device)
    await his.send("email", owner.email)
    await his.send("sms", P1)
    world.clock.pass_s(61)
    rescue = await begin(world, owner.email, device=owner.device)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert await rescue.state() == "approved"
    assert (await rescue.complete()).status == 204

    assert await codes_to(world, P2) == await codes_to(world, M2) == []
    assert (await world.get("/me", token=thief.access)).status == 401
    assert (await world.refresh(thief.tokens["refresh_token"], thief.device)).code == "session_ended"
    assert (await world.log_in(owner, "ahora es solo mio")).code == "invalid_credentials"
    back = await world.log_in(owner, NEW_PASSWORD)
    token = back.body["tokens"]["access_token"]
    assert await living(world, token, "emails") == {owner.email: "mature"}
    assert await living(world, token, "phones") == {P1: "mature"}
    world.clock.pass_s(40 * DAY_S)
    again = await begin(world, M2)
    await again.send_blindly("sms")
    assert (await again.done()).status == 202
    assert await again.state() == "refused"
    last = await begin(world, owner.name)
    await last.prove("sms", P1)
    await last.prove("email", owner.email)
    assert await last.state() == "approved"


async def test_abuse_35_a_thief_who_added_his_phone_has_the_oldest_one_asked(world: World) -> None:
    """And his mailbox gets no code."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    await add_phone(world, thief.access, P2)
    await add_email(world, thief.access, M2)
    world.clock.pass_s(29 * DAY_S)
    his = await begin(world, owner.name, device=thief.device)
    await his.send("sms", P1)
    await his.send("email", owner.email)

    assert await codes_to(world, P2) == await codes_to(world, M2) == []


async def test_abuse_36_a_thief_has_no_veto(world: World) -> None:
    """Neither by a password, nor by a contact of his, nor for an account that is not his."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    await add_email(world, thief.access, M2)
    stranger = await world.register()
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.done()
    await held(world, owner, rescue)

    token = await step_up(world, thief)
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=stranger.access)).code == "not_found"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {})).code == "token_invalid"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {"token": "a" * 64})).code == "not_found"
    assert await links_to(world, M2, HELD) == []
    assert await rescue.wait_s() == pytest.approx(3 * DAY_S, abs=5)


async def with_places(worlds: Worlds) -> Any:
    """A service that believes what the tests say about addresses."""
    return worlds(TRUSTED_PROXIES="127.0.0.1", RECOVERIES_PER_PREFIX_PER_H="1000")


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


async def test_abuse_38_a_stolen_number_waits_is_slowed_by_the_mailbox_and_ended_by_the_owner(world: World) -> None:
    """72 h with everybody told, 14 d after the mailbox's veto, over when the owner proves himself on his device."""
    owner = await grown(world)
    swapper = await begin(world, owner.name)
    await swapper.prove("sms", P1)
    await swapper.done()
    assert await swapper.wait_s() == pytest.approx(3 * DAY_S, abs=5)
    link = await held(world, owner, swapper)

    assert (await veto(world, link)).status == 200
    assert await swapper.wait_s() == pytest.approx(14 * DAY_S, abs=5)
    assert (await world.post("/step-up/send", {"channel": "email"}, token=owner.access)).status == 202
    code = await world.code_for(owner.email)
    stepped = await world.post("/step-up", {"method": "code", "code": code}, token=owner.access)
    assert stepped.status == 200, stepped

    async def ended() -> bool:
        return await swapper.state() == "vetoed"

    await eventually(ended)
    await eventually(lambda: told(world, owner.email, "A recovery of the account was ended"))


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


async def two_phones(world: World) -> Person:
    """An account with two mature phones."""
    owner = await grown(world)
    await add_phone(world, await fresh(world, owner), P2)
    world.clock.pass_s(31 * DAY_S)
    await log_in_from(world, owner, "127.0.0.1")
    return owner


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


async def test_abuse_45_after_a_recovery_what_a_thief_planted_is_dead(world: World) -> None:
    """His second factor, session and device; the role is suspended, and for three days nothing is taken from the account."""
    owner = await grown(world)
    with sqlite3.connect(world.config.database, timeout=30) as db:
        db.execute("INSERT INTO roles (user, role, granted_ms) VALUES (?, 'admin', 0)", (owner.id,))
    assert (await world.get("/me", token=owner.access)).body["roles"] == ["admin"]
    thief = await thief_of(world, owner)
    await world.enrol(thief)
    half = await world.log_in(owner, device=False)
    assert "mfa_ticket" in half.body
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert (await rescue.complete()).status == 204

    body = {"mfa_ticket": half.body["mfa_ticket"], "method": "totp", "code": world.totp(thief)}
    assert (await world.post("/login/mfa", body)).code == "invalid_code"
    back = await world.log_in(owner, NEW_PASSWORD)
    assert back.status == 200
    assert back.body["user"]["roles"] == []
    token = back.body["tokens"]["access_token"]
    contact = await stored(world, token, P1, "phones")
    refused = await world.ask("DELETE", f"/me/phones/{contact['id']}", token=token)
    assert (refused.code, refused.body["reason"]) == ("conflict", "guarded")
    world.clock.pass_s(3 * DAY_S)
    again = (await world.log_in(owner, NEW_PASSWORD)).body["tokens"]["access_token"]
    assert (await world.ask("DELETE", f"/me/phones/{contact['id']}", token=again)).status == 202


async def test_abuse_47_whoever_burns_the_starts_and_codes_of_a_day_burns_his_own(world: World) -> None:
    """The owner on a confirmed device, or with a link from a notice, still begins and gets a code; his recovery that waits stays."""
    owner = await grown(world)
    waiting = await begin(world, owner.name, device=owner.device)
    await waiting.prove("email", owner.email)
    await waiting.done()
    assert await waiting.state() == "holding"
    for _ in range(8):
        attacker = await begin(world, owner.name)
        for channel in ("sms", "email") * 3:
            world.clock.pass_s(61)
            await attacker.send_blindly(channel)
    rescue = await begin(world, owner.name, device=owner.device)
    await rescue.send("sms", P1)
    assert len(await codes_to(world, P1)) == 4  # three for strangers, one for the owner
    assert len(await codes_to(world, owner.email)) <= 5

    link = (await links_to(world, owner.email, HELD))[-1]
    linked = await begin(world, owner.name, link=link)
    world.clock.pass_s(61)
    await linked.send("sms", P1)
    assert await waiting.state() == "holding"
    assert await told(world, owner.email, "Somebody wants to get into the account") == 1


async def test_abuse_56_a_sleeping_thief_has_nothing(worlds: Worlds) -> None:
    """45 days of silent logins give no points and no voice; the owner recovers at once."""
    async with await with_places(worlds) as world:
        owner = await grown(world)
        thief = await thief_of(world, owner)
        for _ in range(15):
            world.clock.pass_s(3 * DAY_S)
            await log_in_from(world, thief, FAR)
        his = await begin(world, owner.name, device=thief.device, ip=FAR)
        await his.done()
        assert await his.state() == "refused"

        rescue = await begin(world, owner.name)
        await rescue.prove("sms", P1)
        token = await step_up(world, thief)
        assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
        await world.enrol(thief)
        proof = {"method": "totp", "code": world.totp(thief)}
        token = (await world.post("/step-up", proof, token=thief.access)).body["access_token"]
        assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
        await rescue.prove("email", owner.email)
        assert await rescue.state() == "approved"


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


async def test_abuse_61_a_stolen_mailbox_slows_a_stronger_recovery_once(world: World) -> None:
    """However often it objects; a later recovery is not touched by it, and no session of the owner's ends."""
    owner = await grown(world)

    async def waits(before: int) -> tuple[Rescue, str]:
        rescue = await begin(world, owner.name, device=owner.device)
        await rescue.prove("sms", P1)
        await rescue.done()
        assert await rescue.wait_s() == pytest.approx(DAY_S, abs=5)
        world.clock.pass_s(900)
        return rescue, await held(world, owner, rescue, before)

    first, link = await waits(0)
    assert (await veto(world, link)).status == 200
    wait_s = await first.wait_s()
    assert wait_s == pytest.approx(3 * DAY_S, abs=5)
    started = (await links_to(world, owner.email, "Somebody wants to get into the account without its password"))[0]
    not_me = {"token": started, "action": "not_me"}
    assert (await world.post("/undo", not_me)).status == 200

    assert await first.wait_s() == pytest.approx(wait_s, abs=5)
    assert await first.state() == "holding"
    second, _ = await waits(1)
    assert await second.state() == "holding"
    assert (await world.refresh(owner.tokens["refresh_token"], owner.device)).status == 200
