"""A-03: a stolen refresh token."""

from tests.attack import people
from tests.attack.conftest import Target


async def test_a_replay_without_the_device_ends_the_whole_family(target: Target, no_traceback: None) -> None:
    """The thief gets nothing, and the owner's session ends too: two parties held one token."""
    owner = await target.person()
    stolen = owner.tokens["refresh_token"]
    async with people.Api(target.origin, owner.source) as api:
        fresh = await api.post("token/refresh", {"refresh_token": stolen, "device_hint": owner.tokens["device"]})
        assert fresh.status == 200

        thief = await api.post("token/refresh", {"refresh_token": stolen})
        owners = await api.post(
            "token/refresh", {"refresh_token": fresh.body["refresh_token"], "device_hint": owner.tokens["device"]}
        )

    assert (thief.status, thief.body["code"]) == (401, "session_ended")
    assert (owners.status, owners.body["code"]) == (401, "session_ended")


async def test_the_owner_may_repeat_a_lost_answer(target: Target) -> None:
    """With the device, at once: the same successor."""
    owner = await target.person()
    body = {"refresh_token": owner.tokens["refresh_token"], "device_hint": owner.tokens["device"]}
    async with people.Api(target.origin, owner.source) as api:
        first, again = await api.post("token/refresh", body), await api.post("token/refresh", body)

    assert (first.status, again.status) == (200, 200)
    assert first.body["refresh_token"] == again.body["refresh_token"]
