"""auth_service.login: names, passwords, second factors, and those who guess."""

from __future__ import annotations

import asyncio

import pytest

from garita_common.core import activity, bans
from garita_common.core.channels import BAN_PUSH, BANS_HASH
from tests.integration.auth_service.conftest import PASSWORD, Answer, Person, World, Worlds, eventually, solve

WRONG = "wrong wrong wrong 1"


def telling(answer: Answer) -> tuple[object, ...]:
    """All of an answer that a stranger could tell something by."""
    return answer.status, answer.raw, sorted((k, v) for k, v in answer.headers.items() if k != "Date")


async def guess(world: World, identifier: str, password: str = WRONG) -> Answer:
    """A try from an unknown device, with the proof of work where it is asked for."""
    body: dict[str, object] = {"identifier": identifier, "password": password}
    answer = await world.post("/login", body)
    if answer.status == 428:
        body["captcha"] = await asyncio.to_thread(solve, answer.body["challenge"]["params"])
        if "kinds" in answer.body:
            body["picture"] = await world.picture("login", identifier)
        answer = await world.post("/login", body)
    return answer


@pytest.mark.parametrize("how", ["name", "NAME", "email", "EMAIL"])
async def test_every_name_of_an_account_logs_in(world: World, how: str) -> None:
    """User name and address, however they are spelt."""
    person = await world.register("Ana.Bea")
    identifier = {"name": "ana_bea", "NAME": "ANA.BEA", "email": person.email, "EMAIL": person.email.upper()}[how]

    assert (await world.post("/login", {"identifier": identifier, "password": PASSWORD})).status == 200


async def test_all_refusals_are_the_same_bytes(world: World) -> None:
    """Unknown, wrong, locked, impossible: nobody can tell them apart."""
    person = await world.register("ana")
    bodies = [
        ("ana", WRONG), (person.email, WRONG), ("nobody", WRONG), ("nobody@example.org", WRONG), ("+34600000000", WRONG),
        ("\u202e not a name", WRONG), ("ana", "short"), ("ana", "x" * 300), ("ana", ""), ("'; DROP TABLE users; --", WRONG),
    ]  # fmt: skip
    answers = [await world.post("/login", {"identifier": name, "password": word}) for name, word in bodies[:1]]
    answers += [await guess(world, name, word) for name, word in bodies[1:]]

    assert len({repr(telling(answer)) for answer in answers}) == 1
    assert answers[0].status == 401
    assert answers[0].code == "invalid_credentials"
    assert "request_id" not in answers[0].body


async def test_three_misses_ask_for_work_and_ten_shut_a_name(world: World) -> None:
    """For unknown devices, alike for a name of nobody; the owner's device goes on throughout, and time opens it again."""
    person = await world.register("ana")
    seen: dict[str, list[int]] = {}
    for name in ("ana", "nobody"):
        seen[name] = [(await world.post("/login", {"identifier": name, "password": WRONG})).status for _ in range(4)]
        seen[name] += [(await guess(world, name)).status for _ in range(8)]

    assert seen["ana"] == [401, 401, 401, 428, 401, 401, 401, 401, 401, 401, 401, 200]
    assert seen["nobody"] == seen["ana"]
    assert "mfa_ticket" in (await guess(world, "ana", PASSWORD)).body, "shut for the right password too"
    assert (await world.log_in(person)).status == 200
    world.clock.pass_s(15 * 60 + 1)
    assert (await world.log_in(person, device=False)).status == 200


async def test_parallel_guesses_are_counted_one_by_one(world: World) -> None:
    """Twenty at once get no more answers than ten in a row."""
    await world.register("ana")
    proofs = [await world.proof("login") for _ in range(20)]
    body = {"identifier": "ana", "password": WRONG}

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.post("/login", body | {"captcha": proof})) for proof in proofs]

    statuses = [task.result().status for task in asked]
    assert 1 <= statuses.count(401) <= 10
    assert set(statuses) <= {200, 401, 428, 429, 503}


async def test_a_right_login_between_guesses_resets_nothing(world: World) -> None:
    """A guesser cannot wash its tries with an account of its own, nor with the owner's success."""
    await world.register("ana")
    own = await world.register("thief")
    for _ in range(3):
        await world.post("/login", {"identifier": "ana", "password": WRONG})
        assert (await world.log_in(own, device=False)).status == 200

    assert (await world.post("/login", {"identifier": "ana", "password": WRONG})).status == 428
    assert (await guess(world, "ana", PASSWORD)).status == 200
    assert (await world.post("/login", {"identifier": "ana", "password": WRONG})).status == 428


async def test_a_known_device_waits_after_ten_misses_of_its_own(world: World) -> None:
    """And nobody else waits for it."""
    person = await world.register()
    statuses = [(await world.log_in(person, WRONG)).status for _ in range(11)]

    assert statuses == [401] * 10 + [429]
    assert (await world.log_in(person, device=False)).status == 200
    world.clock.pass_s(5 * 60 + 1)
    assert (await world.log_in(person)).status == 200


async def test_another_accounts_device_is_unknown(world: World) -> None:
    """A device is known only to its own user."""
    await world.register("ana")
    thief = await world.register("thief")
    body = {"identifier": "ana", "password": WRONG, "device_hint": thief.device}
    statuses = [(await world.post("/login", body)).status for _ in range(4)]

    assert statuses == [401, 401, 401, 428]


async def test_a_new_device_gets_a_secret_once(world: World) -> None:
    """A known one gets none, and stays the same device."""
    person = await world.register()
    new = await world.log_in(person, device=False)
    again = await world.post(
        "/login",
        {"identifier": person.name, "password": PASSWORD, "device_hint": new.body["tokens"]["device"]},
    )

    assert new.body["tokens"]["device"] != person.device
    assert "device" not in again.body["tokens"]


async def test_the_detector_hears_of_both_outcomes(world: World) -> None:
    """With one keyed hash per name, whether or not it exists, and never the name itself."""
    person = await world.register("ana")
    await world.post("/login", {"identifier": "ana", "password": WRONG})
    await world.post("/login", {"identifier": "nobody", "password": WRONG})
    await world.log_in(person)

    async def heard() -> bool:
        return any(isinstance(event, activity.LoggedIn) for event in await world.events())

    await eventually(heard)
    events = await world.events()
    failed = [event for event in events if isinstance(event, activity.LoginFailed)]
    passed = [event for event in events if isinstance(event, activity.LoggedIn)]
    assert [event.reason for event in failed] == ["password", "password"]
    assert failed[0].account == passed[0].account != failed[1].account
    assert (passed[0].user, passed[0].known_device, passed[0].ip) == (person.id, True, "127.0.0.1")
    assert passed[0].account_since_ms > 0
    assert not any("ana" in account for account in [*(event.account for event in failed), passed[0].account])


async def test_a_code_counts_once_also_at_the_same_moment(world: World) -> None:
    """Two tickets, one code, both at once: one session."""
    person = await world.register()
    await world.enrol(person)
    tickets = [(await world.log_in(person)).body["mfa_ticket"] for _ in range(2)]
    code = world.totp(person)

    async with asyncio.TaskGroup() as tasks:
        asked = [
            tasks.create_task(world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": code}))
            for ticket in tickets
        ]

    assert sorted(task.result().status for task in asked) == [200, 401]
    later = (await world.log_in(person)).body["mfa_ticket"]
    again = await world.post("/login/mfa", {"mfa_ticket": later, "method": "totp", "code": code})
    assert (again.status, again.code) == (401, "invalid_code")


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 401), (0, 200), (1, 200), (2, 401)])
async def test_codes_of_near_steps(world: World, steps: int, status: int) -> None:
    """One step ahead is taken, two are not; the step before was used up by the enrolment."""
    person = await world.register()
    await world.enrol(person)
    ticket = (await world.log_in(person)).body["mfa_ticket"]

    answer = await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person, steps)})
    assert answer.status == status


async def _miss(world: World, person: Person, ticket: str) -> Answer:
    wrong = next(code for code in ("000000", "111111") if code not in [world.totp(person, n) for n in (-1, 0, 1)])
    return await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": wrong})


async def test_a_ticket_takes_five_misses(world: World) -> None:
    """Then the right code is refused too, and the owner is told: somebody has the password."""
    person = await world.register()
    await world.enrol(person)
    ticket = (await world.log_in(person)).body["mfa_ticket"]
    for _ in range(5):
        assert (await _miss(world, person, ticket)).code == "invalid_code"

    answer = await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)})
    assert answer.code == "invalid_code"
    assert any("second factor" in message["text"] and "knows" in message["text"] for message in await world.outbox())


async def test_an_account_takes_ten_misses_an_hour_from_unknown_devices(world: World) -> None:
    """And its known device still passes."""
    person = await world.register()
    await world.enrol(person)
    statuses = []
    for _ in range(3):
        ticket = (await world.log_in(person, device=False)).body["mfa_ticket"]
        statuses += [(await _miss(world, person, ticket)).status for _ in range(5)]
    assert statuses[:10] == [401] * 10
    assert statuses[10] == 429

    ticket = (await world.log_in(person)).body["mfa_ticket"]
    answer = await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)})
    assert answer.status == 200


async def test_a_ticket_lives_five_minutes_and_is_good_for_nothing_else(world: World) -> None:
    """No ticket is an access token, and no access token a ticket."""
    person = await world.register()
    await world.enrol(person)
    ticket = (await world.log_in(person)).body["mfa_ticket"]
    assert (await world.get("/me", token=ticket)).code == "token_invalid"
    swapped = {"mfa_ticket": person.access[:256], "method": "totp", "code": world.totp(person)}
    assert (await world.post("/login/mfa", swapped)).code == "invalid_code"

    world.clock.pass_s(300)
    late = {"mfa_ticket": ticket, "method": "totp", "code": world.totp(person)}
    assert (await world.post("/login/mfa", late)).code == "invalid_code"


async def test_a_banned_address_is_told_and_counts_nothing(worlds: Worlds) -> None:
    """With the reason, the end and the appeal; only where addresses count."""
    async with worlds(GARITA_LOOPBACK="public") as world:
        person = await world.register()
        now_ms = int(world.clock() * 1000)
        subject = bans.address_subject("127.0.0.1/32")
        ban = bans.Ban(subject, now_ms, now_ms + 600_000, "guessing", "Too many wrong passwords.", "appeal-2")
        await world.redis.hset(BANS_HASH, subject, bans.encode(ban))
        await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))

        async def refused() -> bool:
            answer = await world.log_in(person)
            return answer.code == "banned" and answer.body["until_ms"] == ban.until_ms

        await eventually(refused)
        assert (await world.post("/challenges", {"action": "login"})).code == "banned"
        world.clock.pass_s(601)
        assert (await world.log_in(person)).status == 200


async def test_an_address_logs_in_twenty_times_a_minute(worlds: Worlds) -> None:
    """At the limit and one past it, where addresses count."""
    async with worlds(GARITA_LOOPBACK="public", LOGINS_PER_PREFIX_PER_MIN="3") as world:
        person = await world.register()
        statuses = [(await world.log_in(person)).status for _ in range(4)]

        assert statuses == [200, 200, 200, 429]
        assert await world.metric('auth_limit_total{bucket="login_prefix"}') == 1


async def test_a_login_goes_on_without_redis_under_stricter_limits(tmp_path, worlds: Worlds) -> None:  # type: ignore[no-untyped-def]
    """Work from the first try of an unknown device, none for the known one; registration is refused, for replays could not be seen."""
    async with worlds() as world:
        person = await world.register()
    async with worlds(bans_known=False, GARITA_REDIS_URL=f"unix://{tmp_path}/nobody.sock") as world:
        assert (await world.log_in(person)).status == 200
        assert (await world.log_in(person, device=False)).status == 428
        assert (await guess(world, person.name, PASSWORD)).status == 200
        statuses = [(await guess(world, person.name)).status for _ in range(6)]
        assert statuses == [401] * 5 + [200], "shut: a ticket for any password"
        assert (await world.start(email="new@example.org")).status == 503
