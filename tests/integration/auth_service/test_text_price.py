"""auth_service.text_price and .looking: what strangers bring for texts, and who does not."""

from __future__ import annotations

from typing import Any

from tests.integration.auth_service.conftest import PASSWORD, PROOF_COST, Answer, World, Worlds, eventually, solve
from tests.integration.auth_service.owners import rows
from tests.integration.auth_service.rescue import DAY_S, HOME, P1, Rescue, begin, codes_to, grown, log_in_from, thief_of


def price(answer: Answer) -> tuple[int, int, list[str]]:
    """Status, how many times the usual work, and which pictures."""
    if answer.status != 428:
        return answer.status, 0, []
    cost = answer.body["challenge"]["params"]["parameters"]["cost"]
    return answer.status, cost // PROOF_COST, answer.body.get("kinds", [])


FIRST: tuple[int, int, list[str]] = (428, 1, [])
FURTHER = (428, 16, ["image", "audio"])


async def asked(world: World, rescue: Rescue, **work: Any) -> Answer:
    """A text is asked for."""
    return await world.post(f"/recoveries/{rescue.id}/send", {"flow_secret": rescue.secret, "channel": "sms", **work})


async def test_each_further_text_of_a_day_costs_sixteen_times_the_work_and_a_picture(world: World) -> None:
    """By the name, over all its recoveries, and for a name of nobody alike; the day after it begins anew."""
    owner = await grown(world)
    seen = []
    for name in (owner.name, "nobody-at-all"):
        told = []
        for _ in range(2):
            rescue = await begin(world, name)
            for _ in range(2):
                world.clock.pass_s(61)
                told += [price(await asked(world, rescue)), price(await rescue.send_blindly("sms"))]
        world.clock.pass_s(DAY_S)
        told.append(price(await asked(world, await begin(world, name))))
        seen.append(told)

    assert seen[0] == seen[1] == [FIRST, (202, 0, []), *([FURTHER, (202, 0, [])] * 3), FIRST]


async def test_less_than_the_price_buys_nothing(world: World) -> None:
    """Usual work beside a picture, and dear work beside a wrong one or one for another recovery; mails have no price."""
    owner = await grown(world)
    rescue, other = await begin(world, owner.name), await begin(world, owner.name)
    code = await rescue.send("sms", P1)
    world.clock.pass_s(61)
    usual = {"captcha": await world.proof("recover"), "picture": await world.picture("recover", rescue.id)}
    foreign = {"picture": await world.picture("recover", other.id)}
    wrong = await world.picture("recover", rescue.id)

    async def dear() -> dict[str, Any]:
        return {"captcha": solve((await asked(world, rescue)).body["challenge"]["params"])}

    assert price(await asked(world, rescue, **usual)) == FURTHER
    assert price(await asked(world, rescue, **foreign, **await dear())) == FURTHER
    assert price(await asked(world, rescue, picture=wrong | {"answer": "AAAAAA"}, **await dear())) == FURTHER
    assert (await rescue._post("send", channel="email")).status == 202
    assert await codes_to(world, P1) == [code]


async def test_a_refused_proof_leaves_the_first_text_cheap(world: World) -> None:
    """Whoever forgot it, or sent it too late, is not asked for a picture."""
    owner = await grown(world)
    rescue = await begin(world, owner.name)

    assert [price(await asked(world, rescue)) for _ in range(3)] == [FIRST] * 3


async def test_the_owners_device_and_a_link_pay_nothing(world: World) -> None:
    """A thief's device, which nobody confirmed, pays."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    own = await begin(world, owner.name, device=owner.device)
    his = await begin(world, owner.name, device=thief.device)

    assert (await asked(world, own)).status == 202
    assert price(await asked(world, his)) == FIRST
    send = {"channel": "sms"}
    assert (await world.post("/step-up/send", send, token=owner.access)).status == 202
    assert price(await world.post("/step-up/send", send, token=thief.access)) == FIRST
    assert (await world.pay("/step-up/send", send, "contact", token=thief.access)).status == 202
    assert price(await world.post("/step-up/send", send, token=thief.access)) == FURTHER


async def test_who_is_where_an_account_is_used_pays_all_the_same(worlds: Worlds) -> None:
    """A neighbour would else learn from the price who has an account; the owner there has his own part of the caps."""
    async with worlds(TRUSTED_PROXIES="127.0.0.1", RECOVERIES_PER_PREFIX_PER_H="1000") as world:
        owner = await grown(world)
        for _ in range(10):
            world.clock.pass_s(DAY_S)
            await log_in_from(world, owner, HOME)
        world.clock.pass_s(8 * DAY_S)

        assert price(await asked(world, await begin(world, owner.name, ip=HOME))) == FIRST
        assert price(await asked(world, await begin(world, "nobody-at-all", ip=HOME))) == FIRST


async def test_a_number_is_registered_once_a_day_for_the_usual_work(world: World) -> None:
    """Whoever registers it; and a thief who adds numbers pays for each after the first."""
    body = {"password": PASSWORD, "phone": P1}

    assert (await world.pay("/registrations", body, "register", P1)).status == 202
    assert price(await world.post("/registrations", body | {"captcha": await world.proof("register")})) == FURTHER
    owner = await world.register()
    thief = await thief_of(world, owner)
    assert price(await world.post("/me/phones", {"phone": "+34600000011"}, token=thief.access)) == FIRST
    added = await world.pay("/me/phones", {"phone": "+34600000011"}, "contact", "+34600000011", token=thief.access)
    assert added.status == 202, added
    assert price(await world.post("/me/phones", {"phone": "+34600000012"}, token=thief.access)) == FURTHER
    assert price(await world.post("/me/phones", {"phone": P1}, token=owner.access)) == FIRST


async def test_pressed_twice_the_button_sends_one_code(world: World) -> None:
    """Which stays good; a minute later there is another."""
    owner = await grown(world)
    rescue = await begin(world, owner.name, device=owner.device)
    code = await rescue.send("sms", P1)
    assert (await asked(world, rescue)).status == 202
    await eventually(lambda: _nothing_waits(world))
    assert await codes_to(world, P1) == [code]
    assert (await rescue.show("code", code)).status == 202


async def _nothing_waits(world: World) -> bool:
    return not await rows(world, "SELECT id FROM recovery_sends")
