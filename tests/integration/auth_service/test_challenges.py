"""auth_service.challenges: a proof of work counts once, for its own request."""

from __future__ import annotations

import asyncio
import copy
from typing import Any

import pytest

from garita_common.core import activity
from tests.integration.auth_service.conftest import PASSWORD, World, Worlds, eventually, solve


def registration(proof: Any) -> dict[str, Any]:
    """A registration with this proof."""
    return {"email": "a@example.org", "password": PASSWORD, "captcha": proof}


async def test_a_proof_is_used_once_also_at_the_same_moment(world: World) -> None:
    """Ten at once with one proof: one registration."""
    proof = await world.proof("register")

    async with asyncio.TaskGroup() as tasks:
        asked = [tasks.create_task(world.post("/registrations", registration(proof))) for _ in range(10)]

    assert sorted(task.result().status for task in asked) == [202] + [428] * 9


async def test_a_used_proof_stays_used_after_a_restart(worlds: Worlds) -> None:
    """What was used is remembered outside this process too."""
    async with worlds() as world:
        proof = await world.proof("register")
        assert (await world.post("/registrations", registration(proof))).status == 202
    async with worlds() as world:
        assert (await world.post("/registrations", registration(proof))).code == "challenge_required"


async def test_a_proof_is_for_its_own_action(world: World) -> None:
    """One for login does not register, and the refusal carries one that does."""
    refused = await world.post("/registrations", registration(await world.proof("login")))

    assert refused.code == "challenge_required"
    assert refused.body["challenge"]["params"]["parameters"]["data"]["action"] == "register"
    world.clock.pass_s(1.5)
    proof = await asyncio.to_thread(solve, refused.body["challenge"]["params"])
    assert (await world.post("/registrations", registration(proof))).status == 202


async def test_a_form_that_was_filled_too_fast_may_be_sent_again(world: World) -> None:
    """1.5 s after its challenge it is taken, and the proof is still good."""
    challenge = (await world.post("/challenges", {"action": "register"})).body["params"]
    proof = await asyncio.to_thread(solve, challenge)
    world.clock.pass_s(1.4)
    early = await world.post("/registrations", registration(proof))
    world.clock.pass_s(0.2)

    assert (early.code, early.body["retry_after"]) == ("invalid_request", 2)
    assert (await world.post("/registrations", registration(proof))).status == 202


async def test_a_proof_is_good_for_five_minutes(world: World) -> None:
    """Not longer, though it was never used."""
    proof = await world.proof("register")
    world.clock.pass_s(300)

    assert (await world.post("/registrations", registration(proof))).code == "challenge_required"


CHANGES = {
    "cost": ("parameters", "cost", 1),
    "prefix": ("parameters", "keyPrefix", "0" * 32),
    "nonce": ("parameters", "nonce", "0" * 32),
    "key signature": ("parameters", "keySignature", "0" * 64),
    "signature": ("signature", "0" * 64),
    "id": ("parameters", "data", "id", "0" * 32),
    "end": ("parameters", "data", "expires_ms", 1_900_000_000_000),
    "issue": ("parameters", "data", "issued_ms", 1),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_changed_challenge_is_refused(world: World, what: str) -> None:
    """Every field is under our signature."""
    proof = copy.deepcopy(await world.proof("register"))
    *path, last, value = CHANGES[what]
    target: Any = proof["challenge"]
    for name in path:
        target = target[name]
    target[last] = value

    assert (await world.post("/registrations", registration(proof))).code == "challenge_required"


async def test_a_wrong_solution_is_refused_and_told_to_the_detector(world: World) -> None:
    """A right one too, as passed."""
    proof = await world.proof("register")
    wrong = copy.deepcopy(proof)
    wrong["solution"]["derivedKey"] = "0" * 64

    assert (await world.post("/registrations", registration(wrong))).code == "challenge_required"
    assert (await world.post("/registrations", registration(proof))).status == 202

    async def told() -> bool:
        kinds = [type(event) for event in await world.events()]
        return activity.CaptchaFailed in kinds and activity.CaptchaPassed in kinds

    await eventually(told)


async def test_the_work_is_what_the_page_promises(world: World) -> None:
    """A counter below 1000, found by trying from 0; the claimed counter alone is worth nothing."""
    found = [(await world.proof("login"))["solution"]["counter"] for _ in range(3)]

    assert all(80 <= counter <= 320 for counter in found)
    assert len(set(found)) > 1
