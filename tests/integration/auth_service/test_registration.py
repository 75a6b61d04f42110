"""auth_service.registration: proving a contact, choosing a name, and what a stranger can find out."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from tests.integration.auth_service.conftest import PASSWORD, Answer, World, Worlds
from tests.integration.auth_service.killing import Asked, Round, killed_again_and_again


async def begin(world: World, email: str) -> tuple[str, str]:
    """A started registration's id and secret."""
    answer = await world.start(email=email)
    assert answer.status == 202, answer
    return answer.body["flow_id"], answer.body["flow_secret"]


async def verify(world: World, flow: tuple[str, str], code: str) -> Answer:
    """POST …/verify"""
    return await world.post(f"/registrations/{flow[0]}/verify", {"flow_secret": flow[1], "code": code})


async def complete(world: World, flow: tuple[str, str], ticket: str, name: str) -> Answer:
    """POST …/complete"""
    return await world.post(f"/registrations/{flow[0]}/complete", {"ticket": ticket, "username": name})


async def proved(world: World, email: str) -> tuple[tuple[str, str], str]:
    """A registration whose contact is proved, and its ticket."""
    flow = await begin(world, email)
    answer = await verify(world, flow, await world.code_for(email))
    return flow, answer.body["registration_ticket"]


async def test_by_phone_too(world: World) -> None:
    """The code goes to the number in its one form, in the language asked for."""
    answer = await world.start(phone="+34 600 00 00 00", locale="es")
    flow = answer.body["flow_id"], answer.body["flow_secret"]
    message = (await world.outbox())[-1]
    assert (message["kind"], message["to"]) == ("sms", "+34600000000")
    assert "código" in message["text"]

    ticket = (await verify(world, flow, await world.code_for("+34600000000"))).body["registration_ticket"]
    done = await complete(world, flow, ticket, "ana")
    assert (done.status, done.body["user"]["phone"], done.body["user"]["locale"]) == (201, "+34600000000", "es")
    assert "email" not in done.body["user"]
    assert (await world.post("/login", {"identifier": "+34-600000000", "password": PASSWORD})).status == 200


def headers_of(answer: Answer) -> list[tuple[str, str]]:
    """An answer's headers with their values."""
    return sorted((name, value) for name, value in answer.headers.items() if name != "Date")


async def test_abuse_02_a_known_address_cannot_be_told_from_a_new_one(world: World) -> None:
    """The same status, fields, length and headers, at the start and to the end; its owner gets a message without a code, and no code fits, not even by luck."""
    person = await world.register()
    before = await world.outbox()

    known = await world.start(email=person.email.upper())
    new = await world.start(email="new@example.org")

    assert (known.status, sorted(known.body), headers_of(known)) == (new.status, sorted(new.body), headers_of(new))
    assert len(known.raw) == len(new.raw)
    messages = await world.newer(before)
    assert "already has an account" in messages[0]["text"]
    flow = known.body["flow_id"], known.body["flow_secret"]
    other = new.body["flow_id"], new.body["flow_secret"]
    right = await world.code_for("new@example.org")
    wrong = [f"{number:06d}" for number in range(7) if f"{number:06d}" != right][:6]
    told = [[await verify(world, one, code) for code in wrong] for one in (flow, other)]
    assert [answer.code for answer in told[0]] == ["code_invalid"] * 5 + ["flow_gone"]
    assert [(a.status, a.code, len(a.raw), headers_of(a)) for a in told[0]] == [
        (a.status, a.code, len(a.raw), headers_of(a)) for a in told[1]
    ]


async def test_a_code_takes_five_tries(world: World) -> None:
    """The sixth is too late, also with the right one; the fifth is not."""
    flow, other = await begin(world, "a@example.org"), await begin(world, "b@example.org")
    code, other_code = await world.code_for("a@example.org"), await world.code_for("b@example.org")
    wrong = "000000" if "000000" not in (code, other_code) else "111111"

    assert [(await verify(world, flow, wrong)).code for _ in range(5)] == ["code_invalid"] * 5
    assert (await verify(world, flow, code)).code == "flow_gone"
    for _ in range(4):
        await verify(world, other, wrong)
    assert (await verify(world, other, other_code)).status == 200


async def test_parallel_tries_are_counted_one_by_one(world: World) -> None:
    """Thirty at once get five answers."""
    flow = await begin(world, "a@example.org")
    code = await world.code_for("a@example.org")
    wrong = [f"{number:06d}" for number in range(31) if f"{number:06d}" != code][:30]

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(verify(world, flow, guess)) for guess in wrong]

    assert [task.result().code for task in asked].count("code_invalid") == 5
    assert (await verify(world, flow, code)).code == "flow_gone"


async def test_a_code_is_good_for_fifteen_minutes_and_once(world: World) -> None:
    """Afterwards the registration is gone."""
    flow = await begin(world, "a@example.org")
    code = await world.code_for("a@example.org")
    assert (await verify(world, flow, code)).status == 200
    assert (await verify(world, flow, code)).code == "flow_gone"

    late = await begin(world, "b@example.org")
    code = await world.code_for("b@example.org")
    world.clock.pass_s(900)
    assert (await verify(world, late, code)).code == "flow_gone"


async def test_without_the_secret_nobody_shows_codes(world: World) -> None:
    """Who reads an id learns nothing, and costs the owner no try."""
    flow = await begin(world, "a@example.org")
    code = await world.code_for("a@example.org")
    for _ in range(6):
        assert (await verify(world, (flow[0], "guessed"), code)).code == "flow_gone"
    assert (await verify(world, ("0" * 32, flow[1]), code)).code == "flow_gone"

    assert (await verify(world, flow, code)).status == 200


@pytest.mark.parametrize("taken", ["ana.b", "ANA.B", "ana_b", "ana-b"])
async def test_a_taken_name_and_its_look_alikes_are_refused_and_the_flow_goes_on(world: World, taken: str) -> None:
    """409, then another name."""
    await world.register("Ana.B")
    flow, ticket = await proved(world, "x@example.org")

    assert (await complete(world, flow, ticket, taken)).code == "username_taken"
    assert (await complete(world, flow, ticket, "admin")).code == "invalid_request"
    assert (await complete(world, flow, ticket, "bea")).status == 201


async def test_a_ticket_is_for_its_own_flow_once(world: World) -> None:
    """And nothing else is one."""
    flow, ticket = await proved(world, "a@example.org")
    other, other_ticket = await proved(world, "b@example.org")

    assert (await complete(world, flow, other_ticket, "ana")).code == "flow_gone"
    assert (await complete(world, flow, flow[1], "ana")).code == "flow_gone"
    assert (await complete(world, flow, ticket, "ana")).status == 201
    assert (await complete(world, flow, ticket, "ana2")).code == "flow_gone"
    world.clock.pass_s(1800)
    assert (await complete(world, other, other_ticket, "bea")).code == "flow_gone"


async def test_two_registrations_of_one_address_make_one_account(world: World) -> None:
    """Both proved it; the second to finish is refused."""
    first, first_ticket = await proved(world, "a@example.org")
    second, second_ticket = await proved(world, "a@example.org")

    async with asyncio.TaskGroup() as tasks:
        one = tasks.create_task(complete(world, first, first_ticket, "ana"))
        two = tasks.create_task(complete(world, second, second_ticket, "bea"))

    assert sorted([one.result().status, two.result().status]) == [201, 409]


async def test_two_at_once_for_one_name_make_one_account(world: World) -> None:
    """The other keeps its flow."""
    first, first_ticket = await proved(world, "a@example.org")
    second, second_ticket = await proved(world, "b@example.org")

    async with asyncio.TaskGroup() as tasks:
        one = tasks.create_task(complete(world, first, first_ticket, "ana"))
        two = tasks.create_task(complete(world, second, second_ticket, "ANA"))

    assert sorted([one.result().status, two.result().status]) == [201, 409]


async def test_a_stranger_cannot_fill_a_mailbox(world: World) -> None:
    """Three messages a day to one contact; further registrations look alike and send nothing."""
    answers = [await world.start(email="victim@example.org") for _ in range(5)]

    assert {answer.status for answer in answers} == {202}
    assert len([message for message in await world.outbox() if message["to"] == "victim@example.org"]) == 3
    world.clock.pass_s(86_400)
    await world.start(email="victim@example.org")
    assert len([message for message in await world.outbox() if message["to"] == "victim@example.org"]) == 4


async def test_a_robot_that_fills_the_hidden_field_gets_an_empty_flow(world: World) -> None:
    """It cannot tell, and nobody gets a message."""
    answer = await world.start(email="robot@example.org", honeypot="http://buy.example")

    assert (answer.status, sorted(answer.body)) == (202, ["expires_in", "flow_id", "flow_secret"])
    assert await world.outbox() == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({}, "invalid_request"),
        ({"email": "a@example.org", "phone": "+34600000000"}, "invalid_request"),
        ({"email": "nonsense"}, "invalid_request"),
        ({"email": "a@example.org", "password": "short"}, "weak_password"),
        ({"email": "a@example.org", "password": "password1234"}, "weak_password"),
        ({"email": "maripili@example.org", "password": "maripili1234"}, "weak_password"),
        ({"email": "a@example.org", "locale": "xx"}, "invalid_request"),
        ({"email": "a@example.org", "invite": "x"}, "invalid_request"),
    ],
)
async def test_what_cannot_be_registered_is_said_before_any_work(
    world: World, fields: dict[str, str], code: str
) -> None:
    """Without a challenge, for it is refused anyway."""
    answer = await world.post("/registrations", {"password": PASSWORD} | fields)

    assert answer.code == code


async def test_registration_is_closed_where_nobody_can_be_reached(worlds: Worlds) -> None:
    """Production without mail and SMS: one clear refusal."""
    async with worlds(GARITA_MODE="production") as world:
        answer = await world.post("/registrations", {"email": "a@example.org", "password": PASSWORD})

        assert (answer.status, answer.code) == (403, "registration_closed")


async def test_an_address_registers_five_times_an_hour(worlds: Worlds) -> None:
    """Where addresses count: the limit and one past it, and a day's limit beside it."""
    async with worlds(GARITA_LOOPBACK="public", REGISTRATIONS_PER_PREFIX_PER_H="2") as world:
        statuses = [(await world.start(email=f"p{number}@example.org")).status for number in range(3)]

        assert statuses == [202, 202, 429]


async def test_nothing_readable_lies_in_the_database(world: World) -> None:
    """Neither addresses, nor codes, nor secrets, in the file or its log."""
    person = await world.register("ana")
    await world.enrol(person)
    code = await world.code_for(person.email)

    for path in world.config.database.parent.glob("auth.sqlite3*"):
        data = path.read_bytes()
        for secret in (
            person.email.encode(), PASSWORD.encode(), f"is {code}".encode(), person.seed, person.device.encode(),
            person.tokens["refresh_token"].rpartition(".")[2].encode(),
        ):  # fmt: skip
            assert secret not in data, path.name
        assert path.stat().st_mode & 0o077 == 0


async def test_abuse_53_a_killed_registration_is_whole_or_not_there(
    worlds: Worlds, tmp_path: Path, redis_url: str
) -> None:
    """There is an account with name, password, contact, device and session, or none, and then the same ticket still makes it."""
    async with worlds() as world:
        world.clock.now_s = time.time() - 60  # before what the killed processes do, whatever the set-up takes
        flow, ticket = await proved(world, "ana@example.org")
        ready = world.config.database
    tables = ("users", "usernames", "passwords", "contacts", "devices", "sessions", "refresh_tokens")

    def is_whole(left: Round) -> bool:
        counts = {left.one(f"SELECT count(*) FROM {table}") for table in tables}  # noqa: S608 - constants alone
        assert counts in ({0}, {1})
        whole = counts == {1}
        assert left.one("SELECT count(*) FROM flows WHERE ticket_hash IS NOT NULL") == (not whole)
        return whole

    async def afterwards(left: Round, whole: bool) -> None:
        again = await left.post(asked.path, asked.body)
        assert (again.status, again.code) == ((410, "flow_gone") if whole else (201, None))
        login = await left.post("/login", {"identifier": "ana", "password": PASSWORD})
        assert login.status == 200, login
        if left.answered is not None:
            assert left.answered.body["user"]["id"] == left.one("SELECT id FROM users")

    asked = Asked(f"/registrations/{flow[0]}/complete", {"ticket": ticket, "username": "ana"})
    await killed_again_and_again(tmp_path, redis_url, ready, asked, is_whole, afterwards)
