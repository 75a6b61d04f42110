"""auth_service.sessions: listing, ending, and what an access token is good for."""

from __future__ import annotations

import pytest

from auth_service.core import rotation
from tests.integration.auth_service.conftest import Person, World, Worlds


async def another(world: World, person: Person) -> dict[str, str]:
    """The tokens of a further session, from an unknown device."""
    answer = await world.log_in(person, device=False, headers={"User-Agent": "Otro\tdispositivo"})
    tokens: dict[str, str] = answer.body["tokens"]
    return tokens


async def is_alive(world: World, access: str) -> bool:
    """Whether an access token opens the account."""
    return (await world.get("/me", token=access)).status == 200


@pytest.mark.parametrize(
    ("scope", "alive"), [("this", [False, True, True]), ("others", [True, False, False]), ("all", [False] * 3)]
)
async def test_logging_out(world: World, scope: str, alive: list[bool]) -> None:
    """This session, the others, or all; the gateways are told of each that ended, and of no other."""
    person = await world.register()
    sessions = [person.tokens, await another(world, person), await another(world, person)]

    assert (await world.post("/logout", {"scope": scope}, token=person.access)).status == 204

    assert [await is_alive(world, tokens["access_token"]) for tokens in sessions] == alive
    ended = {tokens["session_id"] for tokens, lives in zip(sessions, alive, strict=True) if not lives}
    assert {row.sid for row in await world.revoked()} == ended


async def test_the_list_names_devices_and_the_present_one(world: World) -> None:
    """Without control characters from a stranger's header."""
    person = await world.register()
    await another(world, person)

    listed = (await world.get("/sessions", token=person.access)).body["sessions"]
    assert [row["current"] for row in sorted(listed, key=lambda row: row["current"])] == [False, True]
    assert "Otrodispositivo" in {row["device_label"] for row in listed}
    assert {row["client_id"] for row in listed} == {"native"}


async def test_ending_another_session_needs_a_fresh_proof(world: World) -> None:
    """After five minutes a step-up is asked for; the present one can always be ended; a stranger's is not there."""
    person, stranger = await world.register(), await world.register()
    other = await another(world, person)
    path = f"/sessions/{other['session_id']}"
    world.clock.pass_s(290)
    assert (await world.ask("DELETE", path, token=stranger.access)).code == "not_found"
    fresh = (await world.refresh(person.tokens["refresh_token"])).body
    world.clock.pass_s(20)

    assert (await world.ask("DELETE", path, token=fresh["access_token"])).code == "step_up_required"
    proof = {"method": "password", "password": "cangrejo sin reloj"}
    stepped = await world.post("/step-up", proof, token=fresh["access_token"])
    assert stepped.status == 200, stepped
    assert (await world.ask("DELETE", path, token=stepped.body["access_token"])).status == 204
    assert (await world.ask("DELETE", path, token=stepped.body["access_token"])).code == "not_found"
    world.clock.pass_s(280)
    own = f"/sessions/{person.tokens['session_id']}"
    assert (await world.ask("DELETE", own, token=stepped.body["access_token"])).status == 204
    assert (await world.ask("DELETE", "/sessions/%00", token=stranger.access)).status in (401, 404)


async def test_over_the_cap_the_longest_unused_session_ends(worlds: Worlds) -> None:
    """Never the new one, and the confirmed device's last."""
    async with worlds(MAX_SESSIONS="3") as world:
        person = await world.register()
        others = []
        for _ in range(4):
            world.clock.pass_s(1)
            others.append(await another(world, person))

        alive = [await is_alive(world, tokens["access_token"]) for tokens in (person.tokens, *others)]
        assert alive == [True, False, False, True, True]
        assert {row.sid for row in await world.revoked()} == {tokens["session_id"] for tokens in others[:2]}


async def test_an_access_token_lives_five_minutes(world: World) -> None:
    """And half a minute of grace for clocks."""
    person = await world.register()
    world.clock.pass_s(329)
    assert await is_alive(world, person.access)
    world.clock.pass_s(1)
    assert not await is_alive(world, person.access)


async def test_nothing_else_is_an_access_token(world: World) -> None:
    """Refresh tokens, device secrets, tokens cut or lengthened, another header."""
    person = await world.register()
    header, payload, signature = person.access.split(".")
    none = "eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0"
    for token in (
        person.tokens["refresh_token"], person.device, f"{header}.{payload}.", f"{none}.{payload}.", f"{none}.{payload}.{signature}",
        person.access + "=", person.access[:-1], f"{header}.{payload}.{signature}.{signature}", rotation.text_of("0" * 32, bytes(32)),
    ):  # fmt: skip
        assert (await world.get("/me", token=token)).code == "token_invalid"
