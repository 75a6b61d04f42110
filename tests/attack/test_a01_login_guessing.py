"""A-01: guessing passwords."""

from tests.attack import people, raw
from tests.attack.conftest import Target
from tests.attack.test_g02_impossible_frame import is_refused, operator


async def test_the_seventh_wrong_guess_in_a_row_bans_the_address(target: Target, no_traceback: None) -> None:
    """On every gateway, with a sentence that says why; the owner elsewhere logs in as before."""
    owner = await target.person()
    thief = raw.fresh_address()
    async with people.Api(target.origin, thief) as api:
        for number in range(8):  # under both names: after five of one a picture is wanted, which this thief cannot read
            body = {"identifier": (owner.name, owner.email)[number % 2], "password": "not this one 42"}
            answer = await api.post("login", body)
            if answer.status == 428:
                solved = {
                    "challenge": answer.body["challenge"]["params"],
                    "solution": people.solve(answer.body["challenge"]["params"]),
                }
                answer = await api.post("login", body | {"captcha": solved})
            assert answer.status in (401, 403, 429), answer

    async def banned() -> bool:
        return await is_refused(target, thief, 1) and await is_refused(target, thief, 2)

    await raw.eventually(banned)
    ban = next(ban for ban in (await operator(target, "/v1/bans"))["bans"] if thief in ban["subject"])
    assert thief in (await operator(target, f"/v1/explain/{ban['decision']}"))["sentence"]
    async with people.Api(target.origin, owner.source) as api:
        answer = await api.post(
            "login", {"identifier": owner.name, "password": people.PASSWORD, "device_hint": owner.tokens["device"]}
        )
    assert answer.status == 200, answer


async def test_spraying_one_password_over_accounts_bans_the_address(target: Target) -> None:
    """Four accounts within ten minutes are enough."""
    names = [(await target.person()).name for _ in range(4)]
    sprayer = raw.fresh_address()
    async with people.Api(target.origin, sprayer) as api:
        for name in names:
            assert (await api.post("login", {"identifier": name, "password": "Summer2026!Summer"})).status == 401

    async def banned() -> bool:
        return await is_refused(target, sprayer, 1)

    await raw.eventually(banned)
