"""auth_service.ticket_codes and .devices through the API: a text as the last choice of a second factor, and devices that are not asked for one."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World, Worlds
from tests.integration.auth_service.owners import contact_of
from tests.integration.auth_service.rescue import DAY_S, NEW_PASSWORD, P1, P2, begin, grown
from tests.integration.auth_service.test_login import WRONG
from tests.integration.auth_service.test_strangers import CHEAP, guess, shut


async def with_factor(world: World) -> Person:
    """An account with a mature phone and a TOTP."""
    owner = await grown(world)
    await world.enrol(owner)
    return owner


async def ticket_of(world: World, owner: Person, **more: Any) -> str:
    """The password was right."""
    answer = await world.log_in(owner, **more)
    assert "mfa_ticket" in answer.body, answer
    ticket: str = answer.body["mfa_ticket"]
    return ticket


async def texted(world: World, ticket: str) -> Answer:
    """Has a text sent, and pays for it."""
    return await world.pay("/login/mfa/send", {"mfa_ticket": ticket}, "login", ticket)


async def texts(world: World) -> list[str]:
    """Whom codes to log in went to."""
    return [row["to"] for row in await world.outbox() if "your code to log in" in row["text"]]


async def by_text(world: World, ticket: str, code: str, **more: Any) -> Answer:
    """The second step with a code."""
    return await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "sms", "code": code, **more})


async def by_totp(world: World, owner: Person, **more: Any) -> Answer:
    """A whole login on the person's device, with TOTP."""
    world.clock.pass_s(30)
    body = {"mfa_ticket": await ticket_of(world, owner), "method": "totp", "code": world.totp(owner), **more}
    return await world.post("/login/mfa", body)


async def remove_totp(world: World, answer: Answer) -> Answer:
    """What a new session wants to do with the second factor."""
    return await world.ask("DELETE", "/me/totp", token=answer.body["tokens"]["access_token"])


async def test_a_text_is_the_last_choice_and_changes_nothing(world: World) -> None:
    """It stands last, goes to the oldest phone, works once for its ticket, lets in, and is no proof for what changes factors."""
    owner = await with_factor(world)
    first = await world.log_in(owner)
    assert first.body["methods"] == ["totp", "sms"]
    ticket, other = first.body["mfa_ticket"], await ticket_of(world, owner)
    assert (await world.post("/login/mfa/send", {"mfa_ticket": ticket})).body == {"expires_in": 600}
    assert (await world.post("/login/mfa/send", {"mfa_ticket": ticket})).code == "rate_limited"
    assert await texts(world) == [P1]
    code = await world.code_for(P1)

    assert (await by_text(world, other, code)).code == "invalid_code"
    assert (
        await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "code", "code": code})
    ).code == "invalid_code"
    entered = await by_text(world, ticket, code)
    assert entered.status == 200, entered
    assert (await by_text(world, ticket, code)).code == "invalid_code"
    assert (await remove_totp(world, entered)).code == "step_up_required"
    assert (await remove_totp(world, await by_totp(world, owner))).status == 202
    assert (await world.post("/login/mfa/send", {"mfa_ticket": "0" * 64})).code == "invalid_code"


async def test_without_a_phone_that_counts_or_a_factor_beside_it_there_is_no_text(world: World) -> None:
    """A thief's phone in probation is none."""
    mailed = await grown(world, phone=None)
    await world.enrol(mailed)
    assert (await world.log_in(mailed)).body["methods"] == ["totp"]
    ticket = await ticket_of(world, mailed)
    assert (await texted(world, ticket)).status == 202
    assert await texts(world) == []

    phoned = await grown(world, phone=P2)
    assert "tokens" in (await world.log_in(phoned)).body


async def test_a_shut_name_sends_no_text_and_answers_alike(worlds: Worlds) -> None:
    """Right password, wrong one and a name of nobody: the same price and the same answer; the account passes by its TOTP."""
    async with worlds(**CHEAP) as world:
        owner = await with_factor(world)
        await shut(world, owner.name)
        await shut(world, "nobody")
        told = []
        for name, password in ((owner.name, PASSWORD), (owner.name, WRONG), ("nobody", WRONG)):
            answer = await guess(world, name, password)
            sent = await texted(world, answer.body["mfa_ticket"])
            told.append((answer.body["methods"], sent.status, sent.body))
        assert told[0] == told[1] == told[2] == (["passkey", "totp", "recovery_code", "code"], 202, {"expires_in": 600})
        assert await texts(world) == []


async def test_after_a_recovery_no_text_is_taken_until_the_factor_was_given(world: World) -> None:
    """Phone and mailbox recover the password; the phone again is not the second factor."""
    owner = await with_factor(world)
    early = await ticket_of(world, owner)
    world.clock.pass_s(61)
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.prove("email", owner.email)
    assert (await rescue.complete()).status == 204

    assert (await texted(world, early)).code == "invalid_code"
    answer = await world.log_in(owner, NEW_PASSWORD)
    assert answer.body["methods"] == ["totp"]
    world.clock.pass_s(4 * DAY_S)
    ticket = await ticket_of(world, owner, password=NEW_PASSWORD)
    assert (await world.log_in(owner, NEW_PASSWORD)).body["methods"] == ["totp"]
    body = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(owner)}
    assert (await world.post("/login/mfa", body)).status == 200
    assert (await world.log_in(owner, NEW_PASSWORD)).body["methods"] == ["totp", "sms"]


async def test_a_trusted_device_is_not_asked_for_a_month(world: World) -> None:
    """It alone, by the password alone, and what changes factors still wants one."""
    owner = await with_factor(world)
    assert (await by_totp(world, owner)).status == 200
    assert "mfa_ticket" in (await world.log_in(owner)).body
    assert (await by_totp(world, owner, trust_device=True)).status == 200

    entered = await world.log_in(owner)
    assert "tokens" in entered.body
    assert (await remove_totp(world, entered)).code == "step_up_required"
    assert "mfa_ticket" in (await world.log_in(owner, device=False)).body
    assert (await world.log_in(owner, WRONG)).code == "invalid_credentials"
    world.clock.pass_s(30 * DAY_S - 1)
    assert "tokens" in (await world.log_in(owner)).body
    world.clock.pass_s(1)
    assert "mfa_ticket" in (await world.log_in(owner)).body


@pytest.mark.parametrize("change", ["password", "totp", "device", "recovery", "freeze"])
async def test_trust_ends_with_what_it_rests_on(world: World, change: str) -> None:
    """A new password, a removed factor or device, a recovery; and it is worth nothing while the account is frozen."""
    owner = await with_factor(world)
    entered = await by_totp(world, owner, trust_device=True)
    token, password = entered.body["tokens"]["access_token"], PASSWORD
    assert "tokens" in (await world.log_in(owner)).body
    if change == "password":
        password = NEW_PASSWORD
        changed = await world.ask("PUT", "/me/password", {"current": PASSWORD, "new": password}, token=token)
        assert changed.status == 204, changed
    elif change == "totp":
        assert (await remove_totp(world, entered)).status == 202
    elif change == "device":
        devices = (await world.get("/me/devices", token=token)).body["devices"]
        device = next(row["id"] for row in devices if row["current"])
        assert (await world.ask("DELETE", f"/me/devices/{device}", token=token)).status == 202
    elif change == "recovery":
        rescue = await begin(world, owner.name, device=owner.device)
        await rescue.prove("sms", P1)
        await rescue.prove("email", owner.email)
        password = NEW_PASSWORD
        assert (await rescue.complete()).status == 204
    else:
        phone = await contact_of(world, token, P1, "phones")
        assert (await world.ask("DELETE", f"/me/phones/{phone}", token=token)).status == 202
        text = next(row["text"] for row in reversed(await world.outbox()) if "/undo.html#" in row["text"])
        link = text.split("#")[1][:64]
        assert (await world.post("/undo", {"token": link, "action": "not_me"})).status == 200

    assert "mfa_ticket" in (await world.log_in(owner, password)).body
