"""Somebody who wants an account back, as a client of the API, and accounts that are old enough for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World, Worlds, eventually
from tests.integration.auth_service.owners import add_phone, fresh

DAY_S = 86_400
P1, P2 = "+34600000001", "+34600000002"
NEW_PASSWORD = "otra marea de sardinas"
STRANGER = "203.0.113.9"
HELD = "A recovery of the account is waiting for its time to pass"
HOME, FAR = "198.51.100.7", "203.0.113.9"


@dataclass
class Rescue:
    """One recovery under way."""

    world: World
    id: str
    secret: str
    last_sent: int = 0

    async def _post(self, what: str, **body: Any) -> Answer:
        return await self.world.post(f"/recoveries/{self.id}/{what}", {"flow_secret": self.secret, **body})

    async def send(self, channel: str, to: str) -> str:
        """Has codes sent; returns the one that came to an address or number."""
        before = await _codes(self.world, to)
        asked = await self.send_blindly(channel)
        assert asked.status == 202, asked
        found: list[str] = []

        async def came() -> bool:
            # Not by their number: after a leap of the clock old messages are swept at any moment.
            found[:] = [code for at, code in await _codes(self.world, to) if (at, code) not in before]
            return bool(found)

        await eventually(came)
        return found[-1]

    async def prove(self, channel: str, to: str) -> Answer:
        """Has a code sent to an address or number, and shows it."""
        return await self.show("code", await self.send(channel, to))

    async def show(self, kind: str, value: str) -> Answer:
        """Shows evidence."""
        return await self._post("evidence", kind=kind, value=value)

    async def done(self) -> Answer:
        """Says that this is all."""
        return await self._post("evidence", kind="done")

    async def unavailable(self) -> Answer:
        """Says that the phone is no more."""
        return await self._post("phone-unavailable")

    async def send_blindly(self, channel: str) -> Answer:
        """Asks for codes that are not expected to come, and brings what that costs."""
        body = {"flow_secret": self.secret, "channel": channel}
        return await self.world.pay(f"/recoveries/{self.id}/send", body, "recover", self.id)

    async def state(self) -> str:
        """How it stands."""
        answer = await self.shown()
        assert answer.status == 200, answer
        return str(answer.body["state"])

    async def shown(self) -> Answer:
        """The whole answer about how it stands."""
        return await self.world.get(f"/recoveries/{self.id}", headers={"X-Flow-Secret": self.secret})

    async def wait_s(self) -> float:
        """How long it is still to wait."""
        return float((await self.shown()).body["not_before_ms"]) / 1000 - self.world.clock()

    async def complete(self, password: str | None = NEW_PASSWORD) -> Answer:
        """The end."""
        return await self._post("complete", **({} if password is None else {"new_password": password}))


async def begin(
    world: World, name: str, *, goal: str = "password", device: str | None = None, link: str | None = None, ip: str = ""
) -> Rescue:
    """A recovery of whoever is called that."""
    body: dict[str, Any] = {"identifier": name, "goal": goal, "captcha": await world.proof("recover")}
    body |= {"device_hint": device} if device else {}
    body |= {"link": link} if link else {}
    started = await world.post("/recoveries", body, headers={"X-Forwarded-For": ip} if ip else None)
    assert started.status == 202, started
    return Rescue(world, started.body["flow_id"], started.body["flow_secret"])


async def codes_to(world: World, to: str) -> list[str]:
    """The recovery codes sent to an address or number, oldest first."""
    return [code for _, code in await _codes(world, to)]


async def _codes(world: World, to: str) -> list[tuple[int, str]]:
    return [
        (message["at"], re.findall(r"\b\d{6}\b", message["text"])[0])
        for message in await world.outbox()
        if message["to"] == to and "your code to get your account back" in message["text"]
    ]


async def told(world: World, to: str, words: str) -> int:
    """How many messages to somebody say this."""
    return sum(words in message["text"] for message in await world.outbox() if message["to"] == to)


async def links_to(world: World, to: str, words: str) -> list[str]:
    """The secrets of the links beside these words in messages to somebody, oldest first."""
    found: list[str] = []
    for message in await world.outbox():
        if message["to"] == to:
            found += re.findall(re.escape(words) + r"[^#]*#([a-p]{64})", message["text"])
    return found


async def grown(world: World, *, phone: str | None = P1, days: float = 60) -> Person:
    """An account with mail and, if wanted, phone, both mature, whose first device is mature too."""
    person = await world.register()
    if phone is not None:
        await add_phone(world, await fresh(world, person), phone)
    for _ in range(4):
        world.clock.pass_s(days / 4 * DAY_S)
        again = await world.log_in(person)
        assert again.status == 200, again
        person.tokens |= {key: value for key, value in again.body["tokens"].items() if key != "device"}
    return person


async def thief_of(world: World, person: Person) -> Person:
    """Somebody else who knows the password."""
    answer = await world.log_in(person, device=False)
    assert answer.status == 200, answer
    return Person(person.name, person.email, person.id, answer.body["tokens"])


async def step_up(world: World, person: Person) -> str:
    """An access token of a session that has just given the password."""
    answer = await world.post("/step-up", {"method": "password", "password": PASSWORD}, token=person.access)
    assert answer.status == 200, answer
    return str(answer.body["access_token"])


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


async def with_places(worlds: Worlds) -> Any:
    """A service that believes what the tests say about addresses."""
    return worlds(TRUSTED_PROXIES="127.0.0.1", RECOVERIES_PER_PREFIX_PER_H="1000")


async def two_phones(world: World) -> Person:
    """An account with two mature phones."""
    owner = await grown(world)
    await add_phone(world, await fresh(world, owner), P2)
    world.clock.pass_s(31 * DAY_S)
    await log_in_from(world, owner, "127.0.0.1")
    return owner
