"""auth_service.proofs: a passkey as evidence of a recovery."""

from __future__ import annotations

from tests.fakes.authenticator import Authenticator
from tests.integration.auth_service.conftest import Answer, Person, World
from tests.integration.auth_service.owners import log_in_again
from tests.integration.auth_service.rescue import DAY_S, Rescue, begin, grown
from tests.integration.auth_service.test_passkeys import add


async def with_passkey(world: World, days: float = 31) -> tuple[Person, Authenticator, str]:
    """An account with a passkey that is so old, and the passkey's id."""
    owner, authenticator = await grown(world, phone=None), Authenticator()
    await log_in_again(world, owner)
    added = await add(world, owner, authenticator)
    assert added.status == 201, added
    world.clock.pass_s(days * DAY_S)
    return owner, authenticator, added.body["id"]


async def options(rescue: Rescue) -> Answer:
    """What a browser is given."""
    return await rescue._post("options")


async def show(rescue: Rescue, authenticator: Authenticator, of: Rescue | None = None) -> Answer:
    """Uses the passkey for this recovery, or shows it what was made for another."""
    given = await options(of or rescue)
    return await rescue._post("evidence", kind="passkey", credential=authenticator.use(given.body["options"]))


async def test_a_passkey_recovers_at_once(world: World) -> None:
    """It is worth 100 points; one in probation nothing."""
    owner, authenticator, _ = await with_passkey(world)
    rescue = await begin(world, owner.name)
    assert (await show(rescue, authenticator)).status == 202
    assert await rescue.state() == "approved"
    assert (await rescue.complete()).status == 204

    young, fresh, _ = await with_passkey(world, days=2)
    early = await begin(world, young.name)
    assert (await show(early, fresh)).status == 202
    await early.done()
    assert await early.state() == "refused"


async def test_one_that_is_being_removed_counts_to_day_37(world: World) -> None:
    """Login takes it no more after a week."""
    owner, authenticator, passkey = await with_passkey(world)
    answer = await world.post("/passkeys/login/options", {})
    body = {"flow_id": answer.body["flow_id"], "credential": authenticator.use(answer.body["options"])}
    entered = await world.post("/passkeys/login/verify", body)
    token = entered.body["tokens"]["access_token"]
    assert (await world.ask("DELETE", f"/me/passkeys/{passkey}", token=token)).status == 202
    world.clock.pass_s(36 * DAY_S)
    rescue = await begin(world, owner.name)

    assert (await show(rescue, authenticator)).status == 202
    assert await rescue.state() == "approved"


async def test_what_is_not_this_accounts_or_this_recoverys_is_wrong(world: World) -> None:
    """And a name of nobody is answered alike: options without a list, and a wrong code."""
    owner, authenticator, _ = await with_passkey(world)
    _, strange, _ = await with_passkey(world)
    rescue, other, decoy = await begin(world, owner.name), await begin(world, owner.name), await begin(world, "nobody")
    shapes = []
    for one in (rescue, decoy):
        given = (await options(one)).body
        shapes.append((sorted(given), sorted(given["options"]), given["options"]["allowCredentials"]))

    assert shapes[0] == shapes[1]
    assert shapes[0][2] == []
    assert (await show(rescue, strange)).code == "code_invalid"
    assert (await show(decoy, authenticator)).code == "code_invalid"
    assert (await show(rescue, authenticator, of=other)).code == "code_invalid"
    assert (await show(rescue, authenticator)).status == 202
    rescue.secret = "0" * 64
    assert (await options(rescue)).code == "flow_gone"
