"""gateway.challenges: whom the detector challenges reads on and writes nothing until a clear was redeemed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from garita_common.core import activity, bans
from garita_common.core.channels import ACTIVITY_KEY_STREAM, BAN_PUSH, BANS_HASH
from tests.fakes.wire_clients import Client
from tests.integration.gateway.rig import eventually, rig, user_id
from tests.integration.gateway.test_renewing import Judge, judging

CLEAR = "c" * 64


async def say(client: Client, cmid: str | None = None) -> Any:
    """Tries to send; the error's code, or ok."""
    answer = await client.ask("send", cmid=cmid or str(uuid.uuid4()), room="r" + "0" * 32, text="hello")
    return answer.get("code", answer["op"])


async def acknowledge(client: Client) -> None:
    """Hears of a challenge, and has answered the ping behind it by the time of an answer that comes after."""
    asked = await client.push("challenge")
    assert asked["until"] > 0
    assert (await client.ask("rooms"))["op"] == "ok"


def redeems(judge: Judge, name: str, **changes: str) -> None:
    """The auth service takes a clear for a user's connection."""
    judge.whose = {"sub": user_id(name), "sid": f"s-{name}", "did": f"d-{name}"} | changes


@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_a_challenged_user_reads_and_does_not_write_until_a_clear(
    tmp_path: Path, redis_url: str, transport: str
) -> None:
    """On all connections, also one that comes later; others go on; attempts are told once each; one clear frees them all."""
    async with judging() as judge, rig(tmp_path, redis_url, auth_inner_url=judge.url) as it:
        ana, other = await it.user("ana", transport), await it.user("bea", transport)
        await it.ban(bans.challenge_subject(user_id("ana")))
        await acknowledge(ana)
        late = await it.user("ana", transport)
        await acknowledge(late)
        cmid = str(uuid.uuid4())

        assert [await say(ana, cmid), await say(ana, cmid), await say(late)] == ["challenge_required"] * 3
        assert (await ana.ask("rooms"))["op"] == "ok"
        assert await say(other) != "challenge_required"

        async def are_told() -> bool:
            told = await it.events(ACTIVITY_KEY_STREAM, activity.CaptchaAttempted)
            return len(told) == 2 and told[0].cmid == cmid and told[0].user == user_id("ana")

        await eventually(are_told)
        redeems(judge, "ana")
        assert (await ana.ask("clear", clear=CLEAR))["op"] == "ok"
        assert judge.asked == [{"clear": CLEAR}]
        for client in (ana, late):
            assert (await client.push("challenge"))["until"] is None
            assert await say(client) != "challenge_required"
        again = await it.user("ana", transport)
        assert await say(again) != "challenge_required"


@pytest.mark.parametrize("wrong", [{"sub": "u" + "0" * 32}, {"sid": "another"}, {"did": "another"}, None])
async def test_abuse_32_a_clear_of_another_session_frees_nobody(
    tmp_path: Path, redis_url: str, wrong: dict[str, str] | None
) -> None:
    """Nor one that is none any more."""
    async with judging() as judge, rig(tmp_path, redis_url, auth_inner_url=judge.url) as it:
        client = await it.user("ana")
        await it.ban(bans.challenge_subject(user_id("ana")))
        await acknowledge(client)
        if wrong is None:
            judge.active = False
        else:
            redeems(judge, "ana", **wrong)

        assert (await client.ask("clear", clear=CLEAR))["code"] == "challenge_required"
        assert await say(client) == "challenge_required"


async def test_without_the_auth_service_a_clear_is_busy(tmp_path: Path, redis_url: str) -> None:
    """It does not know, and nobody is freed."""
    async with judging() as judge, rig(tmp_path, redis_url, auth_inner_url=judge.url) as it:
        judge.active = None
        client = await it.user("ana")
        await it.ban(bans.challenge_subject(user_id("ana")))
        await acknowledge(client)
        assert (await client.ask("clear", clear=CLEAR))["code"] == "busy"
        assert await say(client) == "challenge_required"


async def test_without_an_address_to_ask_a_clear_is_busy(tmp_path: Path, redis_url: str) -> None:
    """Nobody can say whose it is."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        assert (await client.ask("clear", clear=CLEAR))["code"] == "busy"


@pytest.mark.parametrize("taken_away", [True, False], ids=["taken-away", "over"])
async def test_a_challenge_ends_when_the_detector_says_so_or_its_time_is_over(
    tmp_path: Path, redis_url: str, taken_away: bool
) -> None:
    """Somebody passed it at another gateway, or nobody did."""
    async with rig(tmp_path, redis_url) as it:
        client = await it.user("ana")
        subject = bans.challenge_subject(user_id("ana"))
        await it.ban(subject, seconds=60 if taken_away else 2)
        await acknowledge(client)
        if taken_away:
            await it.redis.hdel(BANS_HASH, subject)
            await it.redis.publish(BAN_PUSH, bans.encode_push([subject]))

        assert (await client.push("challenge"))["until"] is None
        assert await say(client) != "challenge_required"
