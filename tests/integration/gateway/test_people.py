"""Bans and ended sessions: felt at accept, at connect and on live sockets, by every gateway."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from garita_common.core import bans, channels, revocations
from garita_common.core.revocations import Revocation
from tests.fakes.wire_clients import TcpClient

from .rig import Rig, eventually, gateway_of, key_server, rig, settings, token, user_id

ANA = user_id("ana")


@pytest.mark.parametrize("subject", [bans.user_subject(ANA), bans.device_subject("d-ana")])
@pytest.mark.parametrize("transport", ["tcp", "ws"])
async def test_a_ban_ends_live_connections_at_once(
    tmp_path: Path, redis_url: str, subject: str, transport: str
) -> None:
    """4503 with end, reason and appeal; nobody else is touched."""
    async with rig(tmp_path, redis_url) as it:
        ana, ben = await it.user("ana", transport), await it.user("ben", transport)

        ban = await it.ban(subject)
        closed = await ana.end()

        assert closed.disconnect is not None
        assert {key: closed.disconnect[key] for key in ("code", "reconnect", "until", "appeal", "reason")} == {
            "code": 4503,
            "reconnect": False,
            "until": ban.until_ms,
            "appeal": "appeal-1",
            "reason": "You were banned for flooding.",
        }
        await ben.settle()


async def test_a_banned_user_does_not_get_in(tmp_path: Path, redis_url: str) -> None:
    """At connect, with the same words."""
    async with rig(tmp_path, redis_url) as it:
        await it.ban(bans.user_subject(ANA))
        await eventually(lambda: it.gateway.bans_held)
        client = await it.ws()
        client.send("connect", v=1, token=token("ana"))

        assert (await client.end()).code == 4503


async def test_a_ban_of_an_address_is_told_on_tcp_once_a_second(tmp_path: Path, redis_url: str) -> None:
    """`disconnect` 4503 without having read a byte, then plain closes; live sockets of the address end too."""
    async with rig(tmp_path, redis_url, loopback="public") as it:
        live = await it.tcp(source="127.0.0.9")
        await it.ban(bans.address_subject("127.0.0.9/32"))
        ended = await live.end()
        refused = [await (await it.tcp(source="127.0.0.9")).end() for _ in range(3)]

        assert ended.disconnect is not None
        assert ended.disconnect["code"] == 4503
        told = [closed.disconnect for closed in refused if closed.disconnect]
        assert 1 <= len(told) <= 2
        assert told[0]["code"] == 4503
        assert it.figure("gateway_refused_total", reason="banned") == 3
        other = await it.tcp(source="127.0.0.10")
        assert (await other.connect(token("ben")))["op"] == "ok"


async def test_loopback_is_not_banned_unless_it_is_public(tmp_path: Path, redis_url: str) -> None:
    """Behind a local proxy that would be everybody."""
    async with rig(tmp_path, redis_url) as it:
        await it.ban(bans.address_subject("127.0.0.1/32"))
        await eventually(lambda: it.gateway.bans_held)

        await it.user("ana")


async def test_a_lost_push_is_made_up_by_the_snapshot(tmp_path: Path, redis_url: str) -> None:
    """And so is a lifted ban."""
    async with rig(tmp_path, redis_url, feeds_every_s=0.3) as it:
        ana = await it.user("ana", "ws")
        await it.ban(bans.user_subject(ANA), push=False)
        assert (await ana.end()).code == 4503

        await it.redis.hdel(channels.BANS_HASH, bans.user_subject(ANA))
        await eventually(lambda: it.gateway.bans_held == 0)

        await it.user("ana", "ws")


async def test_an_emptied_redis_lifts_no_ban(tmp_path: Path, redis_url: str) -> None:
    """No generation means unknown: what is known is kept."""
    async with rig(tmp_path, redis_url, feeds_every_s=0.2) as it:
        await it.ban(bans.user_subject(ANA))
        await eventually(lambda: it.gateway.bans_held)

        await it.redis.delete(channels.BANS_HASH, channels.BANS_GENERATION)
        other = await it.redis.get(channels.BANS_GENERATION)
        client = await it.ws()
        client.send("connect", v=1, token=token("ana"))

        assert other is None
        assert (await client.end()).code == 4503


async def test_a_forged_push_bans_nobody(tmp_path: Path, redis_url: str) -> None:
    """It only names whom to look up."""
    async with rig(tmp_path, redis_url) as it:
        ana = await it.user("ana")

        await it.redis.publish(channels.BAN_PUSH, bans.encode_push([bans.user_subject(ANA)]))
        await ana.settle()

        await it.user("ana")


async def revoke(it: Rig, revocation: Revocation, *, push: bool = True) -> None:
    """Ends a session as the auth service does."""
    data = revocations.encode(revocation)
    await it.redis.zadd(channels.REVOKED_SET, {data: revocation.at_ms})
    if push:
        await it.redis.publish(channels.REVOKED_CHANNEL, data)


@pytest.mark.parametrize("push", [True, False])
async def test_an_ended_session_ends_its_connections(tmp_path: Path, redis_url: str, push: bool) -> None:
    """At once, or with the next reading; another session of the same user goes on."""
    async with rig(tmp_path, redis_url, feeds_every_s=0.3) as it:
        phone = await it.user("ana", "ws")
        laptop = await it.tcp()
        await laptop.connect(token("ana", sid="s-laptop"))

        await revoke(it, Revocation(ANA, "s-ana", 0, int(time.time() * 1000)), push=push)

        assert (await phone.end()).code == 4403
        await laptop.settle()


async def test_a_revoked_token_does_not_get_in(tmp_path: Path, redis_url: str) -> None:
    """All sessions below an epoch, or one by name."""
    async with rig(tmp_path, redis_url) as it:
        await revoke(it, Revocation(ANA, "", 5, int(time.time() * 1000)))
        await eventually(lambda: it.gateway.people.revocations.covers(ANA, "x", 4))
        old, new = await it.tcp(), await it.tcp()

        assert (await old.connect(token("ana", epoch=4)))["code"] == "token_expired"
        assert (await new.connect(token("ana", epoch=5)))["op"] == "ok"


async def test_two_gateways_share_bans(tmp_path: Path, redis_url: str) -> None:
    """One ban, felt on both, on live sockets and on new ones; another address goes on."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(rig(tmp_path, redis_url, loopback="public"))
        auth_url = await stack.enter_async_context(key_server())
        second = settings(tmp_path, redis_url, auth_url, loopback="public")
        other, _ = await stack.enter_async_context(gateway_of(second))
        ports = [it.gateway.tcp_port, other.tcp_port]
        bad = [await TcpClient.open(port, source="127.0.0.9") for port in ports]
        good = [await TcpClient.open(port, source="127.0.0.10") for port in ports]
        for number, client in enumerate(good):
            assert (await client.connect(token(f"u{number}")))["op"] == "ok"

        await it.ban(bans.address_subject("127.0.0.9/32"))

        for client in bad:
            closed = await client.end()
            assert closed.disconnect is not None
            assert closed.disconnect["code"] == 4503
        for port in ports:
            await (await TcpClient.open(port, source="127.0.0.9")).end()
        for client in good:
            await client.settle()
            client.abort()


async def test_messages_cross_gateways(tmp_path: Path, redis_url: str) -> None:
    """Members of one room on two gateways see the same events."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(rig(tmp_path, redis_url))
        auth_url = await stack.enter_async_context(key_server())
        other, _ = await stack.enter_async_context(gateway_of(settings(tmp_path, redis_url, auth_url)))
        room = it.chat.room(ANA, user_id("ben"))
        ana = await it.user("ana")
        ben = await TcpClient.open(other.tcp_port)
        await ben.connect(token("ben"))

        await ana.change("send", room=room.id, text="hola")

        assert (await ben.push("message"))["text"] == (await ana.push("message"))["text"] == "hola"
        ben.abort()
