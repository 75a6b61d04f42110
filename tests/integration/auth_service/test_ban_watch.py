"""auth_service.ban_watch: the book of bans, from snapshots and pushes."""

from __future__ import annotations

from garita_common.core import bans
from garita_common.core.channels import BAN_PUSH, BANS_GENERATION, BANS_HASH
from tests.integration.auth_service.conftest import PASSWORD, World, Worlds, eventually


def ban_of(world: World, subject: str) -> bans.Ban:
    """A ban of ten minutes."""
    now_ms = int(world.clock() * 1000)
    return bans.Ban(subject, now_ms, now_ms + 600_000, "flood", "Too many messages.", "appeal-1")


async def test_an_unknown_book_opens_nothing_new_and_lets_owners_in(worlds: Worlds) -> None:
    """No registration while nobody knows who is banned; a login goes on."""
    async with worlds() as world:
        person = await world.register()
        await world.redis.delete(BANS_GENERATION)
    async with worlds(bans_known=False) as world:
        refused = await world.post("/registrations", {"email": "a@example.org", "password": PASSWORD})
        assert (refused.status, refused.code) == (503, "overloaded")
        assert (await world.log_in(person)).status == 200


async def test_a_push_names_and_the_hash_tells(world: World) -> None:
    """A ban comes and goes with pushes; a push without an entry bans nobody; rubbish changes nothing."""
    person = await world.register()
    subject = bans.user_subject(person.id)

    async def status() -> int:
        return (await world.log_in(person)).status

    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))
    await world.redis.publish(BAN_PUSH, b"rubbish")
    assert await status() == 200

    await world.redis.hset(BANS_HASH, subject, bans.encode(ban_of(world, subject)))
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))

    async def is_banned() -> bool:
        return await status() == 403

    await eventually(is_banned)
    await world.redis.hdel(BANS_HASH, subject)
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))

    async def is_free() -> bool:
        return await status() == 200

    await eventually(is_free)


async def test_a_banned_user_learns_it_only_with_the_right_password(world: World) -> None:
    """A stranger cannot ask who is banned; a broken entry beside it changes nothing."""
    person = await world.register()
    subject = bans.user_subject(person.id)
    await world.redis.hset(BANS_HASH, subject, bans.encode(ban_of(world, subject)))
    await world.redis.hset(BANS_HASH, "user:x", b"rubbish")
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject, "user:x"]))

    async def is_banned() -> bool:
        answer = await world.log_in(person)
        return answer.code == "banned" and answer.body["reason"] == "Too many messages."

    await eventually(is_banned)
    assert (await world.log_in(person, "wrong wrong wrong 1")).code == "invalid_credentials"


async def test_bans_are_known_from_the_start(worlds: Worlds) -> None:
    """The first snapshot holds what was there before; loopback addresses are not counted unless they are public."""
    async with worlds() as world:
        await world.register()
        subject = bans.address_subject("127.0.0.0/24")
        await world.redis.hset(BANS_HASH, subject, bans.encode(ban_of(world, subject)))
    async with worlds() as world:
        assert (await world.post("/challenges", {"action": "login"})).status == 201
    async with worlds(GARITA_LOOPBACK="public") as world:
        assert (await world.post("/challenges", {"action": "login"})).code == "banned"


async def test_a_push_after_redis_was_emptied_lifts_nothing(world: World) -> None:
    """What it names is not there, and that means nothing: the ban holds until somebody who knows writes again."""
    person = await world.register()
    subject = bans.user_subject(person.id)
    await world.redis.hset(BANS_HASH, subject, bans.encode(ban_of(world, subject)))
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))

    async def is_banned() -> bool:
        return (await world.log_in(person)).code == "banned"

    await eventually(is_banned)
    await world.redis.delete(BANS_HASH, BANS_GENERATION)
    await world.redis.publish(BAN_PUSH, bans.encode_push([subject]))

    for _ in range(5):
        assert await is_banned()
