"""auth_service.strangers and .admitting: guessing over names, addresses and months, and the owner who still gets in."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tests.integration.auth_service.conftest import PASSWORD, Answer, World, Worlds, eventually, solve
from tests.integration.auth_service.rescue import NEW_PASSWORD, P1, begin, grown
from tests.integration.auth_service.test_login import WRONG, telling

# The proof of work of each guess would take minutes and is tested elsewhere.
CHEAP = {"LOGIN_PROOF_AFTER": "100000", "LOGIN_PICTURE_AFTER": "100000"}
ADDRESSES = {"TRUSTED_PROXIES": "127.0.0.1", "GARITA_LOOPBACK": "public"}


async def guess(world: World, name: str, password: str = WRONG, address: str = "203.0.113.1") -> Answer:
    """A try from an unknown device at an address, and the code that may leave after the answer."""
    body = {"identifier": name, "password": password}
    answer = await world.post("/login", body, headers={"X-Forwarded-For": address})

    async def nothing_waits() -> bool:
        return await world.metric("auth_login_codes_waiting") == 0

    if "mfa_ticket" in answer.body:
        await eventually(nothing_waits)
    return answer


async def second(world: World, answer: Answer, code: str, method: str = "code") -> Answer:
    """The second step."""
    body = {"mfa_ticket": answer.body["mfa_ticket"], "method": method, "code": code}
    return await world.post("/login/mfa", body)


async def shut(world: World, name: str) -> None:
    """Ten wrong passwords, and the name is shut."""
    world.clock.pass_s(1)  # a contact counts from the moment after its proof
    for _ in range(10):
        assert (await guess(world, name)).status == 401


def shape(answer: Answer) -> tuple[object, ...]:
    """All of an answer that is not random."""
    fields = {key: value for key, value in answer.body.items() if key not in ("mfa_ticket", "request_id")}
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "Date")
    return answer.status, fields, len(answer.raw), headers


async def test_abuse_01_a_name_of_nobody_answers_alike(worlds: Worlds) -> None:
    """Before it is shut and after, right and wrong, and at the second step to its end."""
    async with worlds(**CHEAP) as world:
        await world.register("ana")
        seen: dict[str, list[object]] = {}
        for name in ("ana", "nobody"):
            told = [telling(await guess(world, name)) for _ in range(10)]
            tickets = [await guess(world, name) for _ in range(2)]
            misses = [shape(await second(world, tickets[0], "000000")) for _ in range(7)]
            seen[name] = [*told, *(shape(ticket) for ticket in tickets), *misses]
        right = await guess(world, "ana", PASSWORD)

    assert seen["ana"] == seen["nobody"]
    assert shape(right) == seen["ana"][10]
    assert right.body["methods"] == ["passkey", "totp", "recovery_code", "code"]


async def test_abuse_03_a_hundred_answers_tell_right_from_wrong_and_then_none(worlds: Worlds) -> None:
    """Under all its names, from as many addresses, over days; the owner's device logs in throughout, and a code opens it again."""
    settings = CHEAP | ADDRESSES | {"LOGIN_SHUT_AFTER_PER_H": "1000"}
    async with worlds(**settings) as world:
        ana = await world.register("ana")
        told = {"ana": 0, ana.email: 0}
        for number in range(130):
            for name in told:
                answer = await guess(world, name, f"{WRONG}{number}", f"203.0.{number}.{1 + len(name)}")
                told[name] += answer.status == 401
            world.clock.pass_s(90)
        assert told == {"ana": 100, ana.email: 100}
        for name in told:
            assert "mfa_ticket" in (await guess(world, name, PASSWORD, "198.51.100.1")).body
            world.clock.pass_s(61)  # one message a minute to one address
        texts = " ".join(row["text"] for row in await world.outbox() if row["to"] == ana.email)
        assert "a hundred passwords" in texts
        answer = await guess(world, "ana", PASSWORD, "198.51.100.1")
        passed = await second(world, answer, await world.code_for(ana.email))
        assert passed.status == 200, passed
        assert (await guess(world, ana.email, PASSWORD, "198.51.100.1")).status == 200


async def test_an_account_that_was_guessed_at_under_many_names_needs_a_code(worlds: Worlds) -> None:
    """No name of it is shut, yet the right password alone is not enough, until the owner's device has come."""
    async with worlds(**CHEAP, LOGIN_SHUT_AFTER_PER_H="1000", LOGIN_SHUT_IN_A_ROW="10") as world:
        ana = await world.register("ana")
        for number in range(11):
            assert (await guess(world, ("ana", ana.email)[number % 2])).status == 401
        assert "mfa_ticket" in (await guess(world, "ana", PASSWORD)).body
        assert (await world.log_in(ana)).status == 200
        assert "tokens" in (await guess(world, "ana", PASSWORD)).body


async def test_a_recovery_ends_the_row_of_guesses(worlds: Worlds) -> None:
    """Its owner has come: the new password alone is enough again, from anywhere."""
    async with worlds(**CHEAP, LOGIN_SHUT_AFTER_PER_H="1000", LOGIN_SHUT_IN_A_ROW="10") as world:
        owner = await grown(world)
        for number in range(12):
            await guess(world, (owner.name, owner.email)[number % 2])
        assert "mfa_ticket" in (await guess(world, owner.name, PASSWORD)).body
        rescue = await begin(world, owner.name)
        await rescue.prove("sms", P1)
        world.clock.pass_s(61)
        await rescue.prove("email", owner.email)
        assert (await rescue.complete()).status == 204

        assert "tokens" in (await guess(world, owner.name, NEW_PASSWORD)).body


async def test_abuse_04_who_is_named_in_bad_logins_still_gets_in(worlds: Worlds) -> None:
    """A hundred a minute for an hour: with the device nothing changes, without it by password and code; a wrong password sends no code."""
    async with worlds(**CHEAP) as world:
        ana = await world.register("ana")
        before = len(await world.outbox())
        for minute in range(60):
            for _ in range(3):
                await guess(world, "ana")
            if minute % 20 == 0:
                assert (await world.log_in(ana)).status == 200
            world.clock.pass_s(60)
        assert len(await world.outbox()) == before
        await shut(world, "ana") if (await guess(world, "ana")).status == 401 else None
        answer = await guess(world, "ana", PASSWORD)
        assert "mfa_ticket" in answer.body
        assert (await second(world, answer, await world.code_for(ana.email))).status == 200
        assert (await world.log_in(ana)).status == 200


async def test_a_code_is_for_one_ticket_of_an_account_without_a_second_factor(worlds: Worlds) -> None:
    """Not for another ticket, not twice; and an account with TOTP passes by that alone, and is sent nothing."""
    async with worlds(**CHEAP) as world:
        ana = await world.register("ana")
        await shut(world, "ana")
        first = await guess(world, "ana", PASSWORD)
        code = await world.code_for(ana.email)
        other = await guess(world, "ana", WRONG)
        assert (await second(world, other, code)).code == "invalid_code"
        assert (await second(world, first, code)).status == 200
        assert (await second(world, first, code)).code == "invalid_code"

        bea = await world.register("bea")
        await world.enrol(bea)
        await shut(world, "bea")
        before = len(await world.outbox())
        answer = await guess(world, "bea", PASSWORD)
        assert len(await world.outbox()) == before
        assert (await second(world, answer, world.totp(bea), "totp")).status == 200


async def test_a_login_with_a_code_confirms_the_device(worlds: Worlds) -> None:
    """It had an old contact's code: the session says so."""
    async with worlds(**CHEAP) as world:
        ana = await world.register("ana")
        await shut(world, "ana")
        answer = await guess(world, "ana", PASSWORD)
        passed = await second(world, answer, await world.code_for(ana.email))
        rows = (await world.get("/me/devices", token=passed.body["tokens"]["access_token"])).body["devices"]
        assert [row["grade"] for row in rows if row["current"]] == ["confirmed"]


async def cost_of(answer: Answer) -> int:
    """The work that a 428 asks for, in rounds."""
    assert answer.status == 428, answer
    return int(answer.body["challenge"]["params"]["parameters"]["cost"])


async def test_abuse_05_many_names_of_one_address_cost_sixteen_times_the_work(worlds: Worlds) -> None:
    """The sixteenth name in ten minutes; another address, and a known device at this one, are asked for nothing; in time it is over."""
    async with worlds(**ADDRESSES) as world:
        ana = await world.register("ana")
        for number in range(15):
            assert (await guess(world, f"name-{number}", f"{WRONG}{number}")).status == 401
            world.clock.pass_s(4)
        usual = (await world.post("/challenges", {"action": "register"})).body["params"]["parameters"]["cost"]
        assert await cost_of(await guess(world, "name-15", WRONG + "x")) == 16 * usual
        assert (await guess(world, "name-16", WRONG + "y", "198.51.100.7")).status == 401
        headers = {"X-Forwarded-For": "203.0.113.1"}
        assert (await world.log_in(ana, headers=headers)).status == 200
        world.clock.pass_s(600)


async def test_abuse_06_one_password_over_many_names_rings(worlds: Worlds) -> None:
    """From as many addresses: the eleventh name asks for work, and for ten minutes every unknown device is asked."""
    async with worlds(**ADDRESSES) as world:
        ana = await world.register("ana")
        for number in range(10):
            assert (await guess(world, f"name-{number}", WRONG, f"203.0.113.{number}")).status == 401
        await cost_of(await guess(world, "name-10", WRONG, "203.0.113.99"))
        assert await world.metric('auth_alarms_total{kind="spray"}') == 1
        await cost_of(await guess(world, "ana", PASSWORD, "198.51.100.8"))
        assert (await world.log_in(ana)).status == 200
        world.clock.pass_s(601)
        assert (await guess(world, "ana", PASSWORD, "198.51.100.8")).status == 200


async def test_abuse_07_nobody_washes_the_tries_of_others(worlds: Worlds) -> None:
    """A guesser's own logins and refreshes between guesses change nothing for the name, nor do the owner's refreshes."""
    async with worlds(**CHEAP) as world:
        ana, thief = await world.register("ana"), await world.register("thief")
        for _ in range(10):
            assert (await guess(world, "ana")).status == 401
            assert (await world.log_in(thief)).status == 200
            for person in (ana, thief):
                person.tokens |= (await world.refresh(person.tokens["refresh_token"], person.device)).body
        assert "mfa_ticket" in (await guess(world, "ana")).body


async def test_without_redis_rows_and_names_are_counted_here_and_stricter(worlds: Worlds, tmp_path: Path) -> None:
    """Half as many are enough."""
    async with worlds(**CHEAP) as world:
        await world.register("ana")
    away = {"GARITA_REDIS_URL": f"unix://{tmp_path}/nobody.sock", "LOGIN_SHUT_AFTER_PER_H": "1000"}
    async with worlds(bans_known=False, **away, **(CHEAP | {"LOGIN_SHUT_IN_A_ROW": "4"})) as world:
        statuses = []
        for _ in range(3):
            answer = await guess(world, "ana")
            proof = await asyncio.to_thread(solve, answer.body["challenge"]["params"])
            body = {"identifier": "ana", "password": WRONG, "captcha": proof}
            world.clock.pass_s(1.5)
            statuses.append((await world.post("/login", body)).status)
        assert statuses == [401, 401, 200]


async def test_abuse_31_nobody_chooses_the_address_that_he_is_counted_by(worlds: Worlds) -> None:
    """A header of a peer that is no proxy of ours is not looked at; behind one, all of an IPv6 /64 is one address."""
    lone = {"GARITA_LOOPBACK": "public", "LOGINS_PER_PREFIX_PER_MIN": "5"}
    async with worlds(**CHEAP, **lone) as world:
        seen = [(await guess(world, f"n{n}", f"{WRONG}{n}", f"203.0.113.{n}")).status for n in range(7)]
        assert seen == [401] * 5 + [429] * 2
        world.clock.pass_s(61)
    async with worlds(**CHEAP, **lone, TRUSTED_PROXIES="127.0.0.1") as world:
        seen = [(await guess(world, f"m{n}", f"{WRONG}{n}", f"2001:db8::{n:x}:1")).status for n in range(7)]
        assert seen == [401] * 5 + [429] * 2
        assert (await guess(world, "m9", WRONG + "z", "2001:db8:0:1::1")).status == 401
