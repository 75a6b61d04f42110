"""D-01: a ban forged through Redis, by a service that was broken into and can publish."""

import asyncio

from garita_common import bus
from garita_common.core import bans, channels
from tests.attack import raw
from tests.attack.conftest import Target
from tests.attack.test_g02_impossible_frame import is_refused


async def test_abuse_65_a_push_without_a_ban_bans_nobody(target: Target, no_traceback: None) -> None:
    """Well-formed, malformed and empty pushes; the gateways go on and refuse nobody."""
    victim = raw.fresh_address()
    client = bus.connect(target.facts["redis_url"])
    subject = bans.address_subject(f"{victim}/32")
    for push in (bans.encode_push([subject]), b"", b"\xff", b'{"ban":1}', bans.encode_push([""] * 1000)):
        assert await client.publish(channels.BAN_PUSH, push) >= 2
    await asyncio.sleep(0.5)
    await client.aclose()

    assert not await is_refused(target, victim, 1)
    assert not await is_refused(target, victim, 2)


async def test_rubbish_on_every_channel_ends_nobody(target: Target, no_traceback: None) -> None:
    """Replies, events, revocations and command batches that are none are counted and skipped."""
    person = await target.person()
    client = bus.connect(target.facts["redis_url"])
    async with target.connected(person) as connection:
        room = (await connection.change("create_room", kind="public", title="rubbish"))["room"]["id"]
        names = [
            channels.room(room),
            channels.user(person.id),
            channels.REVOKED_CHANNEL,
            *(channels.shard_in(shard) for shard in range(4)),
        ]
        for name in names:
            for data in (b"", b"\xc1", b"\x93\x01\x02\x03", b"{}"):
                await client.publish(name, data)

        answer = await connection.change("send", room=room, text="still here")
        heard = await connection.push("message")
    await client.aclose()

    assert answer["op"] == "ok"
    assert heard["text"] == "still here"
