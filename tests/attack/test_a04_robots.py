"""A-04: robots that register."""

from tests.attack import people, raw
from tests.attack.conftest import Target

BODY = {"email": "robot@example.org", "password": people.PASSWORD}


async def test_without_a_proof_and_with_a_used_or_foreign_one_nobody_registers(
    target: Target, no_traceback: None
) -> None:
    """428 each; the proof works once, for its own action, with its cost untouched."""
    async with people.Api(target.origin, raw.fresh_address()) as api:
        assert (await api.post("registrations", BODY)).status == 428
        for_login = await api.proof("login")
        assert (await api.post("registrations", BODY | {"captcha": for_login})).status == 428
        proof = await api.proof("register")
        cheap = {
            "challenge": proof["challenge"] | {"parameters": proof["challenge"]["parameters"] | {"cost": 1}},
            "solution": proof["solution"],
        }
        assert (await api.post("registrations", BODY | {"captcha": cheap})).status == 428
        first = await api.post("registrations", BODY | {"captcha": proof})
        again = await api.post("registrations", BODY | {"captcha": proof})

    assert first.status == 202
    assert again.status == 428


async def test_a_form_that_is_filled_in_no_time_waits(target: Target) -> None:
    """Faster than a person: told to come again, not registered."""
    async with people.Api(target.origin, raw.fresh_address()) as api:
        challenge = (await api.post("challenges", {"action": "register"})).body["params"]
        proof = {"challenge": challenge, "solution": people.solve(challenge)}
        answer = await api.post("registrations", BODY | {"email": "quick@example.org", "captcha": proof})

    assert answer.status in (202, 400)
    if answer.status == 400:
        assert answer.body["retry_after"] >= 1


async def test_one_address_registers_five_an_hour(target: Target) -> None:
    """The sixth is told to wait; another address is not."""
    source = raw.fresh_address()
    statuses = []
    for number in range(6):
        async with people.Api(target.origin, source) as api:
            statuses.append(
                (
                    await api.post(
                        "registrations",
                        BODY | {"email": f"many{number}@example.org", "captcha": await api.proof("register")},
                    )
                ).status
            )
    async with people.Api(target.origin, raw.fresh_address()) as api:
        other = await api.post(
            "registrations", BODY | {"email": "other@example.org", "captcha": await api.proof("register")}
        )

    assert statuses == [202] * 5 + [429]
    assert other.status == 202
