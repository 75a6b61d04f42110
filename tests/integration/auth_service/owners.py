"""What an owner, or a thief, does with contacts in a test, and what the rules make of it afterwards."""

from __future__ import annotations

import re
from typing import Any

from auth_service.core.recovery.facts import Facts
from auth_service.store import opened, rows_of
from auth_service.store_facts import facts_of
from tests.integration.auth_service.conftest import PASSWORD, Person, World, eventually

DAY_S = 86_400


async def fresh(world: World, person: Person) -> str:
    """An access token whose proof is fresh, of the person's first session."""
    answer = await world.refresh(person.tokens["refresh_token"], person.device)
    assert answer.status == 200, answer
    person.tokens |= answer.body
    proof = {"method": "password", "password": PASSWORD}
    stepped = await world.post("/step-up", proof, token=person.access)
    assert stepped.status == 200, stepped
    token: str = stepped.body["access_token"]
    return token


async def add_email(world: World, token: str, email: str) -> str:
    """A proved address; returns its id."""
    asked = await world.post("/me/emails", {"email": email}, token=token)
    assert asked.status == 202, asked
    contact: str = asked.body["id"]
    proved = await world.post(f"/me/emails/{contact}/verify", {"code": await world.code_for(email)}, token=token)
    assert proved.status == 200, proved
    return contact


async def add_phone(world: World, token: str, phone: str) -> str:
    """A proved number; returns its id."""
    asked = await world.pay("/me/phones", {"phone": phone}, "contact", phone, token=token)
    assert asked.status == 202, asked
    contact: str = asked.body["id"]
    proved = await world.post(f"/me/phones/{contact}/verify", {"code": await world.code_for(phone)}, token=token)
    assert proved.status == 200, proved
    return contact


async def stored(world: World, token: str, value: str, kind: str = "emails") -> dict[str, Any]:
    """One contact of the account."""
    listed: list[dict[str, Any]] = (await world.get(f"/me/{kind}", token=token)).body["contacts"]
    return next(contact for contact in listed if contact["value"] == value)


async def states(world: World, token: str, kind: str = "emails") -> dict[str, str]:
    """Each contact of a kind and its state."""
    listed = await world.get(f"/me/{kind}", token=token)
    return {contact["value"]: contact["state"] for contact in listed.body["contacts"]}


async def log_in_again(world: World, person: Person, *, password: str = PASSWORD) -> str:
    """A new session on the person's own device; returns its access token, which is fresh."""
    answer = await world.log_in(person, password)
    assert answer.status == 200, answer
    person.tokens |= answer.body["tokens"]
    return person.access


async def break_in(world: World, person: Person) -> Person:
    """Somebody who knows the password logs in from a device of their own."""
    world.clock.pass_s(1)  # what was proved in the same millisecond would not be older than this login
    answer = await world.log_in(person, device=False)
    assert answer.status == 200, answer
    return Person(person.name, person.email, person.id, answer.body["tokens"])


async def grow_old(world: World, person: Person, days: int = 60) -> str:
    """Time passes, and the person's device is used now and then: it becomes mature. Returns a fresh access token."""
    token = person.access
    for _ in range(4):
        world.clock.pass_s(days * DAY_S / 4)
        token = await log_in_again(world, person)
    return token


async def contact_of(world: World, token: str, value: str, kind: str = "emails") -> str:
    """The id of a contact."""
    contact: str = (await stored(world, token, value, kind))["id"]
    return contact


async def facts(world: World, user: str) -> Facts:
    """The account as the rules of recovery see it."""
    async with opened(world.config.database) as store:
        return await facts_of(store.reading, user, world.config.factor_policy)


async def rows(world: World, sql: str, *values: str) -> list[dict[str, Any]]:
    """Rows of the service's database."""
    async with opened(world.config.database) as store:
        return [dict(row) for row in await rows_of(store.reading, sql, values)]


async def told(world: World, to: str, since_ms: int = 0) -> list[str]:
    """The notices that went to somebody since a time, oldest first; codes are none. Old ones are swept, so they are not to be counted over days."""
    sent = await world.outbox()
    texts = [message["text"] for message in sent if message["to"] == to and message["at"] >= since_ms]
    return [text for text in texts if not re.search(r"\b\d{6}\b", text)]


def links(text: str) -> list[str]:
    """The tokens of a message's links."""
    return re.findall(r"/undo\.html#([a-p]{64})", text)


async def undo(world: World, token: str, action: str = "cancel") -> None:
    """Uses a link; the answer is always the same."""
    answer = await world.post("/undo", {"token": token, "action": action})
    assert (answer.status, answer.body) == (200, {"received": True})


async def eventually_told(world: World, to: str, count: int) -> list[str]:
    """The notices to somebody, once there are so many."""

    async def there() -> bool:
        return len(await told(world, to)) >= count

    await eventually(there)
    return await told(world, to)


async def break_in_with_code(world: World, person: Person) -> Person:
    """Somebody who has the password and a code of the second factor logs in from a device of their own."""
    world.clock.pass_s(30)  # the code of this half minute may be used up
    ticket = (await world.log_in(person, device=False)).body["mfa_ticket"]
    body = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)}
    answer = await world.post("/login/mfa", body)
    assert answer.status == 200, answer
    return Person(person.name, person.email, person.id, answer.body["tokens"])


async def grow_old_with_code(world: World, person: Person, days: int = 60) -> str:
    """As `grow_old`, for an account with a second factor, which is given each time. Returns a fresh access token."""
    for _ in range(4):
        world.clock.pass_s(days * DAY_S / 4)
        ticket = (await world.log_in(person)).body["mfa_ticket"]
        body = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)}
        answer = await world.post("/login/mfa", body)
        assert answer.status == 200, answer
        person.tokens |= answer.body["tokens"]
    return person.access
