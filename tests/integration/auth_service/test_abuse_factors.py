"""Abuse of passwords, second factors and challenges, each through the API: design rows 11 to 16, 32 and 33."""

from __future__ import annotations

import asyncio
import resource
import sqlite3
import time
from typing import Any

import pytest

from tests.integration.auth_service.conftest import ORIGIN, PASSWORD, Answer, Person, World, Worlds, solve
from tests.integration.auth_service.rescue import Rescue, begin
from tests.integration.auth_service.test_pictures import guessed_at, log_in, look

PROXY = {"TRUSTED_PROXIES": "127.0.0.1"}


async def ticket_of(world: World, person: Person, *, device: bool = True) -> str:
    """The first step of a login."""
    answer = await world.log_in(person, device=device)
    assert answer.status == 200, answer
    return str(answer.body["mfa_ticket"])


async def second(world: World, ticket: str, code: str) -> Answer:
    """The second step."""
    return await world.post("/login/mfa", {"mfa_ticket": ticket, "method": "totp", "code": code})


def wrong_for(world: World, person: Person) -> str:
    """A code that fits no step nearby."""
    near = {world.totp(person, steps) for steps in range(-3, 4)}
    return next(code for number in range(10) if (code := f"{number:06d}") not in near)


async def test_abuse_11_a_password_of_any_length_is_an_answer(world: World) -> None:
    """300 characters: refused with a reason, and at login like any wrong one. A passphrase of 100: taken."""
    long = await world.post(
        "/registrations", {"email": "l@example.org", "password": "x1Yé" * 75, "captcha": await world.proof("register")}
    )
    assert (long.status, long.code, long.body["reasons"]) == (422, "weak_password", ["too_long"])
    words = ("cangrejo reloj paraguas lluvia " * 4)[:100]
    taken = await world.post(
        "/registrations", {"email": "w@example.org", "password": words, "captcha": await world.proof("register")}
    )
    assert taken.status == 202
    person = await world.register()
    assert (await world.log_in(person, "x" * 300)).code == "invalid_credentials"


async def test_abuse_12_a_tampered_hash_allocates_nothing(world: World) -> None:
    """A stored hash that asks for 4 GiB is a wrong password, and the process stays as it is."""
    person = await world.register()
    with sqlite3.connect(world.config.database) as db:
        (stored,) = db.execute("SELECT hash FROM passwords").fetchone()
        db.execute("UPDATE passwords SET hash = ?", (stored.replace("m=256,", "m=4194304,"),))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    assert (await world.log_in(person)).code == "invalid_credentials"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 256 * 1024


async def test_abuse_13_a_code_is_good_once(world: World) -> None:
    """Five at the same moment, each with a ticket of its own: one gets in; the next day's thief with the same code does not."""
    person = await world.register()
    await world.enrol(person)
    tickets = [await ticket_of(world, person) for _ in range(6)]
    code = world.totp(person)

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(second(world, ticket, code)) for ticket in tickets[:5]]

    assert sorted(task.result().status for task in asked) == [200, 401, 401, 401, 401]
    assert (await second(world, tickets[5], code)).code == "invalid_code"


@pytest.mark.parametrize(("steps", "status"), [(-2, 401), (-1, 200), (1, 200), (2, 401)])
async def test_abuse_14_two_steps_away_is_refused(world: World, steps: int, status: int) -> None:
    """One step each way is the tolerance, for early and for late clocks."""
    person = await world.register()
    await world.enrol(person)
    world.clock.pass_s(90)  # past the step that the enrolment used up

    assert (await second(world, await ticket_of(world, person), world.totp(person, steps))).status == status


async def test_abuse_15_guessing_codes_ends(world: World) -> None:
    """At five for a ticket and at twenty a day for all unknown devices; the owner's device passes and the owner is told."""
    person = await world.register()
    await world.enrol(person)
    ticket = await ticket_of(world, person, device=False)
    misses = [(await second(world, ticket, wrong_for(world, person))).status for _ in range(5)]
    assert misses == [401] * 5
    assert (await second(world, ticket, world.totp(person))).code == "invalid_code", (
        "the ticket is over, also for a right code"
    )
    assert any("knows your password but not your second factor" in one["text"] for one in await world.outbox())

    tries = 6
    for _ in range(8):
        for _ in range(5):
            ticket = await ticket_of(world, person, device=False)
            if (await second(world, ticket, wrong_for(world, person))).status == 401:
                tries += 1
        world.clock.pass_s(16 * 60)
    assert 15 <= tries <= 22
    ticket = await ticket_of(world, person, device=False)
    assert (await second(world, ticket, world.totp(person))).code == "rate_limited", "not even a right one today"
    assert (await second(world, await ticket_of(world, person), world.totp(person))).status == 200


async def test_abuse_16_a_secret_is_good_for_its_purpose_alone(world: World) -> None:
    """Tickets, flow secrets, refresh and access tokens in each other's place: all refused."""
    person = await world.register()
    started = (await world.start(email="other@example.org")).body
    verified = await world.post(
        f"/registrations/{started['flow_id']}/verify",
        {"flow_secret": started["flow_secret"], "code": await world.code_for("other@example.org")},
    )
    await world.enrol(person)
    ticket = await ticket_of(world, person)
    rescue = await begin(world, person.name)
    secrets = {
        "mfa_ticket": ticket,
        "flow_secret": started["flow_secret"],
        "registration_ticket": verified.body["registration_ticket"],
        "refresh": person.tokens["refresh_token"],
        "device": person.device,
        "recovery_secret": rescue.secret,
        "undo": next(row["text"] for row in await world.outbox() if "/undo.html#" in row["text"]).split("#")[1][:64],
    }

    for name, secret in secrets.items():
        assert (await world.get("/me", token=secret)).code == "token_invalid", name
        if name != "refresh":
            assert (await world.refresh(secret)).code == "session_ended", name
        if name != "mfa_ticket":
            assert (await second(world, secret, world.totp(person))).code == "invalid_code", name
        if name != "registration_ticket":
            body = {"ticket": secret, "username": "someone"}
            assert (await world.post(f"/registrations/{started['flow_id']}/complete", body)).code == "flow_gone", name
        if name != "recovery_secret":
            assert (await Rescue(world, rescue.id, secret).shown()).code == "flow_gone", name
            assert (await Rescue(world, rescue.id, secret).show("totp", world.totp(person))).code == "flow_gone", name
        if name != "undo":
            veto = await world.post(f"/recoveries/{rescue.id}/veto", {"token": secret})
            assert veto.code in {"not_found", "rate_limited"}, name
    assert await rescue.state() == "collecting"
    assert (await second(world, ticket, world.totp(person))).status == 200
    assert (await world.refresh(person.access)).code == "invalid_request", "longer than any refresh token"


async def test_abuse_32_an_answer_is_good_once_here_and_for_this(world: World) -> None:
    """The right answer for another action, another name or another browser, twice, after a wrong one, or late: refused each time."""
    await world.register("ana")
    await guessed_at(world)
    right = await world.picture("login", "ana")
    assert (await log_in(world, right)).status == 200
    assert (await log_in(world, right)).status == 428, "twice"
    for action, flow in (("register", "ana"), ("login", "bea")):
        assert (await log_in(world, await world.picture(action, flow))).status == 428, (action, flow)
    web = {"X-Garita-Web": "1", "Origin": ORIGIN, "Cookie": "bw=another"}
    bound = await world.picture("login", "ana")
    assert (await log_in(world, bound, headers=web)).status == 428, "a cookie of another browser"
    guessed = await world.picture("login", "ana")
    assert (await log_in(world, guessed | {"answer": "000000"})).status == 428
    assert (await log_in(world, guessed)).status == 428, "a second guess"
    late = await world.picture("login", "ana")
    world.clock.pass_s(5 * 60)
    await guessed_at_again(world)
    assert (await log_in(world, late)).status == 428, "expired"
    assert (await log_in(world, await world.picture("login", "ana"))).status == 200


async def guessed_at_again(world: World) -> None:
    """Keeps the name's tries in their quarter of an hour."""
    assert (await world.post("/login", {"identifier": "ana", "password": "wrong wrong wrong 1"})).status == 428


async def test_abuse_32_a_proof_of_work_is_good_once_and_as_it_was_signed(world: World) -> None:
    """Replayed, for another action, or with a smaller cost written into it: refused."""
    made = (await world.post("/challenges", {"action": "register"})).body["params"]
    world.clock.pass_s(1.5)
    proof = await asyncio.to_thread(solve, made)
    cheap = {**proof, "challenge": {**made, "parameters": {**made["parameters"], "cost": 1}}}
    body: dict[str, Any] = {"email": "p@example.org", "password": PASSWORD}

    assert (await world.post("/registrations", body | {"captcha": cheap})).code == "challenge_required"
    other = await world.proof("login")
    assert (await world.post("/registrations", body | {"captcha": other})).code == "challenge_required"
    assert (await world.post("/registrations", body | {"captcha": proof})).status == 202
    assert (await world.post("/registrations", body | {"captcha": proof})).code == "challenge_required"


async def test_abuse_33_a_thousand_clips_cost_nothing(worlds: Worlds) -> None:
    """Without work none is begun; with it five in ten minutes for an address, and nothing is made on the way."""
    async with worlds(**PROXY) as world:
        address = {"X-Forwarded-For": "203.0.113.9"}
        proofs = [await world.proof("login") for _ in range(7)]
        without = await _clip(world, None, address)
        assert without.code == "challenge_required"
        answers = [await _clip(world, proof, address) for proof in proofs]
        assert [answer.status for answer in answers] == [201] * 4 + [429] * 3
        assert (await look(world, answers[0].body))[:2] == (200, "audio/wav")

        began = time.process_time()
        refused = [(await _clip(world, proofs[-1], address)).status for _ in range(1000)]
        spent_s = time.process_time() - began
        assert set(refused) == {429}
        assert spent_s < 20, "CPU of service and test together; a thousand clips would be 230 s"


async def _clip(world: World, proof: dict[str, Any] | None, headers: dict[str, str]) -> Answer:
    body: dict[str, Any] = {"action": "login", "kinds": ["audio"], "flow": "ana"}
    return await world.post("/challenges", body | ({"captcha": proof} if proof else {}), headers=headers)
