"""auth_service.outbox: unsent messages, for this machine and the holder of the key alone."""

from __future__ import annotations

import pytest

from tests.integration.auth_service.conftest import OUTBOX_KEY, World, Worlds


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "127.0.0.1", "localhost:8080", "[::1]:8080", "[::1]"])
async def test_it_is_read_with_its_key_under_a_loopback_name(world: World, host: str) -> None:
    """The launcher's address and the gateway's forward."""
    await world.start(email="a@example.org")
    answer = await world.get(f"/dev/outbox?key={OUTBOX_KEY}", absolute=True, headers={"Host": host})

    assert answer.status == 200
    assert [sorted(message) for message in answer.body] == [["at", "kind", "text", "to"]]
    assert answer.body[0]["at"] == int(world.clock() * 1000)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/dev/outbox", {}),
        ("/dev/outbox?key=", {}),
        ("/dev/outbox?key=wrong", {}),
        (f"/dev/outbox?key={OUTBOX_KEY}x", {}),
        (f"/dev/outbox?key={OUTBOX_KEY}", {"Host": "evil.example:8080"}),
        (f"/dev/outbox?key={OUTBOX_KEY}", {"Host": "127.0.0.1.evil.example"}),
        (f"/dev/outbox?key={OUTBOX_KEY}", {"Host": "localhost.evil.example:8080"}),
        (f"/dev/outbox?key={OUTBOX_KEY}", {"Host": "203.0.113.1"}),
        (f"/v1/auth/dev/outbox?key={OUTBOX_KEY}", {}),
    ],
)
async def test_abuse_67_everybody_else_finds_nothing(world: World, path: str, headers: dict[str, str]) -> None:
    """A wrong key, another name (also one that was rebound), another path."""
    answer = await world.get(path, absolute=True, headers=headers)

    assert (answer.status, answer.code) == (404, "not_found")


async def test_abuse_67_another_address_finds_nothing(worlds: Worlds) -> None:
    """Also behind the gateway, which says who asks."""
    async with worlds(TRUSTED_PROXIES="127.0.0.1") as world:
        headers = {"X-Forwarded-For": "203.0.113.9"}
        answer = await world.get(f"/dev/outbox?key={OUTBOX_KEY}", absolute=True, headers=headers)

        assert answer.status == 404


async def test_abuse_67_production_has_no_outbox(worlds: Worlds) -> None:
    """Whatever the key."""
    async with worlds(GARITA_MODE="production") as world:
        assert (await world.get(f"/dev/outbox?key={OUTBOX_KEY}", absolute=True)).status == 404


async def test_abuse_67_no_answer_of_a_picture_is_in_it(world: World) -> None:
    """Whoever reads the outbox has the codes, and still has to look or listen."""
    flow = await world.start(email="a@example.org")
    pictures = [
        await world.picture("login"),
        await world.picture("login", kind="audio", captcha=await world.proof("login")),
    ]

    shown = str(await world.outbox())
    assert flow.status == 202
    assert "a@example.org" in shown
    assert not any(picture["answer"].upper() in shown.upper() for picture in pictures)


async def test_the_newest_two_hundred_are_shown(world: World) -> None:
    """Newest last."""
    for number in range(3):
        await world.start(email=f"p{number}@example.org")

    assert [message["to"] for message in await world.outbox()] == [f"p{number}@example.org" for number in range(3)]
