"""The client library's second steps, against the service itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from garita_client import Account, AuthApi, AuthRefused, MemoryStore
from garita_client.auth_api import SecondStep
from tests.integration.auth_service.conftest import PASSWORD, World
from tests.integration.auth_service.rescue import P1, grown


@asynccontextmanager
async def elsewhere(world: World) -> AsyncIterator[Account]:
    """A terminal that the service has not seen before."""
    async with AuthApi(f"{world.url}/v1/auth") as api:
        yield Account(api, MemoryStore())


async def ticket_of(account: Account, name: str) -> SecondStep:
    """The password was right, and something is still wanted."""
    step = await account.login(name, PASSWORD)
    assert isinstance(step, SecondStep)
    return step


async def test_a_text_is_the_second_step_and_its_work_is_done_by_itself(world: World) -> None:
    """An unknown device pays for the first text of a day; a second one wants a picture, which a terminal cannot show."""
    owner = await grown(world)
    await world.enrol(owner)

    async with elsewhere(world) as account:
        step = await ticket_of(account, owner.name)
        await account.send_text(step.ticket)
        entered = await account.login_mfa(step.ticket, await world.code_for(P1), "sms")
        known = await account.contacts()
    async with elsewhere(world) as account:
        again = await ticket_of(account, owner.name)
        world.clock.pass_s(61)
        with pytest.raises(AuthRefused) as refused:
            await account.send_text(again.ticket)

    assert step.methods == ("totp", "sms")
    assert (entered.user.username, entered.recovery_code) == (owner.name, None)
    assert [(contact.value, contact.state) for contact in known] == [(owner.email, "mature"), (P1, "mature")]
    assert (refused.value.code, refused.value.problem["kinds"]) == ("challenge_required", ["image", "audio"])
