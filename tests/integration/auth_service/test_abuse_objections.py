"""The abuse cases of the design about vetoes: whose count, how much, and how often."""

from __future__ import annotations

import pytest

from tests.integration.auth_service.conftest import World, eventually
from tests.integration.auth_service.owners import add_email
from tests.integration.auth_service.rescue import (
    DAY_S,
    HELD,
    P1,
    Rescue,
    begin,
    grown,
    held,
    links_to,
    step_up,
    thief_of,
    told,
    veto,
)

M2 = "thief@example.net"


async def test_abuse_36_a_thief_has_no_veto(world: World) -> None:
    """Neither by a password, nor by a contact of his, nor for an account that is not his."""
    owner = await grown(world)
    thief = await thief_of(world, owner)
    await add_email(world, thief.access, M2)
    stranger = await world.register()
    rescue = await begin(world, owner.name)
    await rescue.prove("sms", P1)
    await rescue.done()
    await held(world, owner, rescue)

    token = await step_up(world, thief)
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=token)).code == "step_up_required"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {}, token=stranger.access)).code == "not_found"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {})).code == "token_invalid"
    assert (await world.post(f"/recoveries/{rescue.id}/veto", {"token": "a" * 64})).code == "not_found"
    assert await links_to(world, M2, HELD) == []
    assert await rescue.wait_s() == pytest.approx(3 * DAY_S, abs=5)


async def test_abuse_38_a_stolen_number_waits_is_slowed_by_the_mailbox_and_ended_by_the_owner(world: World) -> None:
    """72 h with everybody told, 14 d after the mailbox's veto, over when the owner proves himself on his device."""
    owner = await grown(world)
    swapper = await begin(world, owner.name)
    await swapper.prove("sms", P1)
    await swapper.done()
    assert await swapper.wait_s() == pytest.approx(3 * DAY_S, abs=5)
    link = await held(world, owner, swapper)

    assert (await veto(world, link)).status == 200
    assert await swapper.wait_s() == pytest.approx(14 * DAY_S, abs=5)
    assert (await world.post("/step-up/send", {"channel": "email"}, token=owner.access)).status == 202
    code = await world.code_for(owner.email)
    stepped = await world.post("/step-up", {"method": "code", "code": code}, token=owner.access)
    assert stepped.status == 200, stepped

    async def ended() -> bool:
        return await swapper.state() == "vetoed"

    await eventually(ended)
    await eventually(lambda: told(world, owner.email, "A recovery of the account was ended"))


async def test_abuse_61_a_stolen_mailbox_slows_a_stronger_recovery_once(world: World) -> None:
    """However often it objects; a later recovery is not touched by it, and no session of the owner's ends."""
    owner = await grown(world)

    async def waits(before: int) -> tuple[Rescue, str]:
        rescue = await begin(world, owner.name, device=owner.device)
        await rescue.prove("sms", P1)
        await rescue.done()
        assert await rescue.wait_s() == pytest.approx(DAY_S, abs=5)
        world.clock.pass_s(900)
        return rescue, await held(world, owner, rescue, before)

    first, link = await waits(0)
    assert (await veto(world, link)).status == 200
    wait_s = await first.wait_s()
    assert wait_s == pytest.approx(3 * DAY_S, abs=5)
    started = (await links_to(world, owner.email, "Somebody wants to get into the account without its password"))[0]
    not_me = {"token": started, "action": "not_me"}
    assert (await world.post("/undo", not_me)).status == 200

    assert await first.wait_s() == pytest.approx(wait_s, abs=5)
    assert await first.state() == "holding"
    second, _ = await waits(1)
    assert await second.state() == "holding"
    assert (await world.refresh(owner.tokens["refresh_token"], owner.device)).status == 200
